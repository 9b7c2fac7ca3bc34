/**
 * Environment → frozen Config. Nothing else reads the environment. Every problem is reported in one message, so that
 * an operator mends them in one go; values of secrets never appear in it.
 */
import { join } from "node:path";
import { z } from "zod";
import type { ProviderConfig, ProviderKey } from "./models/providers.ts";
import { StartError } from "./ports/start-error.ts";

export type StoreConfig =
  | { readonly kind: "embedded"; readonly dataDir: string }
  | ({ readonly kind: "postgres" } & PostgresConfig)
  | ({ readonly kind: "cluster"; readonly redisUrl: string; readonly keyPrefix: string } & PostgresConfig);

export interface PostgresConfig {
  readonly url: string;
  /** A standby that lists of conversations may be read from. */
  readonly replicaUrl: string | undefined;
  /** Of this process, at most. */
  readonly maxConnections: number;
}

/** A bucket for uploaded files. */
export interface S3Config {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly endpoint?: string;
  /** Without them the SDK looks where it always does: its files, the machine's role. */
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
}

export interface Config {
  readonly mode: "web";
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly nodeId: string;
  readonly store: StoreConfig;
  /** Where uploaded files are, unless a bucket has them. */
  readonly filesDir: string;
  readonly s3: S3Config | undefined;
  readonly accessToken: string | undefined;
  /** Origins besides the server's own that may open a socket: `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /** Believe X-Forwarded-For and X-Forwarded-Proto: only behind a proxy that sets them. */
  readonly trustProxy: boolean;
  readonly sessionLifetimeMs: number;
  readonly drainMs: number;
  readonly drainDelayMs: number;
  readonly providers: ProviderConfig;
  /** JSON, over the built-in prices. */
  readonly pricesFile: string | undefined;
  /** Without it the catalogue picks one. */
  readonly defaultModel: string | undefined;
  readonly fallbackModels: readonly string[];
  readonly demoTokensPerSecond: number;
  readonly stall: { readonly firstTokenMs: number; readonly silenceMs: number };
  readonly runDeadlineMs: number;
  /** Uploads that no message used for so long are removed; undefined: never. */
  readonly unusedFileMs: number | undefined;
  readonly bounds: { readonly maxSteps: number; readonly maxTokens: number; readonly approvalMs: number };
  readonly maxActiveRuns: number;
  readonly maxQueuedRuns: number;
  readonly limits: {
    readonly connections: number;
    readonly handshakesPerSecond: number;
    readonly inFlight: number;
    readonly subscriptions: number;
    readonly requestsPerSecond: number;
    readonly requestBurst: number;
  };
  /** Connections of one person, and of one address, over all nodes; undefined: as many as there may be. */
  readonly quotas: { readonly perUser: number | undefined; readonly perAddress: number | undefined };
  /** Things an operator should know that do not stop the start. */
  readonly warnings: readonly string[];
  /** Values that must never be logged. */
  readonly secrets: readonly string[];
}

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LEVELS)[number];

const whole = (min: number, max: number, fallback: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, { error: `a whole number from ${min} to ${max}` })
    .transform(Number)
    .refine((n) => n >= min && n <= max, { error: `a whole number from ${min} to ${max}` })
    .default(fallback);

const flag = z.enum(["0", "1", "true", "false"], { error: "1 or 0" }).transform((v) => v === "1" || v === "true");

const origin = (value: string): boolean => {
  try {
    return new URL(value).origin === value;
  } catch {
    return false;
  }
};

const list = z.string().transform((value) =>
  value
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== ""),
);

const origins = list.refine((items) => items.every(origin), {
  error: "origins like https://app.example, separated by commas",
});

/** Copied keys come with line ends; anything else around or in them is a mistake. */
const key = z
  .string()
  .trim()
  .regex(/^[!-~]{1,1000}$/, { error: "the key alone, without spaces" });

const address = (value: string): boolean => {
  try {
    const { protocol, username, password } = new URL(value);
    return /^https?:$/.test(protocol) && username === "" && password === "";
  } catch {
    return false;
  }
};

const baseUrl = z
  .string()
  .trim()
  .refine(address, { error: "an address like https://host/v1, without a user or a password in it" });

const region = z.string().regex(/^[a-z0-9-]{1,40}$/, { error: "a region, like eu-central-1" });

const postgresUrl = z.string().regex(/^postgres(ql)?:\/\//, { error: "postgres://user:password@host:port/database" });

const modelId = z.string().regex(/^\S{1,200}$/, { error: "a model's id, like provider/name" });
const modelIds = list.refine((ids) => ids.length <= 10 && ids.every((id) => modelId.safeParse(id).success), {
  error: "at most 10 ids of models, separated by commas",
});

const environment = z.object({
  PARLEY_MODE: z.enum(["web", "desktop"], { error: "web or desktop" }).default("web"),
  PARLEY_WS_HOST: z.string().min(1).default("127.0.0.1"),
  PARLEY_WS_PORT: whole(0, 65_535, 8765),
  PARLEY_LOG_LEVEL: z.enum(LEVELS, { error: LEVELS.join(", ") }).default("info"),
  PARLEY_DATA_DIR: z.string().min(1).default("./data"),
  PARLEY_NODE_ID: z
    .string()
    .regex(/^[A-Za-z0-9._-]{1,64}$/, { error: "1 to 64 letters, digits, dots, dashes" })
    .optional(),
  PARLEY_ACCESS_TOKEN: z.string().min(32, { error: "at least 32 characters" }).max(512).optional(),
  PARLEY_ALLOWED_ORIGINS: origins.default([]),
  PARLEY_TRUST_PROXY: flag.default(false),
  PARLEY_SESSION_HOURS: whole(1, 8760, 24),
  PARLEY_DRAIN_MS: whole(0, 600_000, 10_000),
  PARLEY_DRAIN_DELAY_MS: whole(0, 120_000, 0),
  ANTHROPIC_API_KEY: key.optional(),
  ANTHROPIC_BASE_URL: baseUrl.optional(),
  OPENAI_API_KEY: key.optional(),
  OPENAI_BASE_URL: baseUrl.optional(),
  GEMINI_API_KEY: key.optional(),
  GOOGLE_GEMINI_BASE_URL: baseUrl.optional(),
  COMPATIBLE_BASE_URL: baseUrl.optional(),
  COMPATIBLE_API_KEY: key.optional(),
  PARLEY_FIND_OLLAMA: flag.default(true),
  PARLEY_DEFAULT_MODEL: modelId.optional(),
  PARLEY_FALLBACK_MODELS: modelIds.default([]),
  PARLEY_PRICES: z.string().min(1).optional(),
  PARLEY_FIRST_TOKEN_MS: whole(1000, 3_600_000, 120_000),
  PARLEY_SILENCE_MS: whole(1000, 3_600_000, 60_000),
  PARLEY_DEMO_TOKENS_PER_SECOND: whole(1, 10_000, 50),
  PARLEY_RUN_DEADLINE_MS: whole(1000, 86_400_000, 3_600_000),
  PARLEY_MAX_STEPS: whole(1, 10_000, 50),
  PARLEY_RUN_TOKENS: whole(1000, 1_000_000_000, 2_000_000),
  PARLEY_APPROVAL_TIMEOUT_MS: whole(1000, 2_592_000_000, 86_400_000),
  PARLEY_UNUSED_FILE_DAYS: whole(0, 3650, 30).refine((days) => days === 0 || days >= 7, {
    error: "7 or more days, or 0 to keep them",
  }),
  PARLEY_MAX_ACTIVE_RUNS: whole(1, 100_000, 2000),
  PARLEY_MAX_QUEUED_RUNS: whole(1, 1000, 20),
  PARLEY_MAX_CONNECTIONS: whole(1, 1_000_000, 50_000),
  PARLEY_HANDSHAKES_PER_SECOND: whole(1, 1_000_000, 500),
  PARLEY_MAX_CONNECTIONS_PER_USER: whole(0, 1_000_000, 0),
  PARLEY_MAX_CONNECTIONS_PER_ADDRESS: whole(0, 1_000_000, 0),
  PARLEY_MAX_IN_FLIGHT: whole(1, 10_000, 64),
  PARLEY_MAX_SUBSCRIPTIONS: whole(1, 10_000, 50),
  PARLEY_REQUESTS_PER_SECOND: whole(1, 1_000_000, 600),
  PARLEY_REQUEST_BURST: whole(1, 1_000_000, 1200),
  DATABASE_URL: postgresUrl.optional(),
  DATABASE_REPLICA_URL: postgresUrl.optional(),
  PARLEY_DATABASE_CONNECTIONS: whole(2, 1000, 10),
  PARLEY_KEY_PREFIX: z
    .string()
    .regex(/^[\w.:-]{1,64}$/, { error: "1 to 64 letters, digits, dots, dashes, colons" })
    .default("parley:"),
  PARLEY_S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, { error: "the name of a bucket" })
    .optional(),
  PARLEY_S3_ENDPOINT: baseUrl.optional(),
  PARLEY_S3_REGION: region.optional(),
  PARLEY_S3_PREFIX: z
    .string()
    .regex(/^[\w.-]{1,64}(?:\/[\w.-]{1,64}){0,4}\/?$/, {
      error: "like parley/files: letters, digits, dots, dashes, slashes",
    })
    .default("parley/files"),
  // Other programs may have use for these.
  AWS_ACCESS_KEY_ID: z.string().trim().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().trim().optional(),
  AWS_SESSION_TOKEN: z.string().trim().optional(),
  AWS_REGION: z.string().trim().optional(),
  REDIS_URL: z
    .string()
    .regex(/^rediss?(-sentinel|-cluster)?:\/\//, { error: "redis://user:password@host:port, rediss:// with TLS" })
    .optional(),
});

const refusal = (problems: readonly string[]): StartError =>
  new StartError(
    `Parley can't start with this environment:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`,
  );

/** Throws `StartError` with everything that is wrong and what is expected. */
export function readConfig(env: Readonly<Record<string, string | undefined>> = process.env): Config {
  // An empty variable is an unset one: compose files and CI pass them like that.
  const set = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
  const parsed = environment.safeParse(set);
  const problems = parsed.success
    ? []
    : parsed.error.issues.map(
        (issue) => `${issue.path.join(".")}: expected ${issue.message.replace(/^Invalid input: expected /, "")}`,
      );
  problems.push(...notYet(set), ...storeProblems(set), ...s3Problems(set));
  if (!parsed.success || problems.length > 0) throw refusal(problems);

  const e = parsed.data;
  return Object.freeze<Config>({
    mode: "web",
    host: e.PARLEY_WS_HOST,
    port: e.PARLEY_WS_PORT,
    logLevel: e.PARLEY_LOG_LEVEL,
    nodeId: e.PARLEY_NODE_ID ?? `node-${process.pid}`,
    store: storeConfig(e),
    filesDir: join(e.PARLEY_DATA_DIR, "files"),
    s3: s3Config(e),
    accessToken: e.PARLEY_ACCESS_TOKEN,
    allowedOrigins: e.PARLEY_ALLOWED_ORIGINS,
    trustProxy: e.PARLEY_TRUST_PROXY,
    sessionLifetimeMs: e.PARLEY_SESSION_HOURS * 3_600_000,
    drainMs: e.PARLEY_DRAIN_MS,
    drainDelayMs: e.PARLEY_DRAIN_DELAY_MS,
    providers: {
      anthropic: provider(e.ANTHROPIC_API_KEY, e.ANTHROPIC_BASE_URL),
      openai: provider(e.OPENAI_API_KEY, e.OPENAI_BASE_URL),
      gemini: provider(e.GEMINI_API_KEY, e.GOOGLE_GEMINI_BASE_URL),
      compatible: compatible(e.COMPATIBLE_BASE_URL, e.COMPATIBLE_API_KEY),
      findOllama: e.PARLEY_FIND_OLLAMA,
    },
    pricesFile: e.PARLEY_PRICES,
    defaultModel: e.PARLEY_DEFAULT_MODEL,
    fallbackModels: e.PARLEY_FALLBACK_MODELS,
    demoTokensPerSecond: e.PARLEY_DEMO_TOKENS_PER_SECOND,
    stall: { firstTokenMs: e.PARLEY_FIRST_TOKEN_MS, silenceMs: e.PARLEY_SILENCE_MS },
    runDeadlineMs: e.PARLEY_RUN_DEADLINE_MS,
    bounds: {
      maxSteps: e.PARLEY_MAX_STEPS,
      maxTokens: e.PARLEY_RUN_TOKENS,
      approvalMs: e.PARLEY_APPROVAL_TIMEOUT_MS,
    },
    unusedFileMs: e.PARLEY_UNUSED_FILE_DAYS * 86_400_000 || undefined,
    maxActiveRuns: e.PARLEY_MAX_ACTIVE_RUNS,
    maxQueuedRuns: e.PARLEY_MAX_QUEUED_RUNS,
    limits: {
      connections: e.PARLEY_MAX_CONNECTIONS,
      handshakesPerSecond: e.PARLEY_HANDSHAKES_PER_SECOND,
      inFlight: e.PARLEY_MAX_IN_FLIGHT,
      subscriptions: e.PARLEY_MAX_SUBSCRIPTIONS,
      requestsPerSecond: e.PARLEY_REQUESTS_PER_SECOND,
      requestBurst: e.PARLEY_REQUEST_BURST,
    },
    quotas: {
      perUser: e.PARLEY_MAX_CONNECTIONS_PER_USER || undefined,
      perAddress: e.PARLEY_MAX_CONNECTIONS_PER_ADDRESS || undefined,
    },
    warnings: [...unknownVariables(set), ...idleVariables(e)],
    secrets: SECRETS.map((name) => e[name]).filter((value) => value !== undefined),
  });
}

const SECRETS = [
  "PARLEY_ACCESS_TOKEN",
  "ANTHROPIC_API_KEY",
  "OPENAI_API_KEY",
  "GEMINI_API_KEY",
  "COMPATIBLE_API_KEY",
  "AWS_SECRET_ACCESS_KEY",
  "AWS_SESSION_TOKEN",
] as const;

const provider = (apiKey: string | undefined, url: string | undefined): ProviderKey | undefined =>
  apiKey === undefined ? undefined : { apiKey, ...(url !== undefined && { baseUrl: url }) };

const compatible = (url: string | undefined, apiKey: string | undefined): ProviderConfig["compatible"] =>
  url === undefined ? undefined : { baseUrl: url, ...(apiKey !== undefined && { apiKey }) };

function storeConfig(e: z.infer<typeof environment>): StoreConfig {
  if (e.DATABASE_URL === undefined) return { kind: "embedded", dataDir: e.PARLEY_DATA_DIR };
  const postgres: PostgresConfig = {
    url: e.DATABASE_URL,
    replicaUrl: e.DATABASE_REPLICA_URL,
    maxConnections: e.PARLEY_DATABASE_CONNECTIONS,
  };
  return e.REDIS_URL === undefined
    ? { kind: "postgres", ...postgres }
    : { kind: "cluster", redisUrl: e.REDIS_URL, keyPrefix: e.PARLEY_KEY_PREFIX, ...postgres };
}

function s3Config(e: z.infer<typeof environment>): S3Config | undefined {
  if (e.PARLEY_S3_BUCKET === undefined) return undefined;
  const [id, secret, token] = [e.AWS_ACCESS_KEY_ID, e.AWS_SECRET_ACCESS_KEY, e.AWS_SESSION_TOKEN];
  return {
    bucket: e.PARLEY_S3_BUCKET,
    prefix: `${e.PARLEY_S3_PREFIX.replace(/\/$/, "")}/`,
    // Servers that are not Amazon's take any.
    region: e.PARLEY_S3_REGION ?? e.AWS_REGION ?? "us-east-1",
    ...(e.PARLEY_S3_ENDPOINT !== undefined && { endpoint: e.PARLEY_S3_ENDPOINT }),
    ...(id !== undefined &&
      secret !== undefined && {
        credentials: { accessKeyId: id, secretAccessKey: secret, ...(token !== undefined && { sessionToken: token }) },
      }),
  };
}

function s3Problems(env: Readonly<Record<string, string | undefined>>): string[] {
  if (env["PARLEY_S3_BUCKET"] === undefined) return [];
  const problems: string[] = [];
  const isSet = (name: string) => env[name] !== undefined;
  if (!["PARLEY_S3_ENDPOINT", "PARLEY_S3_REGION", "AWS_REGION"].some(isSet)) {
    problems.push("PARLEY_S3_REGION: expected the bucket's region, like eu-central-1");
  }
  const [has, lacks] = isSet("AWS_ACCESS_KEY_ID")
    ? ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
    : ["AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID"];
  if (isSet(has) && !isSet(lacks)) problems.push(`${lacks}: expected beside ${has}`);
  return problems;
}

/** What is set and does nothing. The SDKs' own addresses may be set for other programs. */
function idleVariables(e: z.infer<typeof environment>): string[] {
  const idle: string[] = [];
  if (e.COMPATIBLE_API_KEY !== undefined && e.COMPATIBLE_BASE_URL === undefined) {
    idle.push("COMPATIBLE_API_KEY does nothing without COMPATIBLE_BASE_URL");
  }
  if (e.PARLEY_S3_ENDPOINT !== undefined && e.PARLEY_S3_BUCKET === undefined) {
    idle.push("PARLEY_S3_ENDPOINT does nothing without PARLEY_S3_BUCKET: files are in the data folder");
  }
  if (e.REDIS_URL !== undefined && e.PARLEY_S3_BUCKET === undefined) {
    idle.push("PARLEY_S3_BUCKET is not set: files are in PARLEY_DATA_DIR, which all nodes must then share");
  }
  return idle;
}

/** Modes of the design that this build refuses, and what to do instead. */
function notYet(env: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  if (env["PARLEY_MODE"] === "desktop") {
    problems.push("PARLEY_MODE: desktop mode is not in this version yet; leave it unset for web mode");
  }
  return problems;
}

function storeProblems(env: Readonly<Record<string, string | undefined>>): string[] {
  if (env["DATABASE_URL"] !== undefined) return [];
  const problems: string[] = [];
  if (env["REDIS_URL"] !== undefined) {
    problems.push("REDIS_URL: needs DATABASE_URL beside it (several nodes share both); unset it to run on one machine");
  }
  if (env["DATABASE_REPLICA_URL"] !== undefined) {
    problems.push("DATABASE_REPLICA_URL: needs DATABASE_URL beside it, of the server that it is a standby of");
  }
  return problems;
}

/** A misspelt variable would be ignored in silence; those that Kubernetes makes for a service are not ours. */
function unknownVariables(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(env)
    .filter((name) => name.startsWith("PARLEY_") && !Object.hasOwn(environment.shape, name))
    .filter((name) => !/_SERVICE_|_PORT(_|$)/.test(name))
    .map((name) => `${name} is not a variable of Parley; is it misspelt?`);
}
