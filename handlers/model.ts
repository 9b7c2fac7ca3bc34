import { defineHandler } from "../src/sessions/handler.ts";

export default [defineHandler("model.list", "user", (context) => ({ models: [...context.services.models.list()] }))];
