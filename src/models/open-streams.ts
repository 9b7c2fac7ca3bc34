/** The streams of a provider that are under way: the provider's end ends them as an abort of their caller does. */
export interface OpenStream {
  /** For the provider's SDK; aborted by the caller or by `close`. */
  readonly signal: AbortSignal;
  /** Must be called when the stream has ended. */
  done(): void;
}

export interface OpenStreams {
  open(caller: AbortSignal): OpenStream;
  close(): void;
}

export function createOpenStreams(): OpenStreams {
  const open = new Set<AbortController>();
  let closed = false;
  return {
    open(caller) {
      const controller = new AbortController();
      const abort = () => controller.abort();
      if (closed || caller.aborted) abort();
      else caller.addEventListener("abort", abort, { once: true });
      open.add(controller);
      return {
        signal: controller.signal,
        done() {
          open.delete(controller);
          caller.removeEventListener("abort", abort);
        },
      };
    },
    close() {
      closed = true;
      for (const controller of open) controller.abort();
    },
  };
}
