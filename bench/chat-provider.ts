/**
 * A model's provider for the benchmark of chats: OpenAI's chat completions over HTTP, as fast as a process can be that
 * is not measured. Each answer is TOKENS tokens, the first at once, then one every TOKEN_MS.
 */
import { App, type HttpResponse, us_socket_local_port } from "uWebSockets.js";
import { TOKEN_MS, TOKENS } from "./chat-tokens.ts";

/** Answers are served in slots of a millisecond, so that all of them are not due in one tick. */
const SLOTS = TOKEN_MS;

interface Answer {
  readonly res: HttpResponse;
  sent: number;
}

const slots = Array.from({ length: SLOTS }, () => new Set<Answer>());
const encoder = new TextEncoder();
const event = (fields: object): Uint8Array =>
  encoder.encode(
    `data: ${JSON.stringify({
      id: "chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG",
      object: "chat.completion.chunk",
      created: 1793000000,
      model: "bench",
      service_tier: "default",
      system_fingerprint: "fp_fc9f1d7035",
      ...fields,
    })}\n\n`,
  );
const chunk = (delta: object, finish_reason: string | null) =>
  event({ choices: [{ index: 0, delta, logprobs: null, finish_reason }], usage: null });

const FIRST = chunk({ role: "assistant", content: " tok" }, null);
const NEXT = chunk({ content: " tok" }, null);
const LAST = Buffer.concat([
  chunk({}, "stop"),
  event({ choices: [], usage: { prompt_tokens: 20, completion_tokens: TOKENS, total_tokens: 20 + TOKENS } }),
  encoder.encode("data: [DONE]\n\n"),
]);

let served = Math.floor(performance.now());
function tick(): void {
  const now = Math.floor(performance.now());
  for (let ms = Math.max(served, now - SLOTS) + 1; ms <= now; ms++) {
    const slot = slots[ms % SLOTS];
    if (slot === undefined) continue;
    for (const answer of slot) {
      const { res } = answer;
      if (answer.sent++ < TOKENS) {
        res.cork(() => res.write(NEXT));
      } else {
        slot.delete(answer);
        res.cork(() => {
          res.write(LAST);
          res.end();
        });
      }
    }
  }
  served = now;
}
setInterval(tick, 1);

function start(res: HttpResponse): Answer {
  const answer: Answer = { res, sent: 1 };
  res.cork(() => {
    res.writeHeader("content-type", "text/event-stream; charset=utf-8");
    res.write(FIRST);
  });
  slots[Math.floor(performance.now()) % SLOTS]?.add(answer);
  return answer;
}

const app = App()
  .get("/v1/models", (res) => {
    res.writeHeader("content-type", "application/json").end('{"object":"list","data":[{"id":"bench"}]}');
  })
  .post("/v1/chat/completions", (res) => {
    let answer: Answer | undefined;
    res.onAborted(() => {
      for (const slot of slots) if (answer !== undefined) slot.delete(answer);
    });
    res.onData((_, isLast) => {
      if (isLast) answer = start(res);
    });
  });

app.listen("127.0.0.1", 0, (token) => {
  if (token === false) throw new Error("no port");
  process.send?.({ port: us_socket_local_port(token) });
});
