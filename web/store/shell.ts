/** What is around the conversation: the panels that open over the page, and what is set on this device. */
import { effect, type Signal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";
import type { Languages } from "../text/languages.ts";
import { Notifier } from "./notifier.ts";
import { Prompts } from "./prompts.ts";
import type { KeyValues } from "./storage.ts";
import type { Theme } from "./theme.ts";

export const SECTIONS = ["general", "notifications", "prompts", "memory", "devices", "account"] as const;
export type Section = (typeof SECTIONS)[number];

/** What lies over the page; one at a time. */
export type Panel =
  | { readonly kind: "palette" }
  | { readonly kind: "shortcuts" }
  | { readonly kind: "settings"; readonly section: Section };

export interface ShellParts {
  readonly client: Client;
  readonly storage: KeyValues;
  readonly theme: Signal<Theme>;
  readonly languages: Languages;
}

export class Shell {
  readonly client: Client;
  readonly theme: Signal<Theme>;
  readonly languages: Languages;
  readonly notifier: Notifier;
  readonly prompts: Prompts;
  readonly panel = signal<Panel | undefined>(undefined);
  /** The inspector is open: at this answer, or at the newest. */
  readonly inspected = signal<{ readonly messageId: string | undefined } | undefined>(undefined);
  /** Keys without Ctrl or ⌘ do something, where nobody writes. */
  readonly singleKeys: Signal<boolean>;
  #opener: Element | null = null;
  #inspectedFrom: Element | null = null;

  constructor({ client, storage, theme, languages }: ShellParts) {
    this.client = client;
    this.theme = theme;
    this.languages = languages;
    this.notifier = new Notifier(storage);
    this.prompts = new Prompts(client);
    this.singleKeys = signal(storage.get("single-keys") !== "off");
    effect(() => {
      if (this.singleKeys.value) storage.remove("single-keys");
      else storage.set("single-keys", "off");
    });
  }

  /** In place of what is open; what is open already closes. */
  open(panel: Panel): void {
    const { kind } = this.panel.peek() ?? {};
    if (kind === undefined) this.#opener = document.activeElement;
    if (kind === panel.kind) this.close();
    else this.panel.value = panel;
  }

  openSettings(section: Section): void {
    this.open({ kind: "settings", section });
  }

  /** The focus goes back to what opened it, or to where one writes. */
  close(): void {
    if (this.panel.peek() === undefined) return;
    this.panel.value = undefined;
    const opener = this.#opener;
    this.#opener = null;
    // When the page is no longer inert.
    queueMicrotask(() => {
      if (opener instanceof HTMLElement && opener.isConnected && opener !== document.body) opener.focus();
      else this.writeHere();
    });
  }

  /** Opens or closes the inspector; the focus goes back to what opened it. */
  inspect(at: { readonly messageId: string | undefined } | undefined): void {
    if (at !== undefined) this.#inspectedFrom = document.activeElement;
    this.inspected.value = at;
    const opener = this.#inspectedFrom;
    if (at !== undefined || !(opener instanceof HTMLElement)) return;
    this.#inspectedFrom = null;
    queueMicrotask(() => opener.isConnected && opener.focus({ preventScroll: true }));
  }

  /** Puts the focus where the message is written, when that stands. */
  writeHere(): void {
    requestAnimationFrame(() => document.querySelector<HTMLElement>("parley-composer textarea")?.focus());
  }

  /** Uses a control of the page as if it had been clicked. */
  press(selector: string): void {
    requestAnimationFrame(() => document.querySelector<HTMLElement>(selector)?.click());
  }
}
