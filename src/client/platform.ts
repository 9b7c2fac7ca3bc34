/** What the SDK needs of the place it runs in. Each has a default that browsers and Node share; tests inject their own. */

/** As a method, so that the DOM's own types, which name narrower events, fit. */
type Handler<Event> = { handle(event: Event): void }["handle"];

/** The part of the WebSocket interface that is used. */
export interface Socket {
  readonly readyState: number;
  onopen: Handler<object> | null;
  onmessage: Handler<{ readonly data: unknown }> | null;
  onclose: Handler<{ readonly code: number; readonly reason: string }> | null;
  onerror: Handler<object> | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** Opens a socket. May throw where the URL is no URL. */
export type Connect = (url: string, protocol: string) => Socket;

export interface Timers {
  /** Runs `work` once, `ms` from now; the answer cancels it. */
  after(ms: number, work: () => void): () => void;
}

export type LogLevel = "debug" | "warn" | "error";
export type Log = (level: LogLevel, message: string, detail?: unknown) => void;

export interface Platform {
  readonly connect: Connect;
  /** For uploads. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly timers: Timers;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** [0, 1). */
  readonly random: () => number;
  readonly log: Log;
}

/** Longest wait of a platform timer, about 24.8 days; a longer one would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

export const defaultPlatform: Platform = {
  connect: (url, protocol) => new globalThis.WebSocket(url, protocol),
  fetch: (url, init) => globalThis.fetch(url, init),
  timers: {
    after(ms, work) {
      const timer = globalThis.setTimeout(work, Math.min(Math.max(0, ms), MAX_TIMER_MS));
      return () => globalThis.clearTimeout(timer);
    },
  },
  now: () => Date.now(),
  random: () => Math.random(),
  log: () => {},
};
