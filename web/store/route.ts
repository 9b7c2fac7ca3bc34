import { type ReadonlySignal, signal } from "@preact/signals-core";

export type Route =
  | { readonly kind: "home" }
  | {
      readonly kind: "conversation";
      readonly id: string;
      /** The message to go to, in the fragment. */
      readonly messageId?: string;
      /** What was looked for in it; not in the address. */
      readonly words?: string;
    }
  /** Numbers about the whole tenant, for its owner. */
  | { readonly kind: "insights" }
  /** A link to somebody's conversation. Its token stands in the fragment, which no server is sent. */
  | { readonly kind: "shared"; readonly token: string };

/** The route of a path and its fragment; what is no address of ours is home. */
export function parseRoute(path: string, hash = ""): Route {
  const id = /^\/c\/([A-Za-z0-9_-]{1,64})\/?$/.exec(path)?.[1];
  if (id !== undefined) {
    const messageId = /^#([A-Za-z0-9-]{8,64})$/.exec(hash)?.[1];
    return messageId === undefined ? { kind: "conversation", id } : { kind: "conversation", id, messageId };
  }
  if (/^\/insights\/?$/.test(path)) return { kind: "insights" };
  const token = /^\/s\/?$/.test(path) ? /^#([A-Za-z0-9_-]{43})$/.exec(hash)?.[1] : undefined;
  return token === undefined ? { kind: "home" } : { kind: "shared", token };
}

export function pathOf(route: Route): string {
  switch (route.kind) {
    case "home":
      return "/";
    case "conversation":
      return `/c/${route.id}${route.messageId === undefined ? "" : `#${route.messageId}`}`;
    case "insights":
      return "/insights";
    case "shared":
      return `/s#${route.token}`;
  }
}

/** The code of a login link (`#login=…`), which the page takes out of its address before anything else. */
export const loginCode = (hash: string): string | undefined => /^#login=([A-Za-z0-9_-]{1,512})$/.exec(hash)?.[1];

export interface Router {
  readonly route: ReadonlySignal<Route>;
  /** `replace`: without a way back to where one is. */
  go(route: Route, how?: "replace"): void;
}

export function createRouter(): Router {
  const here = (): Route => parseRoute(location.pathname, location.hash);
  const route = signal(here());
  // A link that is pasted over another one changes the fragment alone.
  for (const type of ["popstate", "hashchange"]) addEventListener(type, () => (route.value = here()));
  return {
    route,
    go(to, how) {
      const path = pathOf(to);
      if (path === location.pathname + location.hash) {
        // Whoever scrolled away from a message goes there again.
        if (to.kind === "conversation" && to.messageId !== undefined) route.value = to;
        return;
      }
      if (how === "replace") history.replaceState(null, "", path);
      else history.pushState(null, "", path);
      route.value = to;
    },
  };
}
