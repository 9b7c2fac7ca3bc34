import { signal } from "@preact/signals-core";
import type { Route, Router } from "../store/route.ts";

/** Which conversation an element shows; the address of the page is the page's own. `went` is told where somebody went. */
export function elementRouter(went: (to: Route) => void): Router & { readonly show: (to: Route) => void } {
  const route = signal<Route>({ kind: "home" });
  const show = (to: Route): void => {
    route.value = to;
  };
  return {
    route,
    show,
    go(to) {
      show(to);
      went(to);
    },
  };
}
