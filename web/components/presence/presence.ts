import { html, nothing } from "lit";
import type { AppStore } from "../../store/app.ts";
import { type PresenceWatch, watchPresence } from "../../store/presence.ts";
import type { Shell } from "../../store/shell.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { presenceLine } from "./presence-line.ts";
import { presenceSheet } from "./presence.style.ts";

/** One for the page, whatever comes and goes of its elements. */
const watches = new WeakMap<AppStore, PresenceWatch>();

/** Who else is in the open conversation, in a few words. Whoever listens finds them here; nobody is interrupted. */
class ParleyPresence extends ParleyElement {
  static override readonly sheets = [presenceSheet];
  static override readonly properties = { app: { attribute: false }, shell: { attribute: false } };
  declare app: AppStore;
  declare shell: Shell;

  protected override render(): unknown {
    const watch = watches.get(this.app) ?? watchPresence(this.app, this.shell.client);
    watches.set(this.app, watch);
    const line = presenceLine(watch.others.value, this.app.user.value?.id);
    if (line === undefined) return nothing;
    const icon = line.typing ? icons.pencil : line.own ? icons.monitor : icons.people;
    return html`<p class="presence" title=${line.text}>
      ${icon("small")}<span class="who" dir="auto">${line.text}</span>
    </p>`;
  }
}

define("parley-presence", ParleyPresence);
