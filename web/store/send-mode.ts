import { effect, type Signal, signal } from "@preact/signals-core";
import type { KeyValues } from "./storage.ts";

/** What happens to a message that is sent while an answer is being written. */
export const SEND_MODES = ["queue", "steer", "interrupt"] as const;
export type SendMode = (typeof SEND_MODES)[number];

const isSendMode = (value: unknown): value is SendMode => SEND_MODES.some((mode) => mode === value);

/** Kept on this device. */
export function createSendMode(storage: KeyValues): Signal<SendMode> {
  const kept = storage.get("send-mode");
  const mode = signal<SendMode>(isSendMode(kept) ? kept : "queue");
  effect(() => {
    if (mode.value === "queue") storage.remove("send-mode");
    else storage.set("send-mode", mode.value);
  });
  return mode;
}
