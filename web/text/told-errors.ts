import type { ErrorCode } from "../../src/protocol/errors.ts";

/** Codes whose message a person may see. The server's own words are English and may say more; other languages go by the code. */
export type ToldCode = Extract<
  ErrorCode,
  | "INTERNAL"
  | "FORBIDDEN"
  | "NOT_FOUND"
  | "QUEUE_FULL"
  | "RATE_LIMITED"
  | "TOO_MANY_IN_FLIGHT"
  | "FRAME_TOO_LARGE"
  | "TIMEOUT"
  | "UNAVAILABLE"
  | "DRAINING"
  | "MODEL_UNAVAILABLE"
  | "MODEL_FAILED"
  | "MODEL_BUSY"
  | "MODEL_REFUSED_KEY"
  | "CONTEXT_TOO_LONG"
  | "CONTENT_REFUSED"
  | "RUN_LIMIT"
  | "TOO_MANY_CONNECTIONS"
  | "ALREADY_DECIDED"
  | "FILE_TOO_LARGE"
  | "FILE_REFUSED"
  | "TOO_MANY"
>;

/** What is said in `words`, else the server's own message. */
export const toldBy =
  (words: Readonly<Record<ToldCode, string>>) =>
  (code: string, message: string): string =>
    (Object.hasOwn(words, code) ? words[code as ToldCode] : undefined) ?? message;
