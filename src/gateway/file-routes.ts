/**
 * Files beside the socket: a message is at most a frame, a file may have 10 MiB.
 *
 *   POST /files        the bytes; `content-type`, and `x-file-name` percent-encoded  →  201 {file}
 *   GET  /files/<id>   the bytes, for their owner; for whoever reads a conversation by a link, with its token in
 *                      `x-share-token` (in no address: those are logged), those of that conversation
 *
 * Both by the session's cookie, or by `authorization: Bearer <sessionToken>` where there is none. What comes back is
 * never run by a browser: no sniffing, a sandbox without scripts, and a download where it is no picture.
 */
import { type FileStore, FileStoreError } from "../ports/files.ts";
import type { HttpRequest, HttpResponse, HttpRoute } from "../ports/http.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import type { Scope, Store, StoredFile } from "../ports/store.ts";
import { ParleyError } from "../protocol/errors.ts";
import { uuidv7 } from "../protocol/id.ts";
import { shareToken } from "../protocol/methods/share.ts";
import type { SessionManager } from "../sessions/session-manager.ts";
import { readerOf } from "../sessions/share-reader.ts";
import { errorAnswer, jsonAnswer } from "./http-answer.ts";
import { cookieValue, SESSION_COOKIE } from "./http-headers.ts";
import { notFound } from "./http-router.ts";
import { guardRoute, type OriginPolicy } from "./origin.ts";

export const MAX_FILE_BYTES = 10 * 1024 * 1024;
const MAX_NAME = 200;
const PREFIX = "/files/";

/** Pictures that browsers show and models see. No SVG: it is a program. */
const IMAGES: readonly string[] = ["image/png", "image/jpeg", "image/gif", "image/webp"];
const DOCUMENTS: readonly string[] = ["application/pdf", "application/json"];

export interface FileRouteOptions {
  readonly sessions: Pick<SessionManager, "resume" | "resumeCookie">;
  readonly rows: Pick<Store["files"], "create" | "find">;
  readonly files: FileStore;
  readonly origins: OriginPolicy;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export function fileRoutes({ sessions, rows, files, origins, metrics, log }: FileRouteOptions): readonly HttpRoute[] {
  async function scopeOf({ headers, remoteAddress }: HttpRequest): Promise<Scope> {
    const bearer = /^Bearer (\S{1,512})$/.exec(headers.get("authorization") ?? "")?.[1];
    const cookie = cookieValue(headers.get("cookie") ?? "", SESSION_COOKIE);
    const session =
      bearer !== undefined
        ? await sessions.resume(bearer, remoteAddress)
        : cookie !== undefined
          ? await sessions.resumeCookie(cookie)
          : null;
    if (session === null) throw new ParleyError("UNAUTHENTICATED");
    return { tenantId: session.tenant.id, userId: session.user.id };
  }

  async function upload(request: HttpRequest): Promise<HttpResponse> {
    const scope = await scopeOf(request);
    const mediaType = mediaTypeOf(request.headers.get("content-type"));
    const name = nameOf(request.headers.get("x-file-name"));
    const { body } = request;
    if (body.length === 0) throw new ParleyError("FILE_REFUSED", { message: "The file is empty." });
    if (body.length > MAX_FILE_BYTES) throw new ParleyError("FILE_TOO_LARGE");
    if (IMAGES.includes(mediaType) && !isImage(body, mediaType)) {
      throw new ParleyError("FILE_REFUSED", { message: `The file is no ${mediaType}.` });
    }
    const fileId = uuidv7();
    // The bytes first: a row never names bytes that are not there.
    await files.put(fileId, body);
    const stored = await rows.create(scope, { fileId, name, mediaType, size: body.length });
    return jsonAnswer(201, { file: { fileId, name: stored.name, mediaType, size: stored.size } });
  }

  async function download(request: HttpRequest): Promise<HttpResponse> {
    const scope = await scopeOf(request);
    const token = shareTokenOf(request.headers.get("x-share-token"));
    const file = await rows.find(readerOf(scope, token), request.path.slice(PREFIX.length));
    const bytes = file === null ? null : await files.get(file.fileId, MAX_FILE_BYTES);
    if (file === null || bytes === null) return notFound();
    return served(file, bytes, token === undefined ? FOR_OWNER : FOR_READER);
  }

  const answered = (work: (request: HttpRequest) => Promise<HttpResponse>) => async (request: HttpRequest) => {
    try {
      return await work(request);
    } catch (error) {
      if (error instanceof ParleyError) return errorAnswer(error);
      if (error instanceof FileStoreError) {
        log.warn({ err: error }, "files can't be kept or read");
        return errorAnswer(new ParleyError("UNAVAILABLE"));
      }
      metrics.bug();
      log.error({ err: error }, "a file request failed");
      return errorAnswer(new ParleyError("INTERNAL"));
    }
  };

  return [
    guardRoute(origins, { method: "POST", path: "/files", maxBody: MAX_FILE_BYTES, handle: answered(upload) }),
    guardRoute(origins, { method: "GET", path: `${PREFIX}*`, maxBody: 0, handle: answered(download) }),
  ];
}

function shareTokenOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const { success, data } = shareToken.safeParse(header);
  if (!success) throw new ParleyError("NOT_FOUND");
  return data;
}

function mediaTypeOf(header: string | undefined): string {
  const mediaType = (header ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
  const taken = IMAGES.includes(mediaType) || DOCUMENTS.includes(mediaType) || /^text\/[\w.+-]{1,60}$/.test(mediaType);
  if (taken) return mediaType;
  throw new ParleyError("FILE_REFUSED", {
    message: `Send a picture (${IMAGES.join(", ")}), text, ${DOCUMENTS.join(" or ")}; not ${mediaType.slice(0, 80) || "a file without a type"}.`,
  });
}

/** A name is for people: no path, no control characters, and never used as a path here. */
function nameOf(header: string | undefined): string {
  let name: string;
  try {
    name = decodeURIComponent(header ?? "");
  } catch {
    throw new ParleyError("FILE_REFUSED", { message: "x-file-name is percent-encoded UTF-8." });
  }
  const plain = name
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, " ")
    .split(/[/\\]/)
    .at(-1)
    ?.trim();
  if (plain === undefined || plain === "" || plain.length > MAX_NAME) {
    throw new ParleyError("FILE_REFUSED", { message: `x-file-name is a name of 1 to ${MAX_NAME} characters.` });
  }
  return plain;
}

const SIGNATURES: Readonly<Record<string, readonly (readonly number[])[]>> = {
  "image/png": [[0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]],
  "image/jpeg": [[0xff, 0xd8, 0xff]],
  "image/gif": [[0x47, 0x49, 0x46, 0x38]],
  "image/webp": [[0x52, 0x49, 0x46, 0x46]],
};

const isImage = (bytes: Uint8Array, mediaType: string): boolean =>
  (SIGNATURES[mediaType] ?? []).some((signature) => signature.every((byte, i) => bytes[i] === byte));

/** A file never changes under its id. */
const FOR_OWNER = "private, max-age=31536000, immutable";
/** The link may be revoked. */
const FOR_READER = "private, no-store";

function served({ name, mediaType }: StoredFile, bytes: Uint8Array, kept: string): HttpResponse {
  const shown = IMAGES.includes(mediaType);
  return {
    status: 200,
    headers: {
      "content-type": mediaType,
      "content-disposition": `${shown ? "inline" : "attachment"}; filename*=UTF-8''${encodeRfc5987(name)}`,
      "content-security-policy": "default-src 'none'; sandbox",
      "cache-control": kept,
    },
    body: bytes,
  };
}

/** RFC 5987, `ext-value`. */
const encodeRfc5987 = (text: string): string =>
  encodeURIComponent(text).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
