/** Preloaded (`--import`): a machine on which the native module of µWebSockets does not load. */
import { registerHooks } from "node:module";

registerHooks({
  resolve(specifier, context, next) {
    if (specifier === "uWebSockets.js") throw new Error("the binary does not fit this machine");
    return next(specifier, context);
  },
});
