/** All that a page has to do: say where the login comes from. Elements that share the function share the connection. */
async function tokenProvider() {
  const response = await fetch("/chat-token", { method: "POST" });
  if (!response.ok) throw new Error(`/chat-token answered ${response.status}`);
  return response.text();
}

const chats = [...document.querySelectorAll("parley-chat")];
for (const chat of chats) chat.tokenProvider = tokenProvider;

const { theme, move, events } = document.forms[0].elements;

for (const name of ["parley-ready", "parley-error", "parley-conversation"]) {
  addEventListener(name, ({ target, detail }) => {
    events.value = `${target.id}: ${name} ${JSON.stringify(detail)}`;
  });
}

theme.addEventListener("change", () => {
  for (const chat of chats) chat.setAttribute("theme", theme.value);
});

move.addEventListener("click", () => {
  const [chat] = chats;
  const isThere = chat.isConnected;
  if (isThere) chat.remove();
  else document.querySelector(".chats").prepend(chat);
  move.textContent = isThere ? "Put the first chat back" : "Take the first chat out";
});
