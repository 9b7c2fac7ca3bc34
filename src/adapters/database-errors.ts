import { StartError } from "../ports/start-error.ts";
import { ParleyError } from "../protocol/errors.ts";

// https://www.postgresql.org/docs/current/errcodes-appendix.html
const passing = new Set([
  "40001", // serialization_failure
  "40P01", // deadlock_detected
  "55P03", // lock_not_available
  "57014", // query_canceled: statement_timeout
  "57P01", // admin_shutdown
  "57P02", // crash_shutdown
  "57P03", // cannot_connect_now
  "25006", // read_only_sql_transaction: a standby, or a full disk
  "25P03", // idle_in_transaction_session_timeout
  "25P04", // transaction_timeout
  "26000", // invalid_sql_statement_name: prepared statements that a pooler dropped
]);
/** Classes: connection exception, insufficient resources (too many connections, disk full). */
const passingClasses = new Set(["08", "53"]);
/** Was something to be written where nothing may be? */
export const isReadOnly = (error: unknown): boolean => codeOf(error) === "25006";
const badText = new Set([
  "22021", // character_not_in_repertoire
  "22P05", // untranslatable_character
]);
const network = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "ECONNABORTED",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EAI_AGAIN",
]);
/** pg tells these by their message alone. */
const driver =
  /connection terminated|connection error|not queryable|timeout exceeded|read timeout|connection timeout|was closed|connection ended/i;

export const codeOf = (error: unknown): string | undefined => {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
};

export const unavailable = (cause: unknown): ParleyError => new ParleyError("UNAVAILABLE", { cause });

/** What a failed transaction rejects with: expected failures typed, a bug as it is. */
export function toStoreError(error: unknown): unknown {
  if (error instanceof ParleyError) return error;
  const code = codeOf(error);
  if (code === undefined) {
    return error instanceof Error && driver.test(error.message) ? unavailable(error) : error;
  }
  if (passing.has(code) || network.has(code) || passingClasses.has(code.slice(0, 2))) return unavailable(error);
  if (badText.has(code)) {
    return new ParleyError("INVALID_PARAMS", {
      message: "A text has a character that cannot be stored.",
      cause: error,
    });
  }
  return error;
}

/** Is the connection itself gone or unfit, so that it must not be used again? */
export const breaksConnection = (error: unknown): boolean => {
  const code = codeOf(error);
  if (code === undefined) return true;
  return network.has(code) || code.startsWith("08") || code.startsWith("57P") || code.startsWith("25P");
};

/** Why a start can't use the database; without the URL, which may hold a password. */
export function databaseUnusable(error: unknown): StartError {
  if (error instanceof StartError) return error;
  const cause = error instanceof ParleyError ? (error.cause ?? error) : error;
  return new StartError(
    `The database of DATABASE_URL can't be used: ${cause instanceof Error ? cause.message : String(cause)}. ` +
      "Check that the server runs, and the address, user, password and database of the URL.",
    { cause },
  );
}
