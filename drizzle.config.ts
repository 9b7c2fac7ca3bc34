import { defineConfig } from "drizzle-kit";

// `npx drizzle-kit generate --name=<what>` writes the next file of migrations/ from the schema, and
// `--custom` an empty one for what the schema can't say (policies, grants). A written file is never changed.
export default defineConfig({ dialect: "postgresql", schema: "./src/adapters/schema.ts", out: "./migrations" });
