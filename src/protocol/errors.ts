/**
 * The one table of errors [W7]. A client decides by `data.code` (stable text), `data.retryable`, and
 * `data.retryAfterMs`; the JSON-RPC number, the HTTP status and the close code say the same to other layers.
 */
export interface ErrorRow {
  /** JSON-RPC 2.0 §5.1 number; the server's own are in −32000 … −32099. */
  readonly rpc: number;
  /** The same failure over HTTP (RFC 9110). */
  readonly http: number;
  /** May the very same request succeed later, unchanged? */
  readonly retryable: boolean;
  /** Close code that follows where the failure ends the connection [W8]. */
  readonly close?: number;
  /** What happened and what to do about it; the default message. */
  readonly message: string;
}

export const ERRORS = {
  PARSE_ERROR: { rpc: -32700, http: 400, retryable: false, message: "The frame is not valid JSON." },
  INVALID_REQUEST: {
    rpc: -32600,
    http: 400,
    retryable: false,
    message: "Send one JSON-RPC 2.0 request object a frame: jsonrpc, id, method, params. Batches are refused.",
  },
  METHOD_NOT_FOUND: { rpc: -32601, http: 404, retryable: false, message: "There is no such method." },
  INVALID_PARAMS: { rpc: -32602, http: 422, retryable: false, message: "The params do not fit the method." },
  INTERNAL: {
    rpc: -32603,
    http: 500,
    retryable: false,
    message: "The server failed. The log line with this request's id says more.",
  },
  UNAUTHENTICATED: { rpc: -32001, http: 401, retryable: false, message: "Log in or resume a session first." },
  AUTH_FAILED: {
    rpc: -32002,
    http: 401,
    retryable: false,
    close: 4500,
    message: "The credentials were refused. A login link works once and for ten minutes.",
  },
  SESSION_ENDED: {
    rpc: -32003,
    http: 401,
    retryable: false,
    close: 4500,
    message: "The session has expired or was revoked. Log in again.",
  },
  ALREADY_AUTHENTICATED: {
    rpc: -32004,
    http: 409,
    retryable: false,
    message: "This connection is logged in already. Open another connection for another login.",
  },
  FORBIDDEN: { rpc: -32005, http: 403, retryable: false, message: "This login may not do that." },
  NOT_FOUND: {
    rpc: -32006,
    http: 404,
    retryable: false,
    message: "It does not exist, or it is not visible to this login.",
  },
  IDEMPOTENCY_MISMATCH: {
    rpc: -32007,
    http: 409,
    retryable: false,
    message: "This idempotencyKey was used with other params. Use a new key for a new request.",
  },
  BUSY: {
    rpc: -32008,
    http: 409,
    retryable: true,
    message: 'The conversation has an active run, and whenBusy is "reject".',
  },
  QUEUE_FULL: {
    rpc: -32009,
    http: 429,
    retryable: true,
    message: "Too many messages wait in this conversation. Send again when one has been answered.",
  },
  RATE_LIMITED: {
    rpc: -32010,
    http: 429,
    retryable: true,
    message: "Too many requests in this session. Wait retryAfterMs.",
  },
  TOO_MANY_IN_FLIGHT: {
    rpc: -32011,
    http: 429,
    retryable: true,
    message: "Too many requests wait for an answer on this connection. Await some of them first.",
  },
  TOO_MANY_SUBSCRIPTIONS: {
    rpc: -32012,
    http: 429,
    retryable: false,
    message: "Too many topics on this connection. Unsubscribe from some of them.",
  },
  FRAME_TOO_LARGE: {
    rpc: -32013,
    http: 413,
    retryable: false,
    close: 4501,
    message: "The frame is larger than hello.limits allows.",
  },
  TOO_DEEP: {
    rpc: -32014,
    http: 400,
    retryable: false,
    close: 4501,
    message: "The frame nests deeper than hello.limits.depth.",
  },
  CANCELLED: { rpc: -32015, http: 499, retryable: false, message: "The request was cancelled by its sender." },
  TIMEOUT: {
    rpc: -32016,
    http: 504,
    retryable: true,
    message: "The request took too long. Repeat it with the same idempotencyKey.",
  },
  UNAVAILABLE: {
    rpc: -32017,
    http: 503,
    retryable: true,
    message: "The store or the log can't be reached right now. Nothing was changed; try again.",
  },
  DRAINING: {
    rpc: -32018,
    http: 503,
    retryable: true,
    close: 4001,
    message: "This node is shutting down. Reconnect and resume.",
  },
  MODEL_UNAVAILABLE: {
    rpc: -32019,
    http: 422,
    retryable: false,
    message: "No such model here. model.list names those that can be used.",
  },
  MODEL_FAILED: { rpc: -32020, http: 502, retryable: true, message: "The model failed. The run can be retried." },
  MODEL_BUSY: {
    rpc: -32027,
    http: 503,
    retryable: true,
    message: "The model's provider is overloaded or limits this server. The run can be retried.",
  },
  MODEL_REFUSED_KEY: {
    rpc: -32028,
    http: 502,
    retryable: false,
    message:
      "The model's provider refused this server's key, or its account has no credit. The operator can mend that.",
  },
  CONTEXT_TOO_LONG: {
    rpc: -32029,
    http: 422,
    retryable: false,
    message: "The conversation is longer than this model reads, even without its oldest messages. Start another one.",
  },
  CONTENT_REFUSED: {
    rpc: -32030,
    http: 422,
    retryable: false,
    message: "The model's provider refused this content. Say it differently.",
  },
  RUN_LIMIT: {
    rpc: -32021,
    http: 422,
    retryable: true,
    message: "The run reached a limit (attempts, deadline, steps or tokens) and was ended.",
  },
  TOO_MANY_CONNECTIONS: {
    rpc: -32022,
    http: 503,
    retryable: true,
    close: 4503,
    message: "This server has as many connections as it allows.",
  },
  ORIGIN_REFUSED: {
    rpc: -32023,
    http: 403,
    retryable: false,
    message: "This origin may not connect. The operator can add it to PARLEY_ALLOWED_ORIGINS.",
  },
  ALREADY_DECIDED: {
    rpc: -32024,
    http: 409,
    retryable: false,
    message: "Somebody else has decided this already, and differently. Their decision stands.",
  },
  FILE_TOO_LARGE: { rpc: -32025, http: 413, retryable: false, message: "A file may have 10 MiB. Send a smaller one." },
  FILE_REFUSED: {
    rpc: -32026,
    http: 415,
    retryable: false,
    message: "Send one file with its name and a media type that this server takes.",
  },
  TOO_MANY: {
    rpc: -32031,
    http: 422,
    retryable: false,
    message: "There are as many of these as one person may have. Remove one of them first.",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/** Close codes [W8]: 4000–4499 ask the client to reconnect and resume, 4500–4999 are final. */
export const CLOSE = {
  DRAINING: 4001,
  TOO_SLOW: 4008,
  HEARTBEAT_LOST: 4009,
  RESYNC: 4010,
  RATE: 4029,
  AUTHENTICATION: 4500,
  PROTOCOL: 4501,
  TOO_MANY_CONNECTIONS: 4503,
  REVOKED: 4504,
} as const;

/** Should a client that was closed with this code connect again? Unknown and transport codes mean yes. */
export const mayReconnect = (closeCode: number): boolean => closeCode < 4500 || closeCode > 4999;

/** One wrong field of a request. */
export interface Issue {
  /** Path in the params, dotted: `parts.0.text`. */
  readonly path: string;
  /** What was expected there. */
  readonly expected: string;
}

/** `error.data` on the wire, and the body of a failed HTTP answer. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly retryAfterMs?: number;
  readonly issues?: readonly Issue[];
}

export interface ErrorDetail {
  readonly message?: string;
  readonly retryAfterMs?: number;
  readonly issues?: readonly Issue[];
  readonly cause?: unknown;
}

/**
 * A failure that a client may see. Its message is written for the reader on the other side; `cause` stays on the
 * server. Anything else that is thrown reaches the wire as `INTERNAL` and the log in full.
 */
export class ParleyError extends Error {
  override readonly name = "ParleyError";
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly issues: readonly Issue[] | undefined;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(detail.message ?? ERRORS[code].message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.retryAfterMs = detail.retryAfterMs;
    this.issues = detail.issues;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }

  get retryable(): boolean {
    return ERRORS[this.code].retryable;
  }

  /** What goes into `error.data`. */
  data(): ErrorData {
    return {
      code: this.code,
      retryable: this.retryable,
      ...(this.retryAfterMs === undefined ? {} : { retryAfterMs: this.retryAfterMs }),
      ...(this.issues === undefined ? {} : { issues: this.issues }),
    };
  }
}

export const isErrorCode = (code: unknown): code is ErrorCode =>
  typeof code === "string" && Object.hasOwn(ERRORS, code);
