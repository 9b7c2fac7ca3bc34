/** Tools that count what they do, as effects in a world outside of the server. */
import { z } from "zod";
import type { Tool, ToolContext } from "../src/ports/tool.ts";
import type { ToolEffect } from "../src/protocol/shapes.ts";
import { defineTool, defineTransactionalTool } from "../src/tools/define.ts";

const schema = z.object({ what: z.string() });

export interface Deed {
  readonly effect: ToolEffect;
  readonly toolCallId: string;
  readonly what: string;
}

export class CountingTools {
  /** In their order. */
  readonly deeds: Deed[] = [];
  /** Called in the middle of a plain tool. */
  during: (what: string, context: ToolContext) => Promise<unknown> = async (what) => `did ${what}`;
  readonly approval: "never" | "ask";

  constructor(approval: "never" | "ask" = "never") {
    this.approval = approval;
  }

  of(effect: ToolEffect, what: string): number {
    return this.deeds.filter((deed) => deed.effect === effect && deed.what === what).length;
  }

  get all(): readonly Tool[] {
    const { approval } = this;
    const plain = (effect: "read" | "idempotent" | "unsafe") => {
      const run = async ({ what }: { what: string }, context: ToolContext) => {
        this.deeds.push({ effect, toolCallId: context.toolCallId, what });
        return this.during(what, context);
      };
      const shared = { name: effect, description: `Does it (${effect}).`, schema, run, approval };
      const summary = ({ what }: { what: string }) => `It does ${what}.`;
      return effect === "unsafe"
        ? defineTool({ ...shared, effect, summary })
        : defineTool({ ...shared, effect, summary, retries: 0 });
    };
    return [
      plain("read"),
      plain("idempotent"),
      plain("unsafe"),
      defineTransactionalTool({
        name: "transactional",
        description: "Remembers it.",
        effect: "transactional",
        approval,
        schema,
        summary: ({ what }) => `It remembers ${what}.`,
        run: async ({ what }, tx) => {
          const { id } = await tx.saveMemory(what);
          return { saved: id };
        },
      }),
    ];
  }
}
