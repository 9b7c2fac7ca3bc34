/**
 * The web app: a folder that was read into memory, so that no request touches the file system and no path can leave
 * the folder. What has its content's hash in its name is kept by browsers for ever; everything else is asked for again
 * and answered 304.
 */
import type { HttpRequest, HttpResponse, HttpRoute } from "../ports/http.ts";
import { ANY_ORIGIN } from "./embed.ts";
import { notFound } from "./http-router.ts";
import { ENCODINGS, type Encoding, readStaticFiles, type StaticFile } from "./static-files.ts";

const INDEX = "/index.html";
/** As the build names them: `/assets/app-3KJ2LQ7B.js`. */
const HASHED = /^\/assets\/.*-[A-Z0-9]{8}\.[a-z0-9]+$/;
/** Other sites load these into their pages, as modules: for that, they must be allowed to read them. */
const EMBED = /^\/(?:embed\.js|assets\/embed\/.*)$/;

/** The route of every address that no other route has. Reads the folder; rejects when that fails. */
export async function staticRoute(folder: string): Promise<HttpRoute> {
  const files = await readStaticFiles(folder);
  const index = files?.get(INDEX);
  return {
    method: "GET",
    path: "*",
    maxBody: 0,
    handle(request) {
      const path = decoded(request.path);
      const file = path === undefined ? undefined : files?.get(path);
      if (file !== undefined && path !== undefined) return answer(request, path, file);
      if (!isNavigation(request)) return notFound();
      return index === undefined ? notBuilt() : answer(request, INDEX, index);
    },
  };
}

/** A person opens an address, which the app itself then looks at; a script or an image that is missing is missing. */
const isNavigation = (request: HttpRequest): boolean =>
  (request.headers.get("accept") ?? "").includes("text/html") && !request.path.startsWith("/assets/");

function decoded(path: string): string | undefined {
  if (path === "/") return INDEX;
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function answer(request: HttpRequest, path: string, file: StaticFile): HttpResponse | Promise<HttpResponse> {
  const encoding = chooseEncoding(request.headers.get("accept-encoding") ?? "", file);
  const etag = `"${file.tag}${encoding === undefined ? "" : `-${encoding}`}"`;
  const headers = {
    "cache-control": HASHED.test(path) ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
    vary: "accept-encoding",
    ...(EMBED.test(path) ? ANY_ORIGIN : {}),
  };
  if (matches(request.headers.get("if-none-match"), etag)) return { status: 304, headers, body: "" };
  const full = {
    ...headers,
    "content-type": file.type,
    ...(encoding === undefined ? {} : { "content-encoding": encoding }),
  };
  const body = encoding === undefined ? file.bytes : file.in(encoding);
  return body instanceof Promise
    ? body.then((bytes) => ({ status: 200, headers: full, body: bytes }))
    : { status: 200, headers: full, body };
}

/** The first of our encodings that the client takes (RFC 9110 §12.5.3, without weighing one against another). */
function chooseEncoding(header: string, file: StaticFile): Encoding | undefined {
  const accepted = new Set<string>();
  for (const item of header.split(",")) {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim().toLowerCase());
    if (!parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter))) accepted.add(name);
  }
  return ENCODINGS.find((encoding) => accepted.has(encoding) && file.has(encoding));
}

/** RFC 9110 §13.1.2, with the weak comparison that it asks for. */
function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((item) => item.trim() === "*" || item.trim().replace(/^W\//, "") === etag);
}

const notBuilt = (): HttpResponse => ({
  status: 503,
  headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Parley: not built yet</title>
<h1>The web app is not built yet</h1>
<p>Run <code>npm run build</code>, then start Parley again. The server itself runs: programs can connect to
<code>/ws</code>.</p>
</html>
`,
});
