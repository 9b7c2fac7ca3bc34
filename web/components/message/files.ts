/** Files of a message: pictures in a box of a known size, anything else as a chip that downloads. */
import { html, nothing } from "lit";
import type { FilePart } from "../../../src/protocol/shapes.ts";
import type { FileAccess } from "../../store/app.ts";
import { isPicture, sizeText } from "../../store/file-kind.ts";
import { text } from "../../text/text.ts";
import { icons } from "../icons.ts";

export const fileAddress = (fileId: string): string => `/files/${encodeURIComponent(fileId)}`;

export function messageFiles(files: readonly FilePart[], access: FileAccess): unknown {
  if (files.length === 0) return nothing;
  return html`<ul class="files" aria-label=${text().message.files}>
    ${files.map((file) => html`<li>${shown(file, access)}</li>`)}
  </ul>`;
}

function shown(file: FilePart, access: FileAccess): unknown {
  switch (access.kind) {
    case "own":
      return isPicture(file.mediaType) ? picture(file) : chip(file);
    case "link":
      return html`<parley-shared-file .file=${file} .token=${access.token}></parley-shared-file>`;
    case "none":
      return named(file);
  }
}

function picture({ fileId, name }: FilePart): unknown {
  return html`<a class="picture" href=${fileAddress(fileId)} target="_blank" rel="noopener" title=${name}>
    <img
      src=${fileAddress(fileId)}
      alt=${name}
      width="220"
      height="165"
      loading="lazy"
      decoding="async"
      @error=${gone}
    />
    <span class="gone"
      >${icons.image("small")}<span>${name}</span><span class="size">${text().message.notAvailable}</span></span
    >
  </a>`;
}

/** It was deleted, or is another's: its name is what is left. */
function gone({ currentTarget }: Event): void {
  if (currentTarget instanceof HTMLElement) currentTarget.parentElement?.classList.add("is-gone");
}

function named({ mediaType, name, size }: FilePart): unknown {
  return html`<span class="file-chip">
    ${isPicture(mediaType) ? icons.image("small") : icons.file("small")}<span class="name" dir="auto">${name}</span
    ><span class="size">${sizeText(size)}</span>
  </span>`;
}

function chip({ fileId, name, size }: FilePart): unknown {
  return html`<a class="file-chip" href=${fileAddress(fileId)} download=${name} title=${text().message.download(name)}>
    ${icons.file("small")}<span class="name" dir="auto">${name}</span><span class="size">${sizeText(size)}</span>
  </a>`;
}
