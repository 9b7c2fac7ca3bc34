/** Method and path → a route, or the answer where there is none. HEAD is GET without its body. */
import type { HttpResponse, HttpRoute } from "../ports/http.ts";
import { ParleyError } from "../protocol/errors.ts";
import { errorAnswer } from "./http-answer.ts";

export type Routed =
  | { readonly found: true; readonly route: HttpRoute }
  | { readonly found: false; readonly answer: HttpResponse };

export type HttpRouter = (method: string, path: string) => Routed;

/** Two routes of one method and path are a bug of the composition root, and refused here. */
export function httpRouter(routes: readonly HttpRoute[]): HttpRouter {
  const byPath = new Map<string, Map<string, HttpRoute>>();
  for (const route of routes) {
    const methods = byPath.get(route.path) ?? new Map<string, HttpRoute>();
    if (methods.has(route.method)) throw new Error(`two routes for ${route.method} ${route.path}`);
    byPath.set(route.path, methods.set(route.method, route));
  }
  const prefixes = [...byPath].filter(([path]) => path.endsWith("/*"));
  const rest = byPath.get("*");

  return (method, path) => {
    const below = () => prefixes.find(([prefix]) => path.startsWith(prefix.slice(0, -1)))?.[1];
    const methods = byPath.get(path) ?? below() ?? rest;
    if (methods === undefined) return { found: false, answer: notFound() };
    const route = methods.get(method === "HEAD" ? "GET" : method);
    return route === undefined ? { found: false, answer: methodNotAllowed(methods) } : { found: true, route };
  };
}

export const notFound = (): HttpResponse =>
  errorAnswer(new ParleyError("NOT_FOUND", { message: "There is nothing at this address." }));

function methodNotAllowed(methods: ReadonlyMap<string, HttpRoute>): HttpResponse {
  const allow = [...methods.keys()].flatMap((method) => (method === "GET" ? ["GET", "HEAD"] : [method])).join(", ");
  const error = new ParleyError("INVALID_REQUEST", { message: `This address takes ${allow} only.` });
  return errorAnswer(error, 405, { allow });
}
