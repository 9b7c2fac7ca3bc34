/** "‹ 2/3 ›": the other branches that begin here. */
import { html, nothing } from "lit";
import type { AppStore } from "../../store/app.ts";
import type { VersionFocus } from "../../store/conversation.ts";
import type { MessageView } from "../../store/transcript-view.ts";
import { text } from "../../text/text.ts";
import { icons } from "../icons.ts";

export function versionSwitch(app: AppStore, message: MessageView): unknown {
  const versions = message.versions.value;
  if (versions === undefined) return nothing;
  const { ids, index } = versions;
  const button = (direction: VersionFocus["direction"], id: string | undefined): unknown => {
    const label = direction === "previous" ? text().message.previousVersion : text().message.nextVersion;
    return html`<button
      class="icon-button when-idle"
      data-version=${direction}
      aria-label=${label}
      title=${label}
      aria-disabled=${id === undefined ? "true" : "false"}
      @click=${() => id !== undefined && app.current.peek()?.selectVersion(id, direction)}
    >
      ${direction === "previous" ? icons.chevronLeft("small") : icons.chevronRight("small")}
    </button>`;
  };
  return html`<span class="versions" role="group" aria-label=${text().message.versions}>
    ${button("previous", ids[index - 1])}<span class="count" aria-label=${text().message.version(index + 1, ids.length)}
      >${index + 1}/${ids.length}</span
    >${button("next", ids[index + 1])}
  </span>`;
}

/** After another version took the place of the one that was left, the focus is on the button that led there. */
export function focusVersion(root: ParentNode, direction: VersionFocus["direction"]): void {
  root.querySelector<HTMLElement>(`[data-version="${direction}"]`)?.focus({ preventScroll: true });
}
