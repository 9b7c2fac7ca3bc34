/**
 * Environment → frozen Config. Nothing else reads the environment. Every problem is reported in one message, so that
 * an operator mends them in one go; values of secrets never appear in it.
 */
import { z } from "zod";
import { StartError } from "./ports/start-error.ts";

export type StoreConfig =
  | { readonly kind: "embedded"; readonly dataDir: string }
  | { readonly kind: "postgres"; readonly url: string };

export interface Config {
  readonly mode: "web";
  readonly host: string;
  readonly port: number;
  readonly logLevel: LogLevel;
  readonly nodeId: string;
  readonly store: StoreConfig;
  readonly accessToken: string | undefined;
  /** Origins besides the server's own that may open a socket: `https://app.example`. */
  readonly allowedOrigins: readonly string[];
  /** Believe X-Forwarded-For and X-Forwarded-Proto: only behind a proxy that sets them. */
  readonly trustProxy: boolean;
  readonly sessionLifetimeMs: number;
  readonly drainMs: number;
  readonly drainDelayMs: number;
  readonly defaultModel: string;
  readonly demoTokensPerSecond: number;
  readonly runDeadlineMs: number;
  readonly maxActiveRuns: number;
  readonly maxQueuedRuns: number;
  readonly limits: {
    readonly connections: number;
    readonly inFlight: number;
    readonly subscriptions: number;
    readonly requestsPerSecond: number;
    readonly requestBurst: number;
  };
  /** Things an operator should know that do not stop the start. */
  readonly warnings: readonly string[];
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

const origins = z
  .string()
  .transform((value) =>
    value
      .split(",")
      .map((item) => item.trim())
      .filter((item) => item !== ""),
  )
  .refine((list) => list.every(origin), { error: "origins like https://app.example, separated by commas" });

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
  PARLEY_DEFAULT_MODEL: z.string().min(1).max(200).default("demo"),
  PARLEY_DEMO_TOKENS_PER_SECOND: whole(1, 10_000, 50),
  PARLEY_RUN_DEADLINE_MS: whole(1000, 86_400_000, 3_600_000),
  PARLEY_MAX_ACTIVE_RUNS: whole(1, 100_000, 2000),
  PARLEY_MAX_QUEUED_RUNS: whole(1, 1000, 20),
  PARLEY_MAX_CONNECTIONS: whole(1, 1_000_000, 50_000),
  PARLEY_MAX_IN_FLIGHT: whole(1, 10_000, 64),
  PARLEY_MAX_SUBSCRIPTIONS: whole(1, 10_000, 100),
  PARLEY_REQUESTS_PER_SECOND: whole(1, 1_000_000, 600),
  PARLEY_REQUEST_BURST: whole(1, 1_000_000, 1200),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, { error: "postgres://user:password@host:port/database" })
    .optional(),
  REDIS_URL: z.string().optional(),
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
  problems.push(...notYet(set));
  if (!parsed.success || problems.length > 0) throw refusal(problems);

  const e = parsed.data;
  return Object.freeze<Config>({
    mode: "web",
    host: e.PARLEY_WS_HOST,
    port: e.PARLEY_WS_PORT,
    logLevel: e.PARLEY_LOG_LEVEL,
    nodeId: e.PARLEY_NODE_ID ?? `node-${process.pid}`,
    store:
      e.DATABASE_URL === undefined
        ? { kind: "embedded", dataDir: e.PARLEY_DATA_DIR }
        : { kind: "postgres", url: e.DATABASE_URL },
    accessToken: e.PARLEY_ACCESS_TOKEN,
    allowedOrigins: e.PARLEY_ALLOWED_ORIGINS,
    trustProxy: e.PARLEY_TRUST_PROXY,
    sessionLifetimeMs: e.PARLEY_SESSION_HOURS * 3_600_000,
    drainMs: e.PARLEY_DRAIN_MS,
    drainDelayMs: e.PARLEY_DRAIN_DELAY_MS,
    defaultModel: e.PARLEY_DEFAULT_MODEL,
    demoTokensPerSecond: e.PARLEY_DEMO_TOKENS_PER_SECOND,
    runDeadlineMs: e.PARLEY_RUN_DEADLINE_MS,
    maxActiveRuns: e.PARLEY_MAX_ACTIVE_RUNS,
    maxQueuedRuns: e.PARLEY_MAX_QUEUED_RUNS,
    limits: {
      connections: e.PARLEY_MAX_CONNECTIONS,
      inFlight: e.PARLEY_MAX_IN_FLIGHT,
      subscriptions: e.PARLEY_MAX_SUBSCRIPTIONS,
      requestsPerSecond: e.PARLEY_REQUESTS_PER_SECOND,
      requestBurst: e.PARLEY_REQUEST_BURST,
    },
    warnings: unknownVariables(set),
  });
}

/** Modes of the design that this build refuses, and what to do instead. */
function notYet(env: Readonly<Record<string, string | undefined>>): string[] {
  const problems: string[] = [];
  if (env["PARLEY_MODE"] === "desktop") {
    problems.push("PARLEY_MODE: desktop mode is not in this version yet; leave it unset for web mode");
  }
  if (env["REDIS_URL"] !== undefined) {
    problems.push(
      env["DATABASE_URL"] === undefined
        ? "REDIS_URL: needs DATABASE_URL beside it (several nodes share both); unset it to run on one machine"
        : "REDIS_URL: cluster mode is not in this version yet; unset it to run one node on PostgreSQL",
    );
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
