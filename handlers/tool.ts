import { defineHandler } from "../src/sessions/handler.ts";

export default [defineHandler("tool.list", "user", (context) => ({ tools: [...context.services.tools.list()] }))];
