/** What the port asks of every provider, beyond the reading of its stream: aborts, faults of the sink, connections. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { ModelProvider, ModelRequest } from "../../src/ports/model.ts";
import { until } from "../support/until.ts";
import { sinkLog } from "./sink-log.ts";
import { type Script, startProvider, streamed } from "./sse-server.ts";

export interface Behaviour {
  readonly provider: string;
  readonly model: string;
  readonly create: (url: string) => ModelProvider;
  /** Body of the stream of an answer of these deltas of text. */
  readonly answer: (deltas: readonly string[]) => string;
  /** The beginning of one: the deltas, and no end. */
  readonly beginning: (deltas: readonly string[]) => string;
}

export const request = (model: string, more: Partial<ModelRequest> = {}): ModelRequest => ({
  model,
  messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
  tools: [{ name: "clock", description: "The time", parameters: { type: "object", properties: {} } }],
  cacheKey: "conversation-1",
  ...more,
});

export const never = new AbortController().signal;

export async function world(t: TestContext, create: Behaviour["create"], script: Script) {
  const server = await startProvider(script);
  const provider = create(server.url);
  t.after(async () => {
    provider.close();
    await server.close();
  });
  return { server, provider };
}

export function behaviourTests({ provider: name, model, create, answer, beginning }: Behaviour): void {
  const ask = request(model);

  test(`${name}: an aborted request is not sent`, async (t) => {
    const { server, provider } = await world(t, create, []);
    assert.deepEqual(await provider.stream(ask, sinkLog().sink, AbortSignal.abort()), {
      stop: "aborted",
      usage: { inputTokens: 0, outputTokens: 0 },
    });
    assert.equal(server.requests.length, 0);
  });

  test(`${name}: an abort before the headers ends the request`, async (t) => {
    const { server, provider } = await world(t, create, () => ({ steps: "mute" }));
    const abort = new AbortController();
    const pending = provider.stream(ask, sinkLog().sink, abort.signal);
    await until(() => server.requests.length === 1, "the request");
    abort.abort();
    assert.equal((await pending).stop, "aborted");
    await until(() => server.requests[0]?.abandoned === true, "the server to see it");
  });

  test(`${name}: after an abort from within the sink no further delta comes, though it has arrived`, async (t) => {
    const { provider } = await world(t, create, [streamed(answer(["a", "b", "c"]))]);
    const abort = new AbortController();
    const log = sinkLog();
    const text = (delta: string) => {
      log.sink.text(delta);
      if (delta !== "b") return;
      abort.abort();
      log.close();
    };
    assert.equal((await provider.stream(ask, { ...log.sink, text }, abort.signal)).stop, "aborted");
    assert.deepEqual(log.calls, [
      ["text", "a"],
      ["text", "b"],
    ]);
  });

  test(`${name}: an answer that is whole does not wait for the end of its body`, async (t) => {
    const { server, provider } = await world(t, create, [streamed(answer(["a"]), { end: "stall" })]);
    assert.equal((await provider.stream(ask, sinkLog().sink, never)).stop, "end");
    await until(() => server.requests[0]?.abandoned === true, "the connection to be given up");
  });

  test(`[R9] ${name}: a ping says nothing, and that the provider lives`, async (t) => {
    const { provider } = await world(t, create, [streamed(": ping\n\n", { end: "stall" })]);
    const log = sinkLog();
    const abort = new AbortController();
    let signs = 0;
    const sink = { ...log.sink, alive: () => signs++ };
    const pending = provider.stream(ask, sink, abort.signal);
    await until(() => signs > 0, "a sign of life");
    abort.abort();
    assert.equal((await pending).stop, "aborted");
    assert.deepEqual(log.calls, []);
  });

  test(`${name}: what the sink throws comes out as it is, and the connection is given up`, async (t) => {
    const { server, provider } = await world(t, create, [streamed(beginning(["a", "b"]), { end: "stall" })]);
    const lost = new Error("lease lost");
    const text = () => {
      throw lost;
    };
    await assert.rejects(provider.stream(ask, { ...sinkLog().sink, text }, never), (error) => error === lost);
    await until(() => server.requests[0]?.abandoned === true, "the server to see it");
  });

  test(`${name}: close ends the streams under way as aborted, and what begins later`, async (t) => {
    const { server, provider } = await world(t, create, () => streamed(beginning(["a"]), { end: "stall" }));
    const log = sinkLog();
    const pending = provider.stream(ask, log.sink, never);
    await until(() => log.calls.length === 1, "the first delta");
    provider.close();
    assert.equal((await pending).stop, "aborted");
    assert.equal((await provider.stream(ask, log.sink, never)).stop, "aborted");
    assert.equal(server.requests.length, 1);
  });

  test(`${name}: the next request goes over the same connection`, async (t) => {
    const { server, provider } = await world(t, create, () => streamed(answer(["a"])));
    const connections = () => new Set(server.requests.map(({ port }) => port)).size;
    // An answer is whole before its reply has ended, and a connection is free a moment after that.
    for (let requests = 1; requests <= 5 && connections() === requests - 1; requests++) {
      await provider.stream(ask, sinkLog().sink, never);
      await until(() => server.requests.at(-1)?.finished === true, "the end of the reply");
    }
    assert.ok(connections() < server.requests.length, `${connections()} connections`);
  });

  test(`${name}: twenty streams at once do not mix`, async (t) => {
    let asked = 0;
    const { provider } = await world(t, create, () => {
      const index = asked++;
      return streamed(answer([`a${index} `, `b${index}`]), { splitAt: [50, 90, 150] });
    });
    const texts = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const log = sinkLog();
        assert.equal((await provider.stream(ask, log.sink, never)).stop, "end");
        return log.calls.map((call) => call[1]).join("");
      }),
    );
    assert.deepEqual(texts.toSorted(), Array.from({ length: 20 }, (_, index) => `a${index} b${index}`).toSorted());
  });

  test(`${name}: its models have its name, and their ids are its own`, () => {
    const provider = create("http://127.0.0.1:1");
    for (const info of provider.list()) {
      assert.equal(info.provider, provider.name);
      assert.ok(info.id.startsWith(`${provider.name}/`), info.id);
    }
    provider.close();
  });
}
