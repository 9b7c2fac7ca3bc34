/**
 * What each provider's golden transcripts must show: a file of that name below test/transcripts/<provider>/, or a
 * sentence that says why this provider cannot have it.
 */
export const CASES = [
  "text",
  "reasoning",
  "one-tool",
  "parallel-tools",
  "empty-arguments",
  "tool-after-text",
  "image-in",
  "file-in",
  "max-tokens",
  "refusal",
  "mid-stream-error",
  "cut",
  "stall-abort",
  "slow-drip",
  "malformed-event",
  "missing-final-event",
  "status-401",
  "status-402",
  "status-403",
  "status-413",
  "status-429-retry-after-seconds",
  "status-429-retry-after-date",
  "status-500",
  "status-503",
  "status-529",
  "context-overflow",
  "usage-cache-reasoning",
] as const;
export type CaseName = (typeof CASES)[number];
