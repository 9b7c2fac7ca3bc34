import { ParleyError } from "../src/protocol/errors.ts";
import { defineHandler } from "../src/sessions/handler.ts";

/** The last steps that `run.get` names; more would not fit a frame. */
const LISTED = 200;

export default [
  defineHandler("run.get", "user", async (context, { runId }) => {
    const found = await context.services.store.runs.get(context.scope, runId);
    if (found === null) throw new ParleyError("NOT_FOUND");
    return { run: found.run, steps: found.steps.slice(-LISTED) };
  }),
];
