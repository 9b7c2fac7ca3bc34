import { type ReadonlySignal, signal } from "@preact/signals-core";

export type Route = { readonly kind: "home" } | { readonly kind: "conversation"; readonly id: string };

/** The route of a path; what is no address of ours is home. */
export function parseRoute(path: string): Route {
  const id = /^\/c\/([A-Za-z0-9_-]{1,64})\/?$/.exec(path)?.[1];
  return id === undefined ? { kind: "home" } : { kind: "conversation", id };
}

export const pathOf = (route: Route): string => (route.kind === "home" ? "/" : `/c/${route.id}`);

/** The code of a login link (`#login=…`), which the page takes out of its address before anything else. */
export const loginCode = (hash: string): string | undefined => /^#login=([A-Za-z0-9_-]{1,512})$/.exec(hash)?.[1];

export interface Router {
  readonly route: ReadonlySignal<Route>;
  /** `replace`: without a way back to where one is. */
  go(route: Route, how?: "replace"): void;
}

export function createRouter(): Router {
  const route = signal(parseRoute(location.pathname));
  addEventListener("popstate", () => (route.value = parseRoute(location.pathname)));
  return {
    route,
    go(to, how) {
      const path = pathOf(to);
      if (path === location.pathname) return;
      if (how === "replace") history.replaceState(null, "", path);
      else history.pushState(null, "", path);
      route.value = to;
    },
  };
}
