/**
 * What the driver throws, made fit to be logged and answered. The driver's errors carry their command with all its
 * arguments, and that of AUTH is the password: nothing but the name and the message of one leaves here.
 */
import { ParleyError } from "../protocol/errors.ts";

/** Answers of a server that can't serve now and may soon: a switch of roles, loading, full, out of reach. */
const FOR_NOW =
  /^(?:LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|MOVED|ASK|BUSY|OOM|NOREPLICAS|MISCONF|UNKILLABLE|NOAUTH|WRONGPASS|NOPERM)\b/;

/** The driver's own class, recognised by name: two copies of it may be loaded. */
const isReply = (error: Error): boolean => error.name === "ReplyError";

/** Without the command, its arguments and the previous errors. */
export function safeRedisError(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : { name: "Error", message: "unknown" };
  const safe = new Error(message.slice(0, 500));
  safe.name = name;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? Object.assign(safe, { code }) : safe;
}

/**
 * UNAVAILABLE for whatever may pass: nobody knows whether the command was done. Anything else is our own fault (a
 * script that the server does not understand), and stays an error.
 */
export function redisFailure(error: unknown): Error {
  const safe = safeRedisError(error);
  if (isReply(safe) && !FOR_NOW.test(safe.message)) return safe;
  return new ParleyError("UNAVAILABLE", { cause: safe });
}

/** The server has not seen that script, or has forgotten it: it did nothing. */
export const isUnknownScript = (error: unknown): boolean =>
  error instanceof Error && isReply(error) && error.message.startsWith("NOSCRIPT");
