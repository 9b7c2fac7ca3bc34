import type { HttpRequest } from "../../src/ports/http.ts";

/** A request as a transport would hand it to a route. */
export function httpRequest(
  path: string,
  headers: Readonly<Record<string, string>> = {},
  rest: Partial<HttpRequest> = {},
): HttpRequest {
  return {
    method: "GET",
    path,
    query: "",
    headers: new Map(Object.entries(headers)),
    body: new Uint8Array(0),
    remoteAddress: "127.0.0.1",
    signal: new AbortController().signal,
    ...rest,
  };
}
