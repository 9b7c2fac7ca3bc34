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
    REDIS_URL: "localhost:6379",
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
  ["a standby without its database", { DATABASE_REPLICA_URL: "postgres://standby/x" }, /needs DATABASE_URL/],
  [
    "a key prefix with braces",
    { DATABASE_URL: "postgres://db/x", REDIS_URL: "redis://r", PARLEY_KEY_PREFIX: "{a}" },
    /PARLEY_KEY_PREFIX: expected 1 to 64/,
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
  const postgres = { url, replicaUrl: undefined, maxConnections: 10 };
  assert.deepEqual(readConfig({ DATABASE_URL: url }).store, { kind: "postgres", ...postgres });
});

test("DATABASE_URL and REDIS_URL make a node of a cluster, with a warning when files are on its own disk", () => {
  const env = { DATABASE_URL: "postgres://parley:secret@db/parley", REDIS_URL: "redis://cache:6379" };
  const config = readConfig(env);
  assert.deepEqual(config.store, {
    kind: "cluster",
    url: env.DATABASE_URL,
    replicaUrl: undefined,
    maxConnections: 10,
    redisUrl: env.REDIS_URL,
    keyPrefix: "parley:",
  });
  assert.match(config.warnings[0] ?? "", /PARLEY_S3_BUCKET is not set/);
  const more = readConfig({
    ...env,
    DATABASE_REPLICA_URL: "postgres://standby/parley",
    PARLEY_DATABASE_CONNECTIONS: "30",
    PARLEY_KEY_PREFIX: "blue:",
    PARLEY_S3_BUCKET: "files",
    PARLEY_S3_REGION: "eu-central-1",
  });
  assert.deepEqual(more.store, {
    ...config.store,
    replicaUrl: "postgres://standby/parley",
    maxConnections: 30,
    keyPrefix: "blue:",
  });
  assert.deepEqual(more.warnings, []);
});

const KEYS = {
  ANTHROPIC_API_KEY: "sk-ant-0123456789",
  OPENAI_API_KEY: " sk-proj-0123456789\n",
  GEMINI_API_KEY: "AIza0123456789",
  COMPATIBLE_API_KEY: "local-0123456789",
};

test("without a key there is no provider; a key, or an address of a compatible server, makes one", () => {
  const none = readConfig({}).providers;
  assert.deepEqual(none, {
    anthropic: undefined,
    openai: undefined,
    gemini: undefined,
    compatible: undefined,
    findOllama: true,
  });
  const { providers } = readConfig({
    ...KEYS,
    OPENAI_BASE_URL: "http://127.0.0.1:4000/v1",
    GOOGLE_GEMINI_BASE_URL: "https://proxy.example",
    COMPATIBLE_BASE_URL: "http://localhost:11434/v1",
    PARLEY_FIND_OLLAMA: "0",
  });
  assert.deepEqual(providers, {
    anthropic: { apiKey: "sk-ant-0123456789" },
    openai: { apiKey: "sk-proj-0123456789", baseUrl: "http://127.0.0.1:4000/v1" },
    gemini: { apiKey: "AIza0123456789", baseUrl: "https://proxy.example" },
    compatible: { apiKey: "local-0123456789", baseUrl: "http://localhost:11434/v1" },
    findOllama: false,
  });
  assert.deepEqual(readConfig({ COMPATIBLE_BASE_URL: "http://[::1]:8000" }).providers.compatible, {
    baseUrl: "http://[::1]:8000",
  });
});

test("an address without its key, or the reverse, makes no provider; a compatible key alone is a warning", () => {
  const config = readConfig({ OPENAI_BASE_URL: "http://127.0.0.1:4000/v1", COMPATIBLE_API_KEY: "x" });
  assert.equal(config.providers.openai, undefined);
  assert.equal(config.providers.compatible, undefined);
  assert.deepEqual(config.warnings, ["COMPATIBLE_API_KEY does nothing without COMPATIBLE_BASE_URL"]);
});

test("models, limits of a run and of silence have defaults, and are read", () => {
  const config = readConfig({});
  assert.equal(config.defaultModel, undefined);
  assert.deepEqual(config.fallbackModels, []);
  assert.deepEqual(config.stall, { firstTokenMs: 120_000, silenceMs: 60_000 });
  assert.deepEqual(config.bounds, { maxSteps: 50, maxTokens: 2_000_000, approvalMs: 86_400_000 });
  const set = readConfig({
    PARLEY_DEFAULT_MODEL: "anthropic/claude-opus-5-5",
    PARLEY_FALLBACK_MODELS: "openai/gpt-6.1-sol, demo",
    PARLEY_FIRST_TOKEN_MS: "5000",
    PARLEY_SILENCE_MS: "3000",
    PARLEY_MAX_STEPS: "3",
    PARLEY_RUN_TOKENS: "1000",
    PARLEY_APPROVAL_TIMEOUT_MS: "60000",
    PARLEY_UNUSED_FILE_DAYS: "7",
    PARLEY_PRICES: "prices.json",
  });
  assert.equal(set.defaultModel, "anthropic/claude-opus-5-5");
  assert.deepEqual(set.fallbackModels, ["openai/gpt-6.1-sol", "demo"]);
  assert.deepEqual(set.stall, { firstTokenMs: 5_000, silenceMs: 3_000 });
  assert.deepEqual(set.bounds, { maxSteps: 3, maxTokens: 1_000, approvalMs: 60_000 });
  assert.equal(set.pricesFile, "prices.json");
  assert.equal(config.unusedFileMs, 30 * 86_400_000);
  assert.equal(set.unusedFileMs, 7 * 86_400_000);
  assert.equal(readConfig({ PARLEY_UNUSED_FILE_DAYS: "0" }).unusedFileMs, undefined);
  assert.throws(() => readConfig({ PARLEY_UNUSED_FILE_DAYS: "6" }), /7 or more days, or 0/);
});

test("all that is secret is known as such, and stands in no refusal", () => {
  const access = "an-access-token-of-32-characters-";
  const config = readConfig({ ...KEYS, PARLEY_ACCESS_TOKEN: access });
  assert.deepEqual(config.secrets, [access, ...Object.values(KEYS).map((key) => key.trim())]);
  const wrong = {
    ANTHROPIC_API_KEY: "two secret-words",
    COMPATIBLE_BASE_URL: "https://me:secret-word@host/v1",
    OPENAI_BASE_URL: "file:///etc/secret-word",
    PARLEY_FALLBACK_MODELS: "a b",
    PARLEY_DEFAULT_MODEL: " ",
  };
  assert.throws(
    () => readConfig(wrong),
    (error) => {
      assert.ok(error instanceof StartError);
      for (const name of Object.keys(wrong)) assert.match(error.message, new RegExp(`- ${name}: expected `));
      assert.doesNotMatch(error.message, /secret-word/);
      return true;
    },
  );
});

const BUCKET = { PARLEY_S3_BUCKET: "files-of-parley", PARLEY_S3_REGION: "eu-central-1" };
const AWS = { AWS_ACCESS_KEY_ID: "AKIA0123456789", AWS_SECRET_ACCESS_KEY: "secret-of-aws-0123456789" };

test("files are in the data folder until a bucket is named", () => {
  const folder = readConfig({ PARLEY_DATA_DIR: "/data", ...AWS, AWS_REGION: "of another program" });
  assert.deepEqual([folder.filesDir, folder.s3], ["/data/files", undefined]);
  assert.deepEqual(readConfig(BUCKET).s3, {
    bucket: "files-of-parley",
    prefix: "parley/files/",
    region: "eu-central-1",
  });
  const { s3, secrets } = readConfig({
    PARLEY_S3_BUCKET: "files",
    PARLEY_S3_ENDPOINT: "http://127.0.0.1:9000",
    PARLEY_S3_PREFIX: "teams/one/",
    ...AWS,
    AWS_SESSION_TOKEN: "token-of-aws-0123456789",
  });
  assert.deepEqual(s3, {
    bucket: "files",
    prefix: "teams/one/",
    region: "us-east-1",
    endpoint: "http://127.0.0.1:9000",
    credentials: {
      accessKeyId: "AKIA0123456789",
      secretAccessKey: "secret-of-aws-0123456789",
      sessionToken: "token-of-aws-0123456789",
    },
  });
  assert.deepEqual(secrets, ["secret-of-aws-0123456789", "token-of-aws-0123456789"]);
});

test("a bucket needs its region, whole keys and a prefix below it", () => {
  const wrong: readonly [Record<string, string>, RegExp][] = [
    [{ PARLEY_S3_REGION: "" }, /PARLEY_S3_REGION: expected the bucket's region/],
    [{ AWS_ACCESS_KEY_ID: "AKIA0123456789" }, /AWS_SECRET_ACCESS_KEY: expected beside AWS_ACCESS_KEY_ID/],
    [{ AWS_SECRET_ACCESS_KEY: "secret-0123456789" }, /AWS_ACCESS_KEY_ID: expected beside AWS_SECRET_ACCESS_KEY/],
    [{ PARLEY_S3_PREFIX: "/" }, /PARLEY_S3_PREFIX: expected like parley/],
    [{ PARLEY_S3_BUCKET: "Files" }, /PARLEY_S3_BUCKET: expected the name of a bucket/],
    [{ PARLEY_S3_ENDPOINT: "http://user:hunter2@host" }, /PARLEY_S3_ENDPOINT: expected an address/],
  ];
  for (const [env, message] of wrong) assert.throws(() => readConfig({ ...BUCKET, ...env }), message);
  assert.equal(readConfig({ PARLEY_S3_BUCKET: "files", AWS_REGION: "eu-west-1" }).s3?.region, "eu-west-1");
  const idle = readConfig({ PARLEY_S3_ENDPOINT: "http://127.0.0.1:9000" });
  assert.match(idle.warnings[0] ?? "", /PARLEY_S3_ENDPOINT does nothing without PARLEY_S3_BUCKET/);
});
