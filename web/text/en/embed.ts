export const embed = {
  conversation: "Chat",
  connecting: "Connecting…",
  signingIn: "Waiting for this page to sign you in…",
  noAnswer: "The server does not answer yet. Trying again…",
  originTitle: "This page may not connect",
  origin: (page: string, server: string) =>
    `The server ${server} does not accept pages of ${page}. Its operator can add that to PARLEY_ALLOWED_ORIGINS.`,
  policyTitle: "This page forbids the connection",
  policy: (sources: string) => `Its content security policy needs in connect-src: ${sources}`,
  providerTitle: "You could not be signed in",
  provider: "This page gave no login for the chat. Trying again…",
  refusedTitle: "You are not signed in",
  refused: "The login that this page gave has ended, or was refused.",
  closedTitle: "There is no connection",
  addressTitle: "This chat has no server",
  address: (server: string) => `"${server}" is no address of a server. It looks like https://chat.example.`,
};
