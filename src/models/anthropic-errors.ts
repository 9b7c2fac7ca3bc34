/**
 * What went wrong at Anthropic. The interface tells by HTTP status and, in the body or in an `error` event of the stream
 * (which has no status), by `error.type` and sometimes `error.details.error_code`. What only the message tells is known
 * by its words: those of a prompt that is too long, of credit, and of the content filter have no type of their own.
 */
import type { ModelError, ModelErrorKind } from "../ports/model.ts";
import { providerError } from "./provider-error.ts";
import { retryAfterMs } from "./retry-after.ts";

/** The SDK's APIError, as far as it is read. */
export interface AnthropicApiError {
  readonly status: number | undefined;
  readonly headers: Headers | undefined;
  readonly type: string | null;
  readonly errorCode: string | null;
  readonly apiMessage: string | null;
}

/** `error.type`, where it says more than the status or there is none. */
const KINDS: Readonly<Record<string, ModelErrorKind>> = {
  authentication_error: "auth",
  permission_error: "auth",
  billing_error: "billing",
  rate_limit_error: "throttle",
  overloaded_error: "overload",
  api_error: "overload",
  timeout_error: "overload",
  invalid_request_error: "request",
  not_found_error: "request",
  request_too_large: "request",
};

const SPENT = /spend_limit|billing_unavailable/;
const NO_CREDIT = /credit balance is too low|usage limits?\b.*regain|specified API usage limits/i;
const TOO_LONG = /prompt is too long|exceed(?:s|ed)? (?:the )?(?:context|model's maximum context)|context window/i;
const FILTERED = /content filtering policy/i;

export function anthropicError(error: AnthropicApiError): ModelError {
  const { status, headers, apiMessage } = error;
  return providerError("Anthropic", {
    kind: kindOf(error),
    status,
    retryAfterMs: retryAfterMs(headers),
    words: apiMessage ?? undefined,
    cause: error,
  });
}

/** No connection, a stream that broke or that is not what it should be. */
export const anthropicTransportError = (cause?: unknown): ModelError =>
  providerError("Anthropic", { kind: "transport", cause });

function kindOf({ status, type, errorCode, apiMessage }: AnthropicApiError): ModelErrorKind {
  const words = apiMessage ?? "";
  if (type === "billing_error" || SPENT.test(errorCode ?? "")) return "billing";
  const byStatus = status === undefined ? undefined : kindOfStatus(status);
  const kind = byStatus ?? KINDS[type ?? ""] ?? "transport";
  if (kind !== "request") return kind;
  if (NO_CREDIT.test(words)) return "billing";
  if (TOO_LONG.test(words)) return "context";
  return FILTERED.test(words) ? "content" : "request";
}

function kindOfStatus(status: number): ModelErrorKind {
  if (status >= 500) return "overload";
  switch (status) {
    case 401:
    case 403:
      return "auth";
    case 402:
      return "billing";
    case 408:
      return "transport";
    case 429:
      return "throttle";
    default:
      return "request";
  }
}
