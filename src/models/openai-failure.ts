/**
 * What went wrong with a request in OpenAI's manner, of whatever server: as an error of the SDK, or as JSON inside of a
 * stream. Servers agree on the status; on codes and words they do not, so these are looked through for what they mean.
 */
import type { ModelErrorKind } from "../ports/model.ts";
import type { ProviderFailure } from "./provider-error.ts";
import { retryAfterMs } from "./retry-after.ts";
import { count, list, object, parsed, text } from "./wire-json.ts";

/** What a server says of a failure, as far as it does. */
interface Told {
  readonly status: number | undefined;
  readonly code: string;
  readonly type: string;
  readonly message: string;
  readonly param: string;
}

/** Raw words beside the failure, for whoever wants to know which field of the request was refused. */
export interface OpenAiFailure extends ProviderFailure {
  readonly words: string;
}

/** A rejection of the SDK, or of the fetch below it. */
export function failureOfError(error: unknown): OpenAiFailure {
  const status = count(object(error)?.["status"]);
  if (!(error instanceof Error) || status === undefined) {
    return { kind: "transport", words: "", cause: error };
  }
  const headers = "headers" in error && error.headers instanceof Headers ? error.headers : undefined;
  const body = "error" in error ? error.error : undefined;
  const told = toldBy(body ?? withoutStatus(error.message, status));
  return {
    kind: kindOf({ ...told, status }),
    status,
    retryAfterMs: retryAfterMs(headers),
    words: wordsOf(told),
  };
}

/** The SDK puts the status in front, and a remark where there was no body. */
function withoutStatus(message: string, status: number): string {
  if (status < 400) return "the server refers to another address";
  return message.replace(new RegExp(`^${status}\\s*`), "").replace("status code (no body)", "");
}

/** The error inside of a stream: of an event, or of a chunk. */
export function failureOfEvent(payload: unknown): OpenAiFailure {
  const told = toldBy(payload);
  return { kind: kindOf(told), ...(told.status !== undefined && { status: told.status }), words: wordsOf(told) };
}

const wordsOf = ({ message, param }: Told): string =>
  param === "" || message.includes(param) ? message : `${message} (${param})`;

/**
 * OpenAI: {error: {message, type, code, param}}. Others: that, or its inside alone; a sentence for `error`; FastAPI's
 * {detail}, a sentence or a list; OpenRouter's status as `code`, and what its own provider said as `metadata.raw`.
 */
function toldBy(payload: unknown): Told {
  const outer = object(payload);
  const inner = object(outer?.["error"]) ?? outer;
  if (inner === undefined) return { status: undefined, code: "", type: "", message: text(payload) ?? "", param: "" };
  const code = inner["code"];
  const number = count(code) ?? count(inner["status_code"]) ?? count(inner["status"]);
  const sentences = [inner["message"], outer?.["error"], inner["detail"]];
  const said = sentences.map(sentence).find((found) => found !== undefined) ?? "";
  const behind = sentence(object(inner["metadata"])?.["raw"]);
  return {
    status: number !== undefined && number >= 400 && number <= 599 ? number : undefined,
    code: text(code) ?? "",
    type: text(inner["type"]) ?? "",
    message: behind === undefined ? said : `${said}: ${toldBy(parsed(behind) ?? behind).message}`,
    param: text(inner["param"]) ?? "",
  };
}

/** Validators put lists of {loc, msg} where others put a sentence. */
function sentence(value: unknown): string | undefined {
  const said = text(value);
  if (said !== undefined) return said.trimStart().startsWith("<") ? undefined : said;
  const details = list(object(value)?.["detail"] ?? value);
  const parts = details.map((item) => {
    const place = list(object(item)?.["loc"]).join(".");
    return `${place} ${text(object(item)?.["msg"]) ?? ""}`.trim();
  });
  return parts.length === 0 ? undefined : parts.join("; ");
}

const CONTEXT =
  /context.?(length|window|size|limit)|maximum (context|prompt)|max(imum)? (input )?tokens|too many (input )?tokens|(prompt|input|message)s? (is |are )?too (long|large)|prompt (length|contains)|reduce (the length|your message)|string_above_max_length|context overflows/i;
const CONTENT =
  /content.?(filter|policy|management)|content exists risk|usage polic|policy.?violation|moderation|safety|flagged|invalid_prompt|bio_policy|cyber_policy/i;
const CREDIT =
  /insufficient.?(quota|balance|credit|funds)|exceeded your current quota|billing|(no|any|out of|enough) credits?|credit balance|payment required|spending limit/i;
const LIMITED = /rate.?limit|too many requests|tokens per (minute|day)|throttl|slow_down/i;
const OVERLOADED =
  /overload|server.?error|internal.?error|service.?unavailable|unavailable|capacity|try again later|bad gateway|timed?.?out|insufficient_system_resource/i;
/** xAI tells of a wrong key with status 400. */
const KEY_WORDS = /(?:incorrect|invalid|missing) api.?key/i;
const KEY = /invalid.?api.?key|authentication|unauthori[sz]ed|permission/i;

function kindOf({ status, code, type, message }: Told): ModelErrorKind {
  const names = `${code} ${type}`;
  const all = `${names} ${message}`;
  switch (status) {
    case 401:
      return "auth";
    case 402:
      return "billing";
    case 403:
      return CREDIT.test(all) ? "billing" : CONTENT.test(all) ? "content" : "auth";
    case 408:
    case 409:
    case 425:
      return "transport";
    case 429:
      return CREDIT.test(all) ? "billing" : "throttle";
    case undefined:
      break;
    default:
      if (status >= 500) return "overload";
      // A redirect, or a status that no HTTP server should send here.
      if (status < 400) return "request";
      if (KEY_WORDS.test(message)) return "auth";
      if (CONTEXT.test(all)) return "context";
      return CONTENT.test(all) ? "content" : "request";
  }
  // Inside of a stream there is no status.
  if (CREDIT.test(all)) return "billing";
  if (LIMITED.test(all)) return "throttle";
  if (OVERLOADED.test(names)) return "overload";
  if (CONTEXT.test(all)) return "context";
  if (CONTENT.test(all)) return "content";
  if (KEY.test(names)) return "auth";
  if (OVERLOADED.test(message)) return "overload";
  return /invalid_|not_found|bad_request/.test(names) ? "request" : "transport";
}
