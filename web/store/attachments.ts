/** Files on their way into a message: each is uploaded when it is chosen, and belongs to the draft until that is sent. */
import { type Signal, signal } from "@preact/signals-core";
import type { Files } from "../../src/client/files.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { uuidv7 } from "../../src/protocol/id.ts";
import type { FilePart } from "../../src/protocol/shapes.ts";
import { errorText } from "../text/error-text.ts";
import { text } from "../text/text.ts";
import type { Drafts } from "./drafts.ts";
import { isPicture, MAX_FILE_BYTES, MAX_FILES, mediaTypeOf, sizeText } from "./file-kind.ts";

export type AttachmentState =
  | { readonly kind: "uploading" }
  | { readonly kind: "ready"; readonly file: FilePart }
  /** `again`: what happened may not happen the next time. */
  | { readonly kind: "refused"; readonly reason: string; readonly again: boolean };

export interface Attachment {
  readonly id: string;
  readonly conversationId: string;
  readonly name: string;
  /** Bytes. */
  readonly size: number;
  /** Address of a small picture of it; undefined where it is none. */
  readonly preview: string | undefined;
  readonly state: AttachmentState;
}

/** What of a browser's `File` is needed. */
export type Chosen = Blob & { readonly name: string };

interface Ports {
  readonly files: Files;
  readonly drafts: () => Drafts | undefined;
  /** Makes and takes back addresses of what is in memory. */
  readonly urls: Pick<typeof URL, "createObjectURL" | "revokeObjectURL">;
}

/** Uploads at once and refusals on show, over all conversations. */
const MAX_HELD = 50;

export class Attachments {
  readonly #all: Signal<readonly Attachment[]> = signal([]);
  readonly #ports: Ports;
  readonly #uploads = new Map<string, AbortController>();
  /** What may be uploaded again. */
  readonly #sources = new Map<string, { readonly file: Chosen; readonly mediaType: string }>();
  /** Conversations whose drafts have been looked at. */
  readonly #restored = new Set<string>();

  constructor(ports: Ports) {
    this.#ports = ports;
  }

  /** Those of a conversation's draft, as they were chosen. */
  of(conversationId: string): readonly Attachment[] {
    return this.#all.value.filter((one) => one.conversationId === conversationId);
  }

  /** Brings back what an earlier visit had uploaded: once for each conversation, or what was taken and not sent. */
  restore(conversationId: string, taken?: readonly FilePart[]): void {
    if (taken === undefined && this.#restored.has(conversationId)) return;
    this.#restored.add(conversationId);
    const files = taken ?? this.#ports.drafts()?.read(conversationId).files ?? [];
    if (files.length > 0) this.#put(...files.map((file) => this.#ready(conversationId, file)));
  }

  #ready(conversationId: string, file: FilePart): Attachment {
    const { fileId, name, size, mediaType } = file;
    const preview = isPicture(mediaType) ? this.#ports.files.url(fileId) : undefined;
    return { id: uuidv7(), conversationId, name, size, preview, state: { kind: "ready", file } };
  }

  add(conversationId: string, chosen: Iterable<Chosen>): void {
    for (const file of chosen) this.#add(conversationId, file);
  }

  #add(conversationId: string, file: Chosen): void {
    const mediaType = mediaTypeOf(file.name, file.type);
    const reason = this.#refusal(conversationId, file, mediaType);
    const refused = reason !== undefined || mediaType === undefined;
    const attachment: Attachment = {
      id: uuidv7(),
      conversationId,
      name: file.name === "" ? text().composer.pastedFile : file.name,
      size: file.size,
      preview: !refused && isPicture(mediaType) ? this.#ports.urls.createObjectURL(file) : undefined,
      state: refused ? { kind: "refused", reason: reason ?? "", again: false } : { kind: "uploading" },
    };
    this.#put(attachment);
    if (refused) return;
    this.#sources.set(attachment.id, { file, mediaType });
    this.#upload(attachment);
  }

  #refusal(conversationId: string, file: Chosen, mediaType: string | undefined): string | undefined {
    if (mediaType === undefined) return text().composer.fileKinds;
    if (file.size === 0) return text().composer.fileEmpty;
    if (file.size > MAX_FILE_BYTES) return text().composer.fileTooLarge(sizeText(MAX_FILE_BYTES));
    const held = this.of(conversationId).filter(({ state }) => state.kind !== "refused").length;
    return held >= MAX_FILES ? text().composer.tooManyFiles(MAX_FILES) : undefined;
  }

  /** Sends a refused one again. */
  retry(id: string): void {
    const attachment = this.#all.value.find((one) => one.id === id);
    if (attachment?.state.kind !== "refused" || !attachment.state.again) return;
    this.#become(id, { kind: "uploading" });
    this.#upload(attachment);
  }

  #upload({ id, conversationId, name }: Attachment): void {
    const source = this.#sources.get(id);
    if (source === undefined) return;
    const { file, mediaType } = source;
    const abort = new AbortController();
    this.#uploads.set(id, abort);
    this.#ports.files
      .upload(name, mediaType, file, { signal: abort.signal })
      .then(
        (part) => this.#become(id, { kind: "ready", file: part }),
        (error: unknown) => this.#become(id, refusalOf(error)),
      )
      .finally(() => {
        this.#uploads.delete(id);
        if (this.#all.value.some((one) => one.id === id)) this.#keep(conversationId);
      })
      .catch(() => undefined);
  }

  #become(id: string, state: AttachmentState): void {
    this.#all.value = this.#all.value.map((one) => (one.id === id ? { ...one, state } : one));
  }

  #put(...attachments: readonly Attachment[]): void {
    const all = [...this.#all.value, ...attachments];
    for (const { id } of all.slice(0, Math.max(0, all.length - MAX_HELD))) this.remove(id);
    this.#all.value = [...this.#all.value, ...attachments].slice(-MAX_HELD);
  }

  remove(id: string): void {
    const removed = this.#all.value.find((one) => one.id === id);
    if (removed === undefined) return;
    this.#uploads.get(id)?.abort();
    this.#release(removed);
    this.#all.value = this.#all.value.filter((one) => one !== removed);
    this.#keep(removed.conversationId);
  }

  #release({ id, preview }: Attachment): void {
    this.#sources.delete(id);
    if (preview?.startsWith("blob:") === true) this.#ports.urls.revokeObjectURL(preview);
  }

  /** Those that a message can have. */
  ready(conversationId: string): readonly FilePart[] {
    return filesOf(this.of(conversationId));
  }

  /** Somebody else is about to sign in. What was uploaded stays in the drafts of whoever did. */
  clear(): void {
    for (const upload of this.#uploads.values()) upload.abort();
    for (const one of this.#all.value) this.#release(one);
    this.#restored.clear();
    this.#all.value = [];
  }

  /** Something is still on its way. */
  uploading(conversationId: string): boolean {
    return this.of(conversationId).some(({ state }) => state.kind === "uploading");
  }

  /** Takes the uploaded ones, as their message is sent; what was refused goes too. */
  take(conversationId: string): readonly FilePart[] {
    const taken = this.of(conversationId);
    for (const one of taken) this.#release(one);
    this.#all.value = this.#all.value.filter((one) => !taken.includes(one));
    this.#keep(conversationId);
    return filesOf(taken);
  }

  #keep(conversationId: string): void {
    this.#ports.drafts()?.write(conversationId, { files: filesOf(this.of(conversationId)) });
  }
}

const filesOf = (attachments: readonly Attachment[]): readonly FilePart[] =>
  attachments.flatMap(({ state }) => (state.kind === "ready" ? [state.file] : []));

function refusalOf(error: unknown): AttachmentState {
  const refused = error instanceof ParleyError && !error.retryable && error.code !== "INTERNAL";
  return refused
    ? { kind: "refused", reason: errorText(error), again: false }
    : { kind: "refused", reason: text().composer.fileFailed, again: true };
}
