import { html } from "lit";
import { type Keys, namesOf } from "../../store/keys.ts";
import { text } from "../../text/text.ts";

/** Keys as they stand on a keyboard, from the left to the right in every language. */
export const keyCaps = (keys: Keys): unknown =>
  html`<span class="keys" dir="ltr"
    >${namesOf(keys, text().shortcuts.keys).map((name) => html`<kbd>${name}</kbd>`)}</span
  >`;
