import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { ParleyError } from "../protocol/errors.ts";
import { createLogger } from "./logger.ts";
import { Redactor } from "./redact.ts";

function recorded(level: "debug" | "info" | "silent" = "debug") {
  const lines: string[] = [];
  const log = createLogger({ level, destination: { write: (line: string) => lines.push(line) } });
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? "null") };
}

test("a line is JSON: time, level, fields, message; children add theirs", () => {
  const { log, last } = recorded();
  log.child({ nodeId: "n1" }).child({ connectionId: "c1" }).warn({ bytes: 12, nothing: null }, "slow");
  const { time, ...rest } = last();
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: "warn", nodeId: "n1", connectionId: "c1", bytes: 12, nothing: null, msg: "slow" });
});

test("the level decides", () => {
  const { log, lines } = recorded("info");
  log.debug({}, "no");
  log.info({}, "yes");
  assert.equal(lines.length, 1);
});

const S = "s3cr3t-value-that-must-not-appear";

/** Every way in that we know of. */
const leaks: Readonly<Record<string, (log: ReturnType<typeof recorded>["log"]) => void>> = {
  "a token": (log) => log.info({ token: S }, "m"),
  "a session token": (log) => log.info({ sessionToken: S }, "m"),
  "a session token, snake case": (log) => log.info({ session_token: S }, "m"),
  "an access token": (log) => log.info({ accessToken: S }, "m"),
  "a connection's cookie token": (log) => log.info({ connection: { cookieToken: S } }, "m"),
  "a password": (log) => log.info({ params: { email: "a@b", password: S } }, "m"),
  "an API key": (log) => log.info({ config: { provider: { apiKey: S } } }, "m"),
  "a key from the environment": (log) => log.info({ env: { API_KEY: S } }, "m"),
  "a login code": (log) => log.info({ body: { code: S } }, "m"),
  "headers in a Map": (log) => log.info({ headers: new Map([["authorization", S]]) }, "m"),
  "headers of a request": (log) => log.info({ request: { headers: { cookie: `a=${S}`, "x-api-key": S } } }, "m"),
  "headers of an answer": (log) => log.info({ response: { headers: { "Set-Cookie": [`a=${S}`] } } }, "m"),
  "a list": (log) => log.info({ list: [{ token: S }, [{ token: S }]] }, "m"),
  "an object under a secret's name": (log) => log.info({ credentials: { anything: S } }, "m"),
  "a child's field": (log) => log.child({ token: S }).info({}, "m"),
  "a grandchild's field": (log) =>
    log
      .child({ a: 1 })
      .child({ deep: { secret: S } })
      .info({}, "m"),
  "an error's field": (log) => log.error({ err: Object.assign(new Error("x"), { password: S }) }, "m"),
  "an error's cause": (log) =>
    log.error({ err: new ParleyError("UNAVAILABLE", { cause: Object.assign(new Error("x"), { token: S }) }) }, "m"),
  "an error's message": (log) => log.error({ err: new Error(`connect postgres://parley:${S}@db:5432/x`) }, "m"),
  "a message's URL": (log) => log.info({}, `connecting to redis://:${S}@cache:6379`),
  "a bearer token in a text": (log) => log.info({ note: `sent Authorization: Bearer ${S}` }, "m"),
  "a cookie in a text": (log) => log.info({ note: `parley_session=${S}; Path=/` }, "m"),
  "a login link": (log) => log.info({}, `open http://127.0.0.1:8765/#login=${S}`),
  "a provider's key in a text": (log) => log.info({ note: `Incorrect API key provided: sk-${S}` }, "m"),
  "a key of Google's in a text": (log) => log.info({ note: `API key not valid: AIza${S}` }, "m"),
  "a key of Google's in a header": (log) => log.info({ headers: { "x-goog-api-key": S } }, "m"),
  "a key in an address": (log) => log.info({}, `POST https://host/v1/models:stream?alt=sse&key=${S}`),
  "an aggregate's errors": (log) =>
    log.error({ err: new AggregateError([Object.assign(new Error("x"), { token: S })]) }, "m"),
};

for (const [what, leak] of Object.entries(leaks)) {
  test(`no secret is logged: ${what}`, () => {
    const { log, lines } = recorded();
    leak(log);
    assert.equal(lines.length, 1);
    assert.ok(!lines[0]?.includes(S), lines[0]);
    assert.ok(lines[0]?.includes("[secret]"), lines[0]);
  });
}

test("no secret is logged: what this server was given, wherever it stands", () => {
  const lines: string[] = [];
  const [key, longer] = ["no-form-of-a-key-1", "no-form-of-a-key-1-and-more"];
  const destination = { write: (line: string) => lines.push(line) };
  const log = createLogger({ level: "debug", secrets: [key, longer, "ollama"], destination });
  const cause = new Error(`401 from https://host/${longer}/x`);
  log.error(
    { err: new ParleyError("MODEL_FAILED", { cause }), list: [{ words: `say ${key}` }], ollama: "ollama" },
    key,
  );
  log.child({ who: key }).warn({}, `with ${longer}`);
  assert.ok(!/no-form|and-more/.test(lines.join("")), lines.join(""));
  assert.ok(lines[0]?.includes('"ollama":"ollama"'), "a placeholder is no secret");
});

test("what only looks like a secret stays readable", () => {
  const { log, last } = recorded();
  const fields = { code: "NOT_FOUND", sqlstate: { code: "23505" }, closed: { code: 4008 }, tokens: 12, token: 3 };
  log.info({ ...fields, url: "https://example.com/a:b@c?d=e" }, "m");
  const { level: _level, time: _time, msg: _msg, ...rest } = last();
  assert.deepEqual(rest, { ...fields, url: "https://example.com/a:b@c?d=e" });
});

test("an error is logged with its stack, fields and causes", () => {
  const { log, last } = recorded();
  const cause = Object.assign(new TypeError("inner"), { code: "ECONNREFUSED" });
  log.error({ err: new ParleyError("UNAVAILABLE", { cause }) }, "failed");
  const { err } = last() as { err: Record<string, unknown> & { cause: Record<string, unknown> } };
  assert.equal(err["type"], "ParleyError");
  assert.equal(err["code"], "UNAVAILABLE");
  assert.match(String(err["stack"]), /logger\.test\.ts/);
  assert.equal(err.cause["type"], "TypeError");
  assert.equal(err.cause["code"], "ECONNREFUSED");
});

test("a line is bounded, whatever is logged", () => {
  const { log, lines } = recorded();
  const loop: Record<string, unknown> = { big: 1n, f: () => 1, bytes: new Uint8Array(5) };
  loop["self"] = loop;
  loop["text"] = "x".repeat(1_000_000);
  loop["list"] = Array.from({ length: 100_000 }, () => "y");
  log.info(loop, "z".repeat(1_000_000));
  assert.ok((lines[0]?.length ?? Infinity) < 200_000, String(lines[0]?.length));
});

test("text without secrets is not changed", () => {
  const text = "a plain sentence, with basic words and a key=board";
  assert.equal(new Redactor(["another-secret"]).text(text), text);
});

test("nothing is lost at the exit", async () => {
  const module = new URL("./logger.ts", import.meta.url).href;
  const script = `const { createLogger } = await import(${JSON.stringify(module)});
    const log = createLogger({ level: "info" });
    for (let i = 0; i < 1000; i++) log.info({ i }, "line");
    if (process.argv[1] === "flush") { log.flush(); process.reallyExit(0) }`;
  for (const how of ["exit", "flush"]) {
    const { stderr } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", script, how]);
    assert.equal(stderr.trim().split("\n").length, 1000, how);
  }
});
