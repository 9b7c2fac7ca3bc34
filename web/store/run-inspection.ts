/** A run and its steps, as the server journals them; read again while it goes on. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import type { Run, Step } from "../../src/protocol/shapes.ts";

/** Something happened in the run: it is read again this much later, once for all that happens until then. */
const AGAIN_MS = 400;

export type RunState =
  | { readonly kind: "loading" }
  | { readonly kind: "ready"; readonly run: Run; readonly steps: readonly Step[] }
  | { readonly kind: "failed"; readonly error: ParleyError };

export class RunInspection {
  readonly runId: string;
  readonly #state = signal<RunState>({ kind: "loading" });
  readonly #client: Pick<Client, "call">;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reading = false;
  #closed = false;

  constructor(client: Pick<Client, "call">, runId: string) {
    this.#client = client;
    this.runId = runId;
    this.read();
  }

  get state(): ReadonlySignal<RunState> {
    return this.#state;
  }

  /** Soon; nothing is read of a run that has ended. */
  changed(): void {
    const state = this.#state.peek();
    if (this.#closed || (state.kind === "ready" && state.run.finishedAt !== null)) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.read();
    }, AGAIN_MS);
  }

  read(): void {
    if (this.#reading) return this.changed();
    this.#reading = true;
    const show = (state: RunState): void => {
      this.#reading = false;
      if (!this.#closed) this.#state.value = state;
    };
    this.#client.call("run.get", { runId: this.runId }).then(
      ({ run, steps }) => show({ kind: "ready", run, steps }),
      (cause: unknown) =>
        show({ kind: "failed", error: cause instanceof ParleyError ? cause : new ParleyError("INTERNAL", { cause }) }),
    );
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }
}
