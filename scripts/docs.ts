// Writes docs/reference.md from the schemas, the tables and the handlers. With --check it writes nothing and fails
// when the file is not what it would write.
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { discoverHandlers } from "../src/gateway/discover.ts";
import { CLOSE, ERRORS, type ErrorRow } from "../src/protocol/errors.ts";
import { parleyEvent, presenceChanged } from "../src/protocol/events.ts";
import { METHODS } from "../src/protocol/methods.ts";
import * as shapes from "../src/protocol/shapes.ts";
import { type JsonSchema, typeText } from "./docs-types.ts";

const root = join(import.meta.dirname, "..");
const target = join(root, "docs/reference.md");
const source = (file: string) => readFileSync(join(root, "src/protocol", file), "utf8");

/** The shapes that get a name of their own, so that methods and events refer to them. */
const named = {
  Position: shapes.position,
  User: shapes.user,
  Tenant: shapes.tenant,
  Session: shapes.session,
  Conversation: shapes.conversation,
  TextPart: shapes.textPart,
  Message: shapes.message,
  Usage: shapes.usage,
  Run: shapes.run,
  Step: shapes.step,
  ConversationSnapshot: shapes.conversationSnapshot,
  UserSnapshot: shapes.userSnapshot,
  ModelInfo: shapes.modelInfo,
};
const registry = z.registry<{ id: string }>();
for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });

function describe(schema: z.ZodType, io: "input" | "output"): string {
  return typeText(z.toJSONSchema(schema, { io, metadata: registry, unrepresentable: "any" }) as JsonSchema);
}

/** A named shape itself, instead of the reference to it. */
function describeNamed(name: string, schema: z.ZodType): string {
  const { $defs, ...json } = z.toJSONSchema(schema, { io: "output", metadata: registry }) as JsonSchema;
  return typeText($defs?.[name] ?? json);
}

const code = (text: string) => `\`\`\`ts\n${text}\n\`\`\``;

const words = (comment: string) =>
  comment
    .split("\n")
    .map((line) => line.replace(/^\s*\/?\*+\/? ?/, "").replace(/\s*\*\/$/, ""))
    .join(" ")
    .trim();

/** Method → the comment in front of its schemas. */
function methodComments(): Map<string, string> {
  const found = new Map<string, string>();
  for (const file of readdirSync(join(root, "src/protocol/methods")).toSorted()) {
    for (const [, comment = "", quoted, plain] of source(`methods/${file}`).matchAll(
      /\n {2}(\/\*\*(?:(?!\*\/)[^])*\*\/)\n {2}(?:"([a-z.]+)"|([a-z]+)): \{/g,
    )) {
      found.set(quoted ?? plain ?? "", words(comment));
    }
  }
  return found;
}

/** An exported interface of frames.ts, as it stands there. */
function frame(name: string): string {
  const found = new RegExp(`(?:/\\*\\*(?:(?!\\*/)[^])*\\*/\n)?export interface ${name} [^]*?\n\\}`).exec(
    source("frames.ts"),
  );
  if (found === null) throw new Error(`frames.ts has no interface ${name}`);
  return found[0].replaceAll("export ", "").replaceAll("readonly ", "");
}

async function methods(): Promise<string> {
  const handlers = await discoverHandlers(join(root, "handlers"));
  const comments = methodComments();
  return Object.entries(METHODS)
    .map(([method, { params, result }]) => {
      const permission = handlers.get(method)?.permission ?? "";
      const comment = comments.get(method);
      return [
        `### \`${method}\``,
        `Permission: ${permission}.${comment === undefined ? "" : ` ${comment}`}`,
        code(`params: ${describe(params, "input")}\nresult: ${describe(result, "output")}`),
      ].join("\n\n");
    })
    .join("\n\n");
}

function events(): string {
  return [...parleyEvent.options, presenceChanged]
    .map((event) => {
      const name =
        "name" in event.shape ? `${event.shape.type.value} ${event.shape.name.value}` : event.shape.type.value;
      return `### \`${name}\`\n\n${code(describe(event, "output"))}`;
    })
    .join("\n\n");
}

function errors(): string {
  const rows = Object.entries<ErrorRow>(ERRORS).map(
    ([name, { rpc, http, retryable, close, message }]) =>
      `| \`${name}\` | ${rpc} | ${http} | ${retryable ? "yes" : "no"} | ${close ?? ""} | ${message.replaceAll("|", "\\|")} |`,
  );
  return ["| `data.code` | number | HTTP | retryable | close | message |", "|---|---|---|---|---|---|", ...rows].join(
    "\n",
  );
}

function closeCodes(): string {
  const rows = Object.entries(CLOSE).map(
    ([name, number]) => `| ${number} | \`${name}\` | ${number < 4500 ? "reconnect and resume" : "final"} |`,
  );
  return ["| code | name | what a client does |", "|---|---|---|", ...rows].join("\n");
}

const notifications: readonly [method: string, interfaces: readonly string[]][] = [
  ["hello", ["Hello", "Limits"]],
  ["event", ["EventItem", "EventParams"]],
  ["events", ["EventsParams"]],
  ["ephemeral", ["EphemeralParams"]],
  ["heartbeat", ["Heartbeat"]],
  ["resync", ["Resync"]],
  ["draining", ["Draining"]],
];

const page = `# Reference

Generated by \`npm run docs\` from \`src/protocol/\` and \`handlers/\`; do not edit. [PROTOCOL.md](PROTOCOL.md) has the rules.

Permissions: \`public\` needs no login, \`user\` any login, \`owner\` one with that role.

## Methods

${await methods()}

## Notifications from the server

${notifications.map(([name, interfaces]) => `### \`${name}\`\n\n${code(interfaces.map(frame).join("\n\n"))}`).join("\n\n")}

## Events

What \`event\` carries: AG-UI 1.0 objects, with Parley's fields beside theirs. \`presence.changed\` comes as \`ephemeral\`.

${events()}

## Shapes

${Object.entries(named)
  .map(([name, schema]) => `### ${name}\n\n${code(describeNamed(name, schema))}`)
  .join("\n\n")}

## Errors

${errors()}

## Close codes

${closeCodes()}
`;

if (process.argv.includes("--check")) {
  const current = readFileSync(target, "utf8");
  if (current !== page) {
    console.error("docs/reference.md is not what the schemas say. Run: npm run docs");
    process.exitCode = 1;
  }
} else {
  writeFileSync(target, page);
}
