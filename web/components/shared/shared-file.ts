import { css, html } from "lit";
import type { FilePart } from "../../../src/protocol/shapes.ts";
import { isPicture, sizeText } from "../../store/file-kind.ts";
import { text } from "../../text/text.ts";
import { define, ParleyElement } from "../element.ts";
import { icons } from "../icons.ts";
import { fileAddress } from "../message/files.ts";

/** A file has at most 10 MiB, and some networks are slow. */
const FETCH_MS = 120_000;
/** Before it comes into view. */
const NEAR = "400px 0px";

const sharedFileSheet = css`
  parley-shared-file {
    display: block;
    max-width: 100%;
  }

  parley-shared-file button.file-chip {
    color: inherit;
    text-align: start;
  }

  parley-shared-file .waits {
    display: block;
    aspect-ratio: 4 / 3;
  }
`;

/**
 * A file of a conversation that is read by a link. The token goes in a header, as addresses are logged: so it is fetched
 * here, and shown from the memory of the page. A picture when it comes near, anything else when it is asked for.
 */
class ParleySharedFile extends ParleyElement {
  static override readonly sheets = [sharedFileSheet];
  static override readonly properties = {
    file: { attribute: false },
    token: { attribute: false },
    address: { state: true },
    gone: { state: true },
  };
  declare file: FilePart;
  declare token: string;
  /** Of what was fetched. */
  declare address: string | undefined;
  declare gone: boolean;
  #near: IntersectionObserver | undefined;
  #asked: Promise<string | undefined> | undefined;

  constructor() {
    super();
    this.address = undefined;
    this.gone = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#near?.disconnect();
    this.#near = undefined;
    if (this.address !== undefined) URL.revokeObjectURL(this.address);
    this.address = undefined;
    this.#asked = undefined;
  }

  protected override updated(): void {
    if (!isPicture(this.file.mediaType) || this.#near !== undefined || !this.isConnected) return;
    this.#near = new IntersectionObserver(
      (entries) => {
        if (entries.some(({ isIntersecting }) => isIntersecting)) this.#fetch().catch(() => undefined);
      },
      { rootMargin: NEAR },
    );
    this.#near.observe(this);
  }

  protected override render(): unknown {
    return isPicture(this.file.mediaType) && !this.gone ? this.#picture() : this.#chip();
  }

  #picture(): unknown {
    const { name } = this.file;
    const { address } = this;
    return address === undefined
      ? html`<span class="picture" role="img" aria-label=${name}><span class="waits"></span></span>`
      : html`<a class="picture" href=${address} target="_blank" rel="noopener" title=${name}>
          <img
            src=${address}
            alt=${name}
            width="220"
            height="165"
            decoding="async"
            @error=${() => (this.gone = true)}
          />
        </a>`;
  }

  #chip(): unknown {
    const { name, size, mediaType } = this.file;
    const inside = html`${isPicture(mediaType) ? icons.image("small") : icons.file("small")}<span
        class="name"
        dir="auto"
        >${name}</span
      ><span class="size">${this.gone ? text().message.notAvailable : sizeText(size)}</span>`;
    return this.gone
      ? html`<span class="file-chip" role="status">${inside}</span>`
      : html`<button
          type="button"
          class="file-chip"
          title=${text().message.download(name)}
          @click=${() => this.#download()}
        >
          ${inside}
        </button>`;
  }

  #download(): void {
    this.#fetch().then(
      (address) => {
        if (address === undefined) return;
        const link = document.createElement("a");
        link.href = address;
        link.download = this.file.name;
        link.click();
      },
      () => undefined,
    );
  }

  /** Once. Undefined when it can't be had, or nobody waits for it any more. */
  #fetch(): Promise<string | undefined> {
    this.#asked ??= this.#read().then(
      (bytes) => {
        if (!this.isConnected) return undefined;
        this.address = URL.createObjectURL(bytes);
        return this.address;
      },
      () => {
        this.gone = true;
        return undefined;
      },
    );
    return this.#asked;
  }

  async #read(): Promise<Blob> {
    const response = await fetch(fileAddress(this.file.fileId), {
      headers: { "x-share-token": this.token },
      signal: AbortSignal.timeout(FETCH_MS),
    });
    const bytes = await response.blob();
    // What a browser makes of it is for the type to say: only pictures are shown, and what else it were is none.
    if (!response.ok || (isPicture(this.file.mediaType) && !isPicture(bytes.type))) throw new Error("not available");
    return bytes;
  }
}

define("parley-shared-file", ParleySharedFile);
