/** What the agent is told to remember about a person: saved, forgotten, searched. */
import { z } from "zod";
import { memoryText, text } from "../protocol/shapes.ts";
import { defineTool, defineTransactionalTool } from "./define.ts";

const MAX_WORDS = 200;
const MAX_FOUND = 20;

export const memorySave = defineTransactionalTool({
  name: "memory_save",
  description:
    "Remembers something about this person for all later conversations. Use it when they ask for it, or tell a lasting " +
    "fact or preference. One fact a call, in a sentence that is clear on its own.",
  effect: "transactional",
  approval: "never",
  schema: z.strictObject({ text: memoryText }),
  summary: (args) => `Remember: ${args.text}`,
  timeoutMs: 10_000,
  run: async (args, tx) => ({ saved: (await tx.saveMemory(args.text)).text }),
});

export const memoryForget = defineTransactionalTool({
  name: "memory_forget",
  description:
    "Forgets what is remembered about this person and holds all of these words, 50 at most. Use it only when they ask for it.",
  effect: "transactional",
  approval: "never",
  schema: z.strictObject({
    words: text(MAX_WORDS).refine((words) => words.trim() !== "", { error: "not blank" }),
  }),
  summary: ({ words }) => `Forget what is remembered with the words: ${words}`,
  timeoutMs: 10_000,
  run: async ({ words }, tx) => ({ words, forgotten: await tx.forgetMemories(words) }),
});

export const memorySearch = defineTool({
  name: "memory_search",
  description:
    "Finds what is remembered about this person, best match first. Without words: the newest. Use it when an answer may " +
    "depend on what they told before.",
  effect: "read",
  approval: "never",
  schema: z.strictObject({
    words: text(MAX_WORDS).optional(),
    limit: z.int().min(1).max(MAX_FOUND).default(8),
  }),
  summary: ({ words }) => (words === undefined ? "Look at the newest memories." : `Look for memories of: ${words}`),
  timeoutMs: 10_000,
  async run({ words = "", limit }, { store, lease }) {
    const { tenantId, userId } = lease;
    const found = await store.memories.search({ tenantId, userId }, words, limit);
    return { memories: found.map((memory) => ({ text: memory.text, savedAt: memory.createdAt })) };
  },
});
