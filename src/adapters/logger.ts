/** pino, writing JSON lines to stderr: stdout belongs to what a person reads, and to the desktop mode's protocol. */
import { type DestinationStream, type LevelWithSilent, pino, type Logger as Pino } from "pino";
import type { Logger } from "../ports/logger.ts";
import { Redactor } from "./redact.ts";

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  /** Values that are never written, wherever they stand. */
  readonly secrets?: readonly string[];
  /** Instead of stderr, for tests. */
  readonly destination?: DestinationStream;
}

export interface RootLogger extends Logger {
  /** Writes out what is still in memory. pino does so at a normal exit; call it before `process.exit` in an emergency. */
  flush(): void;
}

export function createLogger({ level, secrets, destination }: LoggerOptions): RootLogger {
  const stderr = destination === undefined ? pino.destination({ dest: 2, sync: false }) : undefined;
  const root = pino(
    {
      level,
      // The process and its host are known to whoever collects stderr.
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      // `Redactor` has made errors plain already; pino's own serializer would drop their causes' fields.
      serializers: { err: (error: unknown) => error },
      formatters: { level: (label) => ({ level: label }) },
    },
    stderr ?? destination ?? process.stderr,
  );
  return Object.assign(wrap(root, new Redactor(secrets)), {
    flush() {
      try {
        stderr?.flushSync();
      } catch {
        // stderr is closed, or was never ready: there is nowhere to say so.
      }
    },
  });
}

type Level = "debug" | "info" | "warn" | "error";

function wrap(logger: Pino, redactor: Redactor): Logger {
  // A line below the level costs one comparison: nothing is copied for it.
  const at = (level: Level) => (fields: object, message: string) => {
    if (logger.isLevelEnabled(level)) logger[level](redactor.fields(fields), redactor.text(message));
  };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    child: (fields) => wrap(logger.child(redactor.fields(fields)), redactor),
  };
}
