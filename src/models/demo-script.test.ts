/** Every script of the demo model, played with the real tools to its end. */
import assert from "node:assert/strict";
import test from "node:test";
import { TIME } from "../../test/support/shapes.fake.ts";
import { toolContext, toolTransaction } from "../../test/support/tool-context.ts";
import type { ModelMessage, ModelToolCall, ModelToolResult } from "../ports/model.ts";
import { ToolError } from "../ports/tool.ts";
import type { ToolArgs } from "../protocol/shapes.ts";
import { createBuiltinTools } from "../tools/builtin.ts";
import { createToolExecutor } from "../tools/execute.ts";
import { createToolCatalog } from "../tools/registry.ts";
import type { Piece } from "./demo-pieces.ts";
import { scriptFor } from "./demo-script.ts";

const catalog = createToolCatalog(
  createBuiltinTools({
    clock: { now: () => new Date("2026-11-21T09:03:04Z"), timeZone: "UTC" },
    research: { stepMs: 1 },
  }),
);
const executor = createToolExecutor();

const user = (text: string): ModelMessage => ({ role: "user", content: [{ type: "text", text }] });
const said = (text: string): ModelMessage => ({ role: "assistant", content: [{ type: "text", text }] });

const whole = (piece: Piece): string => Array.from({ length: piece.tokens }, (_, i) => piece.token(i)).join("");

const script = (messages: readonly ModelMessage[], tools = catalog.specs()) =>
  scriptFor({ model: "demo", messages, tools, cacheKey: "c" });

/** How a test reads a script: `think: …`, `text: …`, `clock {}`. */
function read(pieces: readonly Piece[]): string[] {
  return pieces.map((piece) => {
    switch (piece.kind) {
      case "text":
        return `text: ${whole(piece)}`;
      case "reasoning":
        return `think: ${whole(piece)}`;
      case "call":
        return `${piece.name} ${whole(piece)}`;
    }
  });
}

type Answers = (name: string, args: ToolArgs) => Promise<Pick<ModelToolResult, "content" | "isError">>;

/** The real tools over stores of one file and one memory. */
const realTools: Answers = async (name, args) => {
  const tool = catalog.find(name);
  assert.ok(tool, name);
  const parsed = catalog.parse(tool, args);
  if (!parsed.ok) return { content: parsed.message, isError: true };
  const file = {
    fileId: "f",
    name: "notes.txt",
    mediaType: "text/plain",
    size: 1,
    conversationId: "c",
    createdAt: TIME,
  };
  const context = toolContext({
    fileRows: { list: async () => [file], delete: async () => true },
    files: { delete: async () => {} },
    memories: { search: async () => [{ id: "m", text: "I like tea", createdAt: TIME }] },
  });
  const outcome =
    tool.effect === "transactional"
      ? executor.completed(tool, await tool.run(parsed.args, toolTransaction().tx), context.logger)
      : await executor.run({ tool, args: parsed.args, context, signal: context.signal, progress: () => {} });
  return outcome.status === "completed"
    ? { content: JSON.stringify(outcome.result), isError: false }
    : { content: outcome.status === "failed" ? outcome.error : "stopped", isError: true };
};

/** Plays a conversation from a question to the end of its answer; what is said at each call of the model. */
async function play(
  messages: ModelMessage[],
  answers: Answers = realTools,
  steer: readonly (string | undefined)[] = [],
): Promise<string[][]> {
  const steps: string[][] = [];
  for (;;) {
    const pieces = script(messages);
    assert.deepEqual(read(script(messages)), read(pieces), "the same again, for a takeover");
    steps.push(read(pieces));
    assert.ok(steps.length < 30, "it goes round in circles");
    const calls = pieces
      .filter(({ kind }) => kind === "call")
      .map((piece, i): ModelToolCall => {
        const name = piece.kind === "call" ? piece.name : "";
        return {
          type: "tool-call",
          toolCallId: `${steps.length}-${i}`,
          name,
          args: JSON.parse(whole(piece)) as ToolArgs,
        };
      });
    const text = pieces
      .filter(({ kind }) => kind === "text")
      .map(whole)
      .join("");
    messages.push({
      role: "assistant",
      content: [...(text === "" ? [] : [{ type: "text" as const, text }]), ...calls],
    });
    if (calls.length === 0) return steps;
    const results = await Promise.all(
      calls.map(async ({ toolCallId, name, args }) => ({ toolCallId, name, ...(await answers(name, args)) })),
    );
    messages.push({ role: "tool", results });
    const steered = steer[steps.length - 1];
    if (steered !== undefined) messages.push(user(steered));
  }
}

for (const [question, ...steps] of [
  ["use the calculator: 2+3*4", ['calculator {"expression":"2+3*4"}'], ["text: `2+3*4` = 14"]],
  [
    "Use the calculator: 10^10^10!",
    ['calculator {"expression":"10^10^10!"}'],
    ["text: The tool calculator did not do it. The result is too large, or infinite."],
  ],
  ["what time is it?", ["clock {}"], ["text: It is 09:03:04 on Saturday, 2026-11-21 (UTC)."]],
  [
    "What time is it in Asia/Tokyo?",
    ['clock {"timeZone":"Asia/Tokyo"}'],
    ["text: It is 18:03:04 on Saturday, 2026-11-21 (Asia/Tokyo)."],
  ],
  [
    "use the calculator: 1+1 and what time is it",
    ['calculator {"expression":"1+1"}', "clock {}"],
    ["text: `1+1` = 2\n\nIt is 09:03:04 on Saturday, 2026-11-21 (UTC)."],
  ],
  ["remember that I like tea", ['memory_save {"text":"I like tea"}'], ["text: I will remember: I like tea"]],
  ["what do you remember about tea?", ['memory_search {"words":"tea"}'], ["text: I remember:\n\n- I like tea"]],
  ["forget about tea", ['memory_forget {"words":"tea"}'], ["text: I have forgotten 2 memories with the words: tea"]],
  ["delete the file notes.txt", ['file_delete {"name":"notes.txt"}'], ["text: The file notes.txt is deleted."]],
  [
    'delete the file "a and b.txt"',
    ['file_delete {"name":"a and b.txt"}'],
    [
      'text: The tool file_delete did not do it. There is no file "a and b.txt" in this conversation. It has "notes.txt".',
    ],
  ],
  [
    "think about whales",
    [
      "think: I am asked to think about whales. What is known about it, what is not, and what would change the answer? " +
        "As a demo model I know nothing, so all I can do is to show where a model's thoughts appear.",
      "text: I have thought about whales. As a demo model I know nothing about it, but a real one thinks in the same place.",
    ],
  ],
  [
    "plan a picnic",
    ["text: I plan a picnic in 4 tasks.", plan("running", "pending", "pending", "pending")],
    [
      "text: 1. **Say what a picnic is for**: One sentence that everybody would sign.",
      plan("completed", "running", "pending", "pending"),
    ],
    [
      "text: 2. **List what a picnic needs**: People, time, money and things: what is there, and what is missing.",
      plan("completed", "completed", "running", "pending"),
    ],
    [
      "text: 3. **Put it in an order for a picnic**: First what others wait for, last what can wait.",
      plan("completed", "completed", "completed", "running"),
    ],
    [
      "text: 4. **Check the plan for a picnic**: Read it with fresh eyes: what is missing goes to the top.",
      plan("completed", "completed", "completed", "completed"),
    ],
    ["text: All 4 tasks of the plan are done."],
  ],
] as const) {
  test(`script: ${question}`, async () => {
    assert.deepEqual(await play([user(question)]), steps);
  });
}

function plan(...statuses: readonly string[]): string {
  const titles = [
    "Say what a picnic is for",
    "List what a picnic needs",
    "Put it in an order for a picnic",
    "Check the plan for a picnic",
  ];
  return `plan ${JSON.stringify({ tasks: statuses.map((status, i) => ({ title: titles[i], status })) })}`;
}

test("script: research otters and seals, at the same time", async () => {
  const [calls, told, ...rest] = await play([user("research otters and seals")]);
  assert.deepEqual(calls, ['research {"topic":"otters"}', 'research {"topic":"seals"}']);
  assert.match(
    told?.[0] ?? "",
    /^text: What to ask about otters:\n\n(- .*otters.*\n){5}\nAn outline only: .*\n\nWhat to ask about seals:\n\n- What exactly is meant by seals/,
  );
  assert.deepEqual(rest, []);
});

test("script: thoughts come before calls", async () => {
  const [first, second] = await play([user("think about sums, then use the calculator: 5!")]);
  assert.match(first?.[0] ?? "", /^think: I am asked to think about sums\./);
  assert.equal(first?.[1], 'calculator {"expression":"5!"}');
  assert.deepEqual(second, ["text: `5!` = 120"]);
});

for (const question of [
  "hello",
  "",
  "account to 5",
  "count to 12x",
  "my plan is good",
  "I remember you",
  "use the calculator:",
]) {
  test(`script: ${JSON.stringify(question)} gets help`, () => {
    const pieces = read(script([user(question)]));
    assert.equal(pieces.length, 1);
    assert.match(pieces[0] ?? "", /^text: This is the demo model: .* ANTHROPIC_API_KEY, /);
    assert.ok((pieces[0] ?? "").length < 700);
  });
}

test("script: what the help names is understood", async () => {
  const help = whole(script([user("help")])[0]!);
  const examples = [...help.matchAll(/^- (.*)$/gm)].map(([, example = ""]) => example);
  assert.equal(examples.length, 8);
  for (const example of examples) assert.notEqual(whole(script([user(example)])[0]!), help, example);
});

test("script: counting says the numbers and nothing else", () => {
  assert.deepEqual(read(script([user("please count to 4, and what time is it?")])), ["text: 1 2 3 4"]);
  assert.match(read(script([user("count to 1000001")])).join(""), /at most 1000000/);
  assert.match(read(script([user("count to 0")])).join(""), /at most 1000000/);
});

test("script: the last message of a person decides", () => {
  assert.deepEqual(read(script([user("count to 9"), said("1 2"), user("what time is it"), user("count to 2")])), [
    "text: 1 2",
  ]);
});

test("script: a denied call is told plainly", async () => {
  const steps = await play([user("delete the file notes.txt")], async () => ({
    content: "The person did not allow this call.",
    isError: true,
  }));
  assert.deepEqual(steps[1], ["text: The tool file_delete did not do it. The person did not allow this call."]);
});

test("script: a plan that can't be shown ends there", async () => {
  const steps = await play([user("plan a picnic")], async () =>
    Promise.resolve({ content: "No store.", isError: true }),
  );
  assert.deepEqual(steps.slice(1), [["text: The tool plan did not do it. No store."]]);
});

test("script: of parallel calls one may fail", async () => {
  const steps = await play([user("research otters and what time is it")], async (name, args) =>
    name === "clock" ? realTools(name, args) : { content: new ToolError("No.").message, isError: true },
  );
  assert.deepEqual(steps[1], [
    "text: The tool research did not do it. No.\n\nIt is 09:03:04 on Saturday, 2026-11-21 (UTC).",
  ]);
});

test("script: a tool that is not there is told, and not called", () => {
  const clock = catalog.specs().filter(({ name }) => name === "clock");
  assert.deepEqual(read(script([user("research otters and seals and what time is it")], clock)), [
    "text: There is no tool research here, so I can't do that.",
    "clock {}",
  ]);
  assert.deepEqual(read(script([user("plan a picnic")], [])), [
    "text: There is no tool plan here, so I can't do that.",
  ]);
});

test("script: more calls than it does at once are told", () => {
  const pieces = read(script([user(`research ${Array.from({ length: 20 }, (_, i) => `t${i}`).join(", ")}`)]));
  assert.equal(pieces[0], "text: I do the first 8 of these only.");
  assert.equal(pieces.length, 9);
});

test("script: an answer that it can't read is shown, cut", async () => {
  const steps = await play([user("what time is it")], async () => ({ content: "x".repeat(9_000), isError: false }));
  assert.match(steps[1]?.[0] ?? "", /^text: The tool clock answered: x{499}…$/);
});

test("[R2] script: who steers is answered together with the results", async () => {
  const steps = await play([user("use the calculator: 1+1")], realTools, ["what time is it"]);
  assert.deepEqual(steps, [
    ['calculator {"expression":"1+1"}'],
    ["text: `1+1` = 2\n\nThen you said: “what time is it”", "clock {}"],
    ["text: It is 09:03:04 on Saturday, 2026-11-21 (UTC)."],
  ]);
});

test("[R11] script: what a person says after they stopped an answer in its tool is a question of its own", () => {
  const call = { type: "tool-call", toolCallId: "call-1", name: "research", args: { topic: "tides" } } as const;
  const result = { toolCallId: "call-1", name: "research", content: "It was interrupted.", isError: true };
  const messages = (stopped: { readonly stopped?: true }): ModelMessage[] => [
    user("research tides"),
    { role: "assistant", content: [call] },
    { role: "tool", results: [{ ...result, ...stopped }] },
    user("count to 3"),
  ];
  assert.deepEqual(read(script(messages({ stopped: true }))), ["text: 1 2 3"]);
  assert.match(read(script(messages({})))[0] ?? "", /^text: The tool research did not do it/);
});

test("[R2] script: two who steer are both answered", () => {
  const both = [
    user("what time is it"),
    { role: "assistant", content: [{ type: "tool-call", toolCallId: "1", name: "clock", args: {} }] },
    { role: "tool", results: [{ toolCallId: "1", name: "clock", content: "late", isError: false }] },
    user("hurry up"),
    user("use the calculator: 2^2"),
  ] satisfies ModelMessage[];
  assert.deepEqual(read(script(both)), [
    "text: The tool clock answered: late\n\nThen you said: “hurry up”\n\nThen you said: “use the calculator: 2^2”",
    'calculator {"expression":"2^2"}',
  ]);
});

test("[R2] script: what is said while a plan is worked off becomes a task of it", async () => {
  const steps = await play([user("plan a picnic")], realTools, [undefined, "invite   Bob too"]);
  const third = steps[2] ?? [];
  assert.match(third[0] ?? "", /^text: Then you said: “invite Bob too”\n\n2\. \*\*List what a picnic needs\*\*: /);
  assert.match(third[1] ?? "", /\{"title":"invite Bob too","status":"pending"\}\]\}$/);
  assert.deepEqual(steps.at(-2)?.[0], "text: 5. **invite Bob too**: Taken up, as you asked.");
  assert.deepEqual(steps.at(-1), ["text: All 5 tasks of the plan are done."]);
});

test("[R2] script: a command that comes while a plan is worked off is done beside it", async () => {
  const steps = await play([user("plan a picnic")], realTools, ["use the calculator: 6*7"]);
  const second = steps[1] ?? [];
  assert.match(second[0] ?? "", /^text: Then you said: “use the calculator: 6\*7”\n\n1\. /);
  assert.deepEqual(second[1], 'calculator {"expression":"6*7"}');
  assert.match(second[2] ?? "", /^plan /);
  assert.match(steps[2]?.[0] ?? "", /^text: `6\*7` = 42\n\n2\. /);
  assert.deepEqual(steps.at(-1), ["text: All 4 tasks of the plan are done."]);
});

test("[R2] script: a count that is steered to goes after the results", async () => {
  const steps = await play([user("what time is it")], realTools, ["count to 3"]);
  assert.deepEqual(steps[1], [
    "text: It is 09:03:04 on Saturday, 2026-11-21 (UTC).\n\nThen you said: “count to 3”\n\n",
    "text: 1 2 3",
  ]);
});

test("script: a long message is read in an instant, and said back cut", () => {
  for (const bit of [" ", "\n", ".", "and ", "research and ", "1", "count to 1"]) {
    const start = performance.now();
    script([user(bit.repeat(Math.ceil(100_000 / bit.length)))]);
    assert.ok(performance.now() - start < 500, JSON.stringify(bit));
  }
  const pieces = read(script([user(`plan ${"x".repeat(5_000)}`)]));
  assert.ok((pieces[0] ?? "").length < 300);
  const { tasks } = JSON.parse((pieces[1] ?? "").slice("plan ".length)) as { tasks: { title: string }[] };
  assert.ok(tasks.every(({ title }) => title.length <= 200));
});
