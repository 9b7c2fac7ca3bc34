/**
 * Slow work with progress, as a search through sources would be, without any: it answers an outline of what to ask
 * about a topic, and says so. The same topic gives the same outline.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { text } from "../protocol/shapes.ts";
import { defineTool } from "./define.ts";

export interface ResearchOptions {
  /** Milliseconds for each of the five questions. Default 800. */
  readonly stepMs?: number;
}

const QUESTIONS: readonly (readonly [aspect: string, question: (topic: string) => string])[] = [
  ["meaning", (topic) => `What exactly is meant by ${topic}, and what is not?`],
  ["people", (topic) => `Who has to do with ${topic}, and what do they want?`],
  ["evidence", (topic) => `What is known about ${topic} for sure, and how?`],
  ["objections", (topic) => `What speaks against the usual view of ${topic}?`],
  ["open ends", (topic) => `What about ${topic} does nobody know yet?`],
];

export const createResearch = ({ stepMs = 800 }: ResearchOptions = {}) =>
  defineTool({
    name: "research",
    description:
      "A rehearsal of slow work: takes some seconds, reports its progress, and answers an outline of questions about a " +
      "topic. It reads no source and knows no facts. Use it only when it is asked for by its name.",
    effect: "read",
    approval: "never",
    schema: z.strictObject({ topic: text(200).refine((topic) => topic.trim() !== "", { error: "not blank" }) }),
    summary: ({ topic }) => `Make an outline of questions about ${topic}.`,
    timeoutMs: 120_000,
    async run({ topic }, { signal, progress }) {
      const outline: string[] = [];
      for (const [aspect, question] of QUESTIONS) {
        progress(`${topic}: ${aspect}`, outline.length / QUESTIONS.length);
        await sleep(stepMs, undefined, { signal });
        outline.push(question(topic));
      }
      progress(`${topic}: done`, 1);
      return { topic, outline, note: "An outline only: no source was read." };
    },
  });
