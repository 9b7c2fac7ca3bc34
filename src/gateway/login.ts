/**
 * The session's cookie. A socket can't set one, and a page must not be able to read it; so the page posts what it has
 * here, and connects afterwards [W2].
 */
import { z } from "zod";
import type { HttpRequest, HttpResponse, HttpRoute } from "../ports/http.ts";
import type { Logger } from "../ports/logger.ts";
import type { Metrics } from "../ports/metrics.ts";
import { ParleyError } from "../protocol/errors.ts";
import type { LoggedIn, SessionManager } from "../sessions/session-manager.ts";
import { errorAnswer, jsonAnswer } from "./http-answer.ts";
import { cookieValue, isHttps, SESSION_COOKIE, sessionCookie } from "./http-headers.ts";
import { invalidParams } from "./issues.ts";
import { guardRoute, type OriginPolicy } from "./origin.ts";

const PATH = "/auth/session";
const MAX_BODY = 4096;
/** The longest that browsers keep a cookie. When the session ends is the server's word; its expiry slides. */
const COOKIE_SECONDS = 400 * 24 * 3600;

const secret = z.string().min(1).max(512);
const body = z.union([z.strictObject({ code: secret }), z.strictObject({ token: secret })]);

export interface LoginOptions {
  readonly sessions: SessionManager;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly origins: OriginPolicy;
  readonly trustProxy: boolean;
}

export function loginRoutes(options: LoginOptions): readonly HttpRoute[] {
  const { sessions, metrics, log, origins, trustProxy } = options;

  async function answered(
    request: HttpRequest,
    work: (request: HttpRequest) => Promise<HttpResponse>,
  ): Promise<HttpResponse> {
    try {
      return await work(request);
    } catch (error) {
      if (error instanceof ParleyError) {
        if (error.code === "AUTH_FAILED" || error.code === "RATE_LIMITED") {
          metrics.refused(error.code);
          log.warn({ code: error.code, remoteAddress: request.remoteAddress }, "credentials were refused");
        }
        return errorAnswer(error);
      }
      metrics.bug();
      log.error({ err: error }, `${PATH} failed`);
      return errorAnswer(new ParleyError("INTERNAL"));
    }
  }

  async function logIn(request: HttpRequest): Promise<HttpResponse> {
    const device = request.headers.get("user-agent") ?? "";
    const input = readBody(request.body);
    const { session, sessionToken }: LoggedIn =
      "code" in input
        ? await sessions.redeemCode(input.code, device, request.remoteAddress)
        : await sessions.login(input.token, device, request.remoteAddress);
    return jsonAnswer(
      200,
      { user: session.user, tenant: session.tenant, session: { id: session.id, expiresAt: session.expiresAt } },
      { "set-cookie": sessionCookie(sessionToken, COOKIE_SECONDS, isHttps(request.headers, trustProxy)) },
    );
  }

  async function logOut(request: HttpRequest): Promise<HttpResponse> {
    const token = cookieValue(request.headers.get("cookie") ?? "", SESSION_COOKIE);
    if (token !== undefined) await sessions.endByToken(token);
    return jsonAnswer(200, {}, { "set-cookie": sessionCookie("", 0, isHttps(request.headers, trustProxy)) });
  }

  const routes: readonly HttpRoute[] = [
    { method: "POST", path: PATH, maxBody: MAX_BODY, handle: (request) => answered(request, logIn) },
    { method: "DELETE", path: PATH, maxBody: 0, handle: (request) => answered(request, logOut) },
  ];
  return routes.map((route) => guardRoute(origins, route));
}

function readBody(bytes: Uint8Array): z.infer<typeof body> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new ParleyError("PARSE_ERROR", { message: "The body is not valid JSON." });
  }
  const parsed = body.safeParse(value);
  if (!parsed.success) throw invalidParams(parsed.error.issues);
  return parsed.data;
}
