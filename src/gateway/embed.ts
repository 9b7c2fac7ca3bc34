/**
 * What the element on another site's page asks when its socket did not open: a browser does not tell a page why.
 *
 *   GET /embed/origin   →  200 {allowed}: may a page of this origin connect?
 *
 * Any origin may read the answer; it says nothing but what the upgrade's refusal says too.
 */
import type { HttpRoute } from "../ports/http.ts";
import { jsonAnswer } from "./http-answer.ts";
import type { OriginPolicy } from "./origin.ts";

/** For what every site may read: no cookie goes with such a request, and none is looked at. */
export const ANY_ORIGIN: Readonly<Record<string, string>> = {
  "access-control-allow-origin": "*",
  "cross-origin-resource-policy": "cross-origin",
};

export function embedRoute(origins: OriginPolicy): HttpRoute {
  return {
    method: "GET",
    path: "/embed/origin",
    maxBody: 0,
    handle({ headers }) {
      const allowed = origins.check(headers.get("origin"), headers.get("host")) === undefined;
      return jsonAnswer(200, { allowed }, { ...ANY_ORIGIN, vary: "origin" });
    },
  };
}
