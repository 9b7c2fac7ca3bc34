/**
 * What went wrong at Google. An error is `{error: {code, message, status, details}}`: `code` is the HTTP status, also
 * where it comes in the stream behind status 200. Its details may name the reason (ErrorInfo) and when to come back
 * (RetryInfo). A wrong key is a 400, credit that is used up a 402, or a 429 that only its message tells.
 */
import type { ModelError, ModelErrorKind } from "../ports/model.ts";
import { providerError } from "./provider-error.ts";
import { retryAfterMs } from "./retry-after.ts";
import { count, list, object, parsed, text } from "./wire-json.ts";

interface GeminiFailure {
  /** HTTP status, of the answer or of the error in it. */
  readonly code: number;
  readonly message: string | undefined;
  /** Of `ErrorInfo`: API_KEY_INVALID. */
  readonly reason: string | undefined;
  readonly retryDelayMs: number | undefined;
}

const NO_CREDIT = /prepa(?:y|id)|credits? (?:is|are) depleted|spending cap|enable billing/i;
const TOO_LONG = /exceeds the maximum number of tokens|input token count|context (?:length|window)/i;

/** An answer that is no success: its status, its body as far as it was read, its headers. */
export function geminiHttpError(
  status: number,
  body: string,
  headers: Pick<Headers, "get"> | undefined,
  cause?: unknown,
): ModelError {
  const failure = failureOf(parsed(body), status, body);
  return providerError("Gemini", {
    kind: kindOf({ ...failure, code: status }),
    status,
    retryAfterMs: failure.retryDelayMs ?? retryAfterMs(headers),
    words: failure.message,
    cause,
  });
}

/** `error` of an event of the stream. */
export function geminiStreamError(error: unknown): ModelError {
  const failure = failureOf({ error }, 0, undefined);
  const { message, retryDelayMs } = failure;
  return providerError("Gemini", { kind: kindOf(failure), retryAfterMs: retryDelayMs, words: message });
}

export const geminiTransportError = (cause?: unknown): ModelError =>
  providerError("Gemini", { kind: "transport", cause });

/** `words`: what is said of an error that is not of the known form. */
function failureOf(body: unknown, status: number, words: string | undefined): GeminiFailure {
  const error = object(object(Array.isArray(body) ? body[0] : body)?.["error"]);
  const message = text(error?.["message"]) ?? text(words);
  // The SDK wraps the body that has no JSON's type, which it may be all the same.
  const inner = parsed(message ?? "");
  if (object(Array.isArray(inner) ? inner[0] : inner)?.["error"] !== undefined)
    return failureOf(inner, status, message);
  const details = list(error?.["details"]).map(object);
  const find = (type: string) => details.find((detail) => text(detail?.["@type"])?.endsWith(type));
  return {
    code: count(error?.["code"]) ?? status,
    message,
    reason: text(find("google.rpc.ErrorInfo")?.["reason"]),
    retryDelayMs: durationMs(text(find("google.rpc.RetryInfo")?.["retryDelay"])),
  };
}

/** A protobuf duration in JSON: "47s", "0.5s". */
function durationMs(duration: string | undefined): number | undefined {
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(duration ?? "")?.[1];
  return seconds === undefined ? undefined : Math.round(Number(seconds) * 1000);
}

function kindOf({ code, message = "", reason }: GeminiFailure): ModelErrorKind {
  if (code >= 500) return "overload";
  switch (code) {
    case 0:
    case 408:
    case 499:
      return "transport";
    case 401:
    case 403:
      return "auth";
    case 402:
      return "billing";
    case 429:
      return NO_CREDIT.test(message) ? "billing" : "throttle";
    default:
      break;
  }
  if (reason?.startsWith("API_KEY_") || /API key (?:not valid|expired)/i.test(message)) return "auth";
  if (NO_CREDIT.test(message)) return "billing";
  return TOO_LONG.test(message) ? "context" : "request";
}
