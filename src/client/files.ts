/** Uploads, beside the socket: `POST /files`. */
import { isErrorCode, ParleyError } from "../protocol/errors.ts";
import type { FilePart } from "../protocol/shapes.ts";
import type { Platform } from "./platform.ts";

export interface Files {
  /**
   * Uploads a file of at most 10 MiB; its part goes into `send` or `edit` as one of their `files`. Rejects with a
   * `ParleyError`: FILE_TOO_LARGE, FILE_REFUSED, or UNAVAILABLE where nothing is known of what became of it. An upload
   * that is repeated is another file.
   */
  upload(
    name: string,
    mediaType: string,
    bytes: Blob | Uint8Array<ArrayBuffer>,
    options?: { readonly signal?: AbortSignal },
  ): Promise<FilePart>;
  /** Where a browser that is signed in reads it. */
  url(fileId: string): string;
}

interface FilesPorts {
  /** The socket's, as http. */
  readonly url: string;
  readonly platform: Pick<Platform, "fetch" | "timers">;
  /** Resolves when somebody is signed in; rejects with a ParleyError. */
  readonly signedIn: () => Promise<void>;
  /** undefined where a cookie speaks for the client. */
  readonly sessionToken: () => string | undefined;
}

const UPLOAD_MS = 120_000;

export class HttpFiles implements Files {
  readonly #ports: FilesPorts;

  constructor(ports: FilesPorts) {
    this.#ports = ports;
  }

  url(fileId: string): string {
    return new URL(`files/${encodeURIComponent(fileId)}`, this.#ports.url).href;
  }

  async upload(
    name: string,
    mediaType: string,
    bytes: Blob | Uint8Array<ArrayBuffer>,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<FilePart> {
    const { platform, signedIn } = this.#ports;
    if (signal?.aborted) throw cancelled(signal);
    await signedIn();
    const time = new AbortController();
    const stopTimer = platform.timers.after(UPLOAD_MS, () => time.abort(new ParleyError("TIMEOUT")));
    const signals = signal === undefined ? [time.signal] : [time.signal, signal];
    try {
      const response = await platform.fetch(new URL("files", this.#ports.url).href, {
        method: "POST",
        headers: { ...this.#authorization(), "content-type": mediaType, "x-file-name": encodeURIComponent(name) },
        body: bytes,
        credentials: "same-origin",
        signal: AbortSignal.any(signals),
      });
      return await fileOf(response);
    } catch (error) {
      if (error instanceof ParleyError) throw error;
      if (signal?.aborted) throw cancelled(signal);
      if (time.signal.aborted) throw new ParleyError("TIMEOUT", { cause: error });
      throw new ParleyError("UNAVAILABLE", { cause: error });
    } finally {
      stopTimer();
    }
  }

  #authorization(): Record<string, string> {
    const token = this.#ports.sessionToken();
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }
}

const cancelled = ({ reason }: AbortSignal): ParleyError => new ParleyError("CANCELLED", { cause: reason });

async function fileOf(response: Response): Promise<FilePart> {
  const answer = (await response.json()) as {
    readonly file?: Omit<FilePart, "type">;
    readonly error?: { readonly code?: string; readonly message?: string; readonly retryAfterMs?: number };
  };
  if (response.ok && answer.file !== undefined) return { type: "file", ...answer.file };
  const { code, message, retryAfterMs } = answer.error ?? {};
  throw new ParleyError(isErrorCode(code) ? code : "INTERNAL", {
    ...(message === undefined ? {} : { message }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}
