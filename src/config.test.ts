import assert from "node:assert/strict";
import test from "node:test";
import { readConfig } from "./config.ts";
import { StartError } from "./ports/start-error.ts";

test("an empty environment gives one node on an embedded store, on loopback", () => {
  const config = readConfig({});
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 8765);
  assert.deepEqual(config.store, { kind: "embedded", dataDir: "./data" });
  assert.equal(config.sessionLifetimeMs, 24 * 3_600_000);
  assert.equal(config.accessToken, undefined);
  assert.ok(Object.isFrozen(config));
});

test("every problem of a bad environment stands in one message, and no secret does", () => {
  const env = {
    PARLEY_WS_PORT: "99999",
    PARLEY_LOG_LEVEL: "loud",
    PARLEY_ACCESS_TOKEN: "too-short-secret",
    PARLEY_ALLOWED_ORIGINS: "app.example",
    PARLEY_DEMO_TOKENS_PER_SECOND: "1e3",
    DATABASE_URL: "mysql://root:hunter2@localhost/x",
    REDIS_URL: "redis://localhost",
  };
  assert.throws(
    () => readConfig(env),
    (error) => {
      assert.ok(error instanceof StartError);
      for (const name of Object.keys(env)) assert.match(error.message, new RegExp(`- ${name}: `));
      assert.doesNotMatch(error.message, /hunter2|too-short-secret/);
      assert.match(error.message, /PARLEY_WS_PORT: expected a whole number from 0 to 65535/);
      return true;
    },
  );
});

const refused: readonly [string, Record<string, string>, RegExp][] = [
  ["desktop mode", { PARLEY_MODE: "desktop" }, /desktop mode is not in this version/],
  ["Redis without a database", { REDIS_URL: "redis://127.0.0.1" }, /needs DATABASE_URL/],
  [
    "cluster mode",
    { REDIS_URL: "redis://127.0.0.1", DATABASE_URL: "postgres://127.0.0.1/x" },
    /cluster mode is not in this version/,
  ],
];
for (const [name, env, message] of refused) {
  test(`${name} is refused with what to do instead`, () => assert.throws(() => readConfig(env), message));
}

test("an empty variable counts as unset, a misspelt one is a warning, Kubernetes' own are neither", () => {
  const config = readConfig({
    PARLEY_WS_PORT: "",
    PARLEY_WSPORT: "80",
    PARLEY_SERVICE_HOST: "10.0.0.1",
    PARLEY_PORT_8765_TCP: "tcp://10.0.0.1:8765",
    PATH: "/bin",
  });
  assert.equal(config.port, 8765);
  assert.equal(config.warnings.length, 1);
  assert.match(config.warnings[0] ?? "", /PARLEY_WSPORT/);
});

test("DATABASE_URL alone is one node on that server", () => {
  const url = "postgres://parley:secret@db/parley";
  assert.deepEqual(readConfig({ DATABASE_URL: url }).store, { kind: "postgres", url });
});
