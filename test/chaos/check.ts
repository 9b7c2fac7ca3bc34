/** Plays a case under load and says what its readers found. */
import { setTimeout as wait } from "node:timers/promises";
import type { Client } from "../../src/client/client.ts";
import { ParleyError } from "../../src/protocol/errors.ts";
import { until } from "../support/until.ts";
import type { ChaosCase } from "./cases.ts";
import { ANSWER, beginStream, compare, NUMBERS, runsOf, type Stream, type Tab, ToolTalk } from "./streams.ts";
import type { World } from "./world.ts";

export interface Row {
  readonly name: string;
  /** Events of the model, over all readers. */
  readonly expected: number;
  readonly received: number;
  readonly lost: number;
  readonly doubled: number;
  /** Runs or answers that nobody asked for, tool effects that happened twice. */
  readonly twice: number;
  /** Streams and questions without an end. */
  readonly hung: number;
  readonly failedCalls: number;
  readonly calls: number;
  /** Of each reader of an unfinished answer: the longest time that it saw nothing new, from the fault on. */
  readonly silences: readonly number[];
  /** How long each connection that was lost, or moved, was away. */
  readonly reconnects: readonly number[];
  /** What else was wrong, in words; empty when all is well. */
  readonly problems: readonly string[];
}

/** The one refusal that a case may allow: named, retryable, and in time. */
const REFUSED = "call refused: UNAVAILABLE";
const END_MS = 120_000;
/** The fault comes at most so long after the last answer has begun. */
const MOMENT_MS = 2_000;

/** Calls that change nothing, all through the case: how many were refused to a caller who waits as long as the SDK does. */
class Calls {
  made = 0;
  readonly failed: string[] = [];
  #going = true;
  readonly #ended: Promise<unknown>;

  constructor(clients: readonly Client[]) {
    this.#ended = Promise.all(clients.map((client) => this.#loop(client)));
  }

  async stop(): Promise<void> {
    this.#going = false;
    await this.#ended;
  }

  async #loop(client: Client): Promise<void> {
    while (this.#going) {
      this.made++;
      await client.call("conversation.list", { limit: 1 }).catch((error: unknown) => {
        this.failed.push(error instanceof ParleyError ? error.code : String(error));
      });
      await wait(200);
    }
  }
}

/** From the fault on. Milliseconds; one that never came back has none, and its tab hangs. */
function reconnectsOf(clients: readonly Client[]): number[] {
  const times: number[] = [];
  for (const client of clients) {
    let since: number | undefined;
    client.onState(({ phase }) => {
      if (phase !== "ready") since ??= performance.now();
      else if (since !== undefined) {
        times.push(performance.now() - since);
        since = undefined;
      }
    });
  }
  return times;
}

async function begin(world: World, count: number) {
  const pairs = Array.from({ length: count }, () => [world.connect(), world.connect()] as const);
  const streams = await Promise.all(pairs.map(([writer, reader]) => beginStream(writer, reader)));
  const asker = world.connect();
  const { conversation } = await asker.call("conversation.create", {});
  return { pairs, streams, asker, talk: new ToolTalk(asker, conversation.id) };
}

/** All of them show text; from here on their silence counts. */
async function flowing(tabs: readonly Tab[]): Promise<void> {
  await until(() => tabs.every((tab) => tab.text.length > 40), "text in every tab", 60_000);
  for (const tab of tabs) tab.watch();
}

export async function play(world: World, one: ChaosCase, streamCount: number): Promise<Row> {
  await world.ready();
  const { pairs, streams, asker, talk } = await begin(world, streamCount);
  const tabs = streams.flatMap((stream) => stream.tabs);
  const spare = [world.connect(), world.connect()] as const;
  const problems: string[] = [];
  talk.begin(`${one.name} ${crypto.randomUUID()}`);
  await flowing(tabs);
  const more = async (count: number) => {
    const added = await Promise.all(Array.from({ length: count }, () => beginStream(...spare)));
    streams.push(...added);
    tabs.push(...added.flatMap((stream) => stream.tabs));
    await flowing(tabs.slice(-2 * count));
  };
  const calls = new Calls(pairs.slice(0, 4).map(([client]) => client));

  const reconnects = reconnectsOf([...pairs.flat(), ...spare, asker]);
  await world.lasts(MOMENT_MS * world.random());
  await one.fault({ world, streams, more }).catch((error: unknown) => problems.push(`the fault: ${String(error)}`));
  await until(() => tabs.every((tab) => tab.done && tab.text === ANSWER), "every answer", END_MS).catch(() => {});
  await calls.stop();
  await talk.stop().catch((error: unknown) => problems.push(String(error)));
  await world.ready().catch((error: unknown) => problems.push(String(error)));

  const found = tabs.map((tab) => compare(tab.text));
  const sum = (of: (one: (typeof found)[number]) => number) => found.reduce((total, each) => total + of(each), 0);
  problems.push(...tabs.flatMap((tab) => tab.wrong.map((text) => `a tab showed …${text}`)).slice(0, 3));
  problems.push(...unfinished(streams));
  problems.push(...new Set(calls.failed.map((code) => `call refused: ${code}`)));
  const row: Row = {
    name: one.name,
    expected: NUMBERS * tabs.length,
    received: sum(({ received }) => received),
    lost: sum(({ lost }) => lost),
    doubled: sum(({ doubled }) => doubled),
    twice: await doneTwice(world, streams, talk),
    hung: tabs.filter((tab) => !tab.done).length + (talk.sent - talk.answered),
    failedCalls: calls.failed.length,
    calls: calls.made,
    silences: tabs.map((tab) => tab.silence),
    reconnects: [...reconnects],
    problems,
  };
  for (const client of [...pairs.flat(), ...spare, asker]) client.close();
  return row;
}

const unfinished = (streams: readonly Stream[]): string[] =>
  streams.flatMap(({ conversationId, tabs }) =>
    tabs
      .filter((tab) => !tab.done || tab.text !== ANSWER)
      .map((tab) => `${conversationId}: ${tab.status}, ${tab.conversation.state.status}, …${tab.text.slice(-30)}`),
  );

async function doneTwice(world: World, streams: readonly Stream[], talk: ToolTalk): Promise<number> {
  const ids = [...streams.map(({ conversationId }) => conversationId), talk.conversation.id];
  const runs = (await runsOf(world, ids)) - streams.length - talk.sent;
  const saved = await world.sql<{ count: string }>("select count(*) from memories where text = any($1)", [
    talk.remembered,
  ]);
  const effects = Number(saved[0]?.count) - talk.remembered.length;
  return Math.abs(runs) + Math.abs(effects) + Math.max(0, talk.answers - talk.sent);
}

/** Nothing lost, doubled, hung, done twice, or wrong in another way; refused calls only where the case allows them. */
export const passed = (row: Row, { callsMayFail = false }: ChaosCase): boolean =>
  row.lost + row.doubled + row.twice + row.hung === 0 &&
  row.problems.every((problem) => callsMayFail && problem === REFUSED);

const COLUMNS = [
  "case",
  "expected",
  "received",
  "lost",
  "doubled",
  "twice",
  "hung",
  "calls refused",
  "silence: median, worst, ms",
  "reconnects: number, median, worst, ms",
];
export const HEADER = `| ${COLUMNS.join(" | ")} |\n|${COLUMNS.map((_, i) => (i === 0 ? "---" : "---:")).join("|")}|`;

/** "median, worst"; nothing for nothing. */
function middleAndWorst(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const [middle, worst] = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)];
  return middle === undefined || worst === undefined ? "" : `${Math.round(middle)}, ${Math.round(worst)}`;
}

export function line(row: Row): string {
  const { name, expected, received, lost, doubled, twice, hung, failedCalls, calls, silences, reconnects } = row;
  const back = reconnects.length === 0 ? "none" : `${reconnects.length}, ${middleAndWorst(reconnects)}`;
  const refused = `${failedCalls} of ${calls}`;
  const cells = [name, expected, received, lost, doubled, twice, hung, refused, middleAndWorst(silences), back];
  return `| ${cells.join(" | ")} |`;
}
