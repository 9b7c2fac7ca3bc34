/**
 * What the demo model says next: a pure function of the messages and the tools that it is given, so that whoever
 * repeats a call hears the same.
 *
 *   question ─▶ [reasoning] [text] calls ─▶ results ─▶ text: what came of them
 *                                            └─▶ of a plan: text of the task that runs, then the plan again ─▶ …
 *
 * Only what has come since its last words counts: results of its calls, and what a person said. A person who says
 * something while results come has steered: both are answered.
 */
import type { ModelMessage, ModelRequest, ModelToolResult } from "../ports/model.ts";
import { call, counting, words, type Piece } from "./demo-pieces.ts";
import { afterTask, doing, newPlan, planOf, type Task, taskToDo, withTasks } from "./demo-plan.ts";
import { MAX_CALLS, readQuestion, type Call, type Question } from "./demo-questions.ts";
import { tell } from "./demo-tell.ts";

export const COUNT_LIMIT = 1_000_000;

const HELP = `This is the demo model: its answers are fixed, and no real model stands behind it. For a real one, start the server with ANTHROPIC_API_KEY, OPENAI_API_KEY, GEMINI_API_KEY or COMPATIBLE_BASE_URL set.

The demo model understands:

- count to 20
- use the calculator: 2 * (3 + 4)
- what time is it
- remember that I like tea
- research otters and seals
- plan a picnic
- delete the file notes.txt
- think about whales`;

const TOO_FAR = `The demo model counts from 1 to a number of at most ${COUNT_LIMIT}. Try "count to 20".`;

/** UTF-16 units of a person's words that are said back. */
const QUOTED = 200;

interface Heard {
  readonly results: readonly ModelToolResult[];
  /** What persons said, oldest first. */
  readonly said: readonly string[];
  /** The plan that the last calls showed, unless it failed. */
  readonly plan: readonly Task[] | undefined;
}

export function scriptFor({ messages, tools }: ModelRequest): readonly Piece[] {
  const { results, said, plan } = heard(messages);
  const steered = results.length > 0;
  // Without results between them, earlier questions belong to answers that were stopped or failed.
  const asked = (steered ? said : said.slice(-1)).map((text) => ({ text, question: readQuestion(text) }));
  const questions = asked.map(({ question }) => question);

  const text = results.filter(({ name, isError }) => name !== "plan" || isError).map((result) => tell(result));
  if (steered) text.push(...asked.map(({ text: words }) => `Then you said: “${quoted(words)}”`));

  const countTo = questions.find((question) => question.countTo !== undefined)?.countTo;
  if (countTo !== undefined) return [...paragraph(text, "\n\n"), ...count(countTo)];

  const known = new Set(tools.map(({ name }) => name));
  const wanted = questions.flatMap((question) => question.calls);
  const calls = wanted.filter(({ name }) => known.has(name));
  const absent = wanted.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (questions.some((question) => question.tooMany)) text.push(`I do the first ${MAX_CALLS} of these only.`);

  const planned = planning(plan, asked, known);
  text.push(...planned.text);
  calls.push(...planned.calls);
  absent.push(...planned.absent);
  for (const name of new Set(absent)) text.push(`There is no tool ${name} here, so I can't do that.`);

  const thought = questions.find((question) => question.thought !== undefined)?.thought;
  const reasoning = thought === undefined ? [] : [words("reasoning", thinking(thought))];
  if (text.length === 0 && calls.length === 0) text.push(thought === undefined ? HELP : thoughtThrough(thought));
  return [...reasoning, ...paragraph(text, ""), ...calls.map(({ name, args }) => call(name, args))];
}

/** What has come since the model's last words; where nothing has, what was asked before them. */
function heard(messages: readonly ModelMessage[]): Heard {
  const open = messages.findLastIndex(({ role }) => role === "user" || role === "tool");
  const last = messages.findLastIndex(({ role }, i) => role === "assistant" && i < open);
  const since = messages.slice(last + 1);
  const came = since.flatMap((message) => (message.role === "tool" ? message.results : []));
  // Of an answer that a person stopped nothing is told: what they say now is a question of its own.
  const results = came.some(({ stopped }) => stopped) ? [] : came;
  const said = since.flatMap((message) => (message.role === "user" ? [textOf(message)] : []));
  const answer = messages[last];
  const shown =
    answer?.role === "assistant"
      ? answer.content.findLast((part) => part.type === "tool-call" && part.name === "plan")
      : undefined;
  if (shown?.type !== "tool-call") return { results, said, plan: undefined };
  const taken = results.some(({ toolCallId, isError }) => toolCallId === shown.toolCallId && !isError);
  return { results, said, plan: taken ? planOf(shown.args) : undefined };
}

const textOf = (message: Extract<ModelMessage, { readonly role: "user" }>): string =>
  message.content.map((part) => (part.type === "text" ? part.text : "")).join("\n");

interface Planned {
  readonly text: readonly string[];
  readonly calls: readonly Call[];
  readonly absent: readonly string[];
}

/** Goes on with the plan that is shown, or makes the one that is asked for. */
function planning(
  shown: readonly Task[] | undefined,
  asked: readonly { readonly text: string; readonly question: Question }[],
  known: ReadonlySet<string>,
): Planned {
  const thing = asked.map(({ question }) => question.plan).find((plan) => plan !== undefined);
  if (thing !== undefined) {
    if (!known.has("plan")) return { text: [], calls: [], absent: ["plan"] };
    const tasks = newPlan(quoted(thing));
    return { text: [`I plan ${quoted(thing)} in ${tasks.length} tasks.`], calls: [planCall(tasks)], absent: [] };
  }
  if (shown === undefined) return { text: [], calls: [], absent: [] };
  const added = asked.filter(({ question }) => question.calls.length === 0 && question.thought === undefined);
  const plan = withTasks(
    shown,
    added.map(({ text }) => quoted(text)),
  );
  const index = taskToDo(plan);
  if (index < 0) return { text: [`All ${plan.length} tasks of the plan are done.`], calls: [], absent: [] };
  return { text: [doing(plan, index)], calls: [planCall(afterTask(plan, index))], absent: [] };
}

const planCall = (tasks: readonly Task[]): Call => ({ name: "plan", args: { tasks } });

const count = (to: number): readonly Piece[] =>
  to >= 1 && to <= COUNT_LIMIT ? [counting(to)] : [words("text", TOO_FAR)];

const paragraph = (paragraphs: readonly string[], end: string): readonly Piece[] =>
  paragraphs.length === 0 ? [] : [words("text", paragraphs.join("\n\n") + end)];

function quoted(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length <= QUOTED ? line : `${line.slice(0, QUOTED - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

const thinking = (about: string): string =>
  `I am asked to think about ${quoted(about)}. What is known about it, what is not, and what would change the answer? ` +
  "As a demo model I know nothing, so all I can do is to show where a model's thoughts appear.";

const thoughtThrough = (about: string): string =>
  `I have thought about ${quoted(about)}. As a demo model I know nothing about it, but a real one thinks in the same place.`;
