import { ParleyError } from "../src/protocol/errors.ts";
import { defineHandler } from "../src/sessions/handler.ts";

export default [
  defineHandler("run.get", "user", async (context, { runId }) => {
    const found = await context.services.store.runs.get(context.scope, runId);
    if (found === null) throw new ParleyError("NOT_FOUND");
    return { run: found.run, steps: [...found.steps] };
  }),
];
