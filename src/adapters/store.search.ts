/**
 * Finds conversations by what was said in them. There is no index of words: row-level security would come before it, and
 * every message that is written would pay for it. Instead the newest conversations are looked through, half a megabyte a
 * transaction, up to a bound a call.
 *
 *   50 conversations ─▶ the title has the words?   yes ─▶ a hit
 *                    └▶ no ─▶ batches of 512 KiB ─▶ a message has them? its newest one, with what stands around it
 */
import { setImmediate as turnOfTheLoop } from "node:timers/promises";
import { sql } from "drizzle-orm";
import type { Hit, Scope, SearchStore } from "../ports/store.ts";
import type { Conversation } from "../protocol/shapes.ts";
import type { Database } from "./database.ts";
import { statement } from "./statement.ts";
import { decodeCursor, encodeCursor } from "./store.cursor.ts";
import { type Bigint, type ConversationRow, conversationFields, toConversation } from "./store.rows.ts";

const MAX_WORDS = 8;
/** Conversations that are looked up at once. */
const PAGE = 50;
/** Bytes of messages of one transaction, about: an embedded database holds up the whole process meanwhile. */
const BATCH_BYTES = 512 * 1024;
/** Of one conversation, from its end on. */
const CONVERSATION_BYTES = 2 * 1024 * 1024;
/** Of one call. */
const CALL_BYTES = 48 * 1024 * 1024;
const CALL_CONVERSATIONS = 2_000;
/** Characters before the first word, and altogether. */
const LEAD = 50;
const EXCERPT = 220;

interface TitleRow extends ConversationRow {
  readonly titled: boolean;
  readonly bytes: Bigint;
}

const hasAll = (text: string, patterns: unknown) =>
  sql`not exists (select from unnest(${patterns}::text[]) pattern where ${sql.raw(text)} !~ pattern)`;

const searchTitles = statement<{ time: string; id: string; patterns: string[]; limit: number }, TitleRow>(
  "search_titles",
  (p) => sql`
    select ${conversationFields}, ${hasAll("c.title", p.patterns)} as titled,
      coalesce((select sum(m.bytes) from messages m where m.conversation_id = c.id), 0) as bytes
    from conversations c
    where c.user_id = parley_user() and c.deleted_at is null
      and (c.updated_at, c.id) < (${p.time}::timestamptz, ${p.id}::uuid)
    order by c.updated_at desc, c.id desc
    limit ${p.limit}`,
);

interface MessageHit {
  readonly conversationId: string;
  readonly messageId: string;
  readonly text: string;
  readonly atStart: boolean;
  readonly atEnd: boolean;
}

const searchMessages = statement<{ ids: string[]; patterns: string[]; maxBytes: number }, MessageHit>(
  "search_messages",
  (p) => sql`
    select asked.id as "conversationId", hit.message_id as "messageId",
      substr(hit.text, hit.begins, ${sql.raw(String(EXCERPT))}) as text, hit.begins = 1 as "atStart",
      length(hit.text) < hit.begins + ${sql.raw(String(EXCERPT))} as "atEnd"
    from unnest(${p.ids}::uuid[]) asked(id), lateral (
      select m.id as message_id, said.text,
        greatest(1, regexp_instr(said.text, (${p.patterns}::text[])[1]) - ${sql.raw(String(LEAD))}) as begins
      from (
        select id, seq, parts, sum(bytes) over (order by seq desc) - bytes as newer_bytes
        from messages where conversation_id = asked.id
      ) m, lateral (
        select string_agg(part ->> 'text', e'\n') as text from jsonb_array_elements(m.parts) part
        where part ->> 'type' = 'text'
      ) said
      where m.newer_bytes < ${p.maxBytes} and said.text is not null and ${hasAll("said.text", p.patterns)}
      order by m.seq desc
      limit 1
    ) hit`,
);

/**
 * A regular expression that finds the word whatever its case: each letter stands in all of its forms, so that nothing is
 * left for a database's locale to decide.
 */
export function patternOf(word: string): string {
  let pattern = "";
  for (const char of word) {
    const forms = new Set([char, char.toLowerCase(), char.toUpperCase()].filter(isOne));
    if (forms.size > 1) pattern += `[${[...forms].join("")}]`;
    else pattern += /[!-/:-@[-^`{-~]/.test(char) ? `\\${char}` : char;
  }
  return pattern;
}

const isOne = (form: string): boolean => form.length === ((form.codePointAt(0) ?? 0) > 0xffff ? 2 : 1);

const wordsOf = (query: string): string[] =>
  [...new Set(query.split(/\s+/).filter((word) => word !== ""))].slice(0, MAX_WORDS);

/** As many of `rows`, in their order, as have `BATCH_BYTES` together; at least one. */
function* batches(rows: readonly TitleRow[]): Generator<readonly TitleRow[]> {
  let batch: TitleRow[] = [];
  let bytes = 0;
  for (const row of rows) {
    const more = bytesOf(row);
    if (batch.length > 0 && bytes + more > BATCH_BYTES) {
      yield batch;
      [batch, bytes] = [[], 0];
    }
    batch.push(row);
    bytes += more;
  }
  if (batch.length > 0) yield batch;
}

const bytesOf = ({ titled, bytes }: TitleRow): number => (titled ? 0 : Math.min(Number(bytes), CONVERSATION_BYTES));

const placeOf = ({ updatedAt: time, id }: Conversation) => ({ time, id });

export const createSearchStore = (database: Pick<Database, "transaction">): SearchStore => ({
  async search(scope, { query, cursor, limit }) {
    let after = decodeCursor(cursor);
    const patterns = wordsOf(query).map(patternOf);
    if (patterns.length === 0) return { hits: [], nextCursor: null };
    const hits: Hit[] = [];
    let [looked, bytes] = [0, 0];
    for (;;) {
      const rows = await database.transaction(scope, (tx) => tx.run(searchTitles, { ...after, patterns, limit: PAGE }));
      for (const batch of batches(rows)) {
        // Whoever waits has a turn in between.
        await turnOfTheLoop();
        const said = await searchIn(database, scope, batch, patterns);
        for (const row of batch) {
          const conversation = toConversation(row);
          after = placeOf(conversation);
          const excerpt = said.get(row.id);
          if (!row.titled && excerpt === undefined) continue;
          hits.push(row.titled || excerpt === undefined ? { conversation } : { conversation, excerpt });
          if (hits.length >= limit) return { hits, nextCursor: encodeCursor(after) };
        }
        looked += batch.length;
        bytes += batch.reduce((sum, row) => sum + bytesOf(row), 0);
        if (bytes >= CALL_BYTES || looked >= CALL_CONVERSATIONS) return { hits, nextCursor: encodeCursor(after) };
      }
      if (rows.length < PAGE) return { hits, nextCursor: null };
    }
  },
});

async function searchIn(
  database: Pick<Database, "transaction">,
  scope: Scope,
  rows: readonly TitleRow[],
  patterns: string[],
): Promise<ReadonlyMap<string, NonNullable<Hit["excerpt"]>>> {
  const ids = rows.filter(({ titled, bytes }) => !titled && Number(bytes) > 0).map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const found = await database.transaction(scope, (tx) =>
    tx.run(searchMessages, { ids, patterns, maxBytes: CONVERSATION_BYTES }),
  );
  return new Map(found.map(({ conversationId, ...excerpt }) => [conversationId, excerpt]));
}
