/**
 * Statements as one message to a Postgres, of its extended protocol: each is bound and executed, and one Sync ends them
 * all. From the first that fails to the Sync nothing is run.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 *
 *   [Close, Parse, Describe where it is new] Bind Execute … Bind Execute Sync
 */
import type { Value } from "./statement.ts";

/** One statement of a round trip, prepared under its name. */
export interface Step {
  readonly name: string;
  readonly text: string;
  readonly values: readonly Value[];
}

const HEADER = 5;
const FIRST_SIZE = 16 * 1024;
/** A larger buffer is not kept. */
const KEPT_SIZE = 256 * 1024;

class Writer {
  #buffer = Buffer.allocUnsafe(FIRST_SIZE);
  #at = 0;

  /** Whatever a batch that failed to be written has left here goes. */
  clear(): void {
    this.#at = 0;
  }

  begin(type: string): number {
    this.#room(HEADER);
    this.#buffer[this.#at] = type.charCodeAt(0);
    const start = this.#at + 1;
    this.#at += HEADER;
    return start;
  }

  end(start: number): void {
    this.#buffer.writeInt32BE(this.#at - start, start);
  }

  int16(value: number): void {
    this.#room(2);
    this.#at = this.#buffer.writeInt16BE(value, this.#at);
  }

  int32(value: number): void {
    this.#room(4);
    this.#at = this.#buffer.writeInt32BE(value, this.#at);
  }

  byte(character: string): void {
    this.#room(1);
    this.#buffer[this.#at++] = character.charCodeAt(0);
  }

  /** Ends with a zero byte. */
  name(text: string): void {
    this.#text(text);
    this.byte("\0");
  }

  /** Its length goes before it. */
  value(text: string): void {
    this.int32(0);
    const start = this.#at;
    this.#text(text);
    this.#buffer.writeInt32BE(this.#at - start, start - 4);
  }

  take(): Buffer {
    const whole = Buffer.from(this.#buffer.subarray(0, this.#at));
    this.#at = 0;
    if (this.#buffer.length > KEPT_SIZE) this.#buffer = Buffer.allocUnsafe(FIRST_SIZE);
    return whole;
  }

  #text(text: string): void {
    // A UTF-16 unit is three bytes of UTF-8 at most.
    this.#room(text.length * 3);
    this.#at += this.#buffer.write(text, this.#at, "utf8");
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#at + bytes, this.#buffer.length * 2));
    this.#buffer.copy(larger, 0, 0, this.#at);
    this.#buffer = larger;
  }
}

const writer = new Writer();

/** `isNew`: this connection has no such prepared statement, as far as is known. */
export function batchOf(steps: readonly Step[], isNew: (step: Step) => boolean): Buffer {
  writer.clear();
  for (const step of steps) {
    if (isNew(step)) prepare(step);
    bind(step);
    execute();
  }
  writer.end(writer.begin("S"));
  return writer.take();
}

function prepare({ name, text }: Step): void {
  // One that failed may have been prepared before it did: Close is no error where there is nothing.
  named("C", name);
  const parse = writer.begin("P");
  writer.name(name);
  writer.name(text);
  writer.int16(0);
  writer.end(parse);
  named("D", name);
}

/** Close or Describe of a prepared statement. */
function named(type: "C" | "D", name: string): void {
  const start = writer.begin(type);
  writer.byte("S");
  writer.name(name);
  writer.end(start);
}

/** To the unnamed portal; parameters and results as text. */
function bind({ name, values }: Step): void {
  const start = writer.begin("B");
  writer.name("");
  writer.name(name);
  writer.int16(0);
  writer.int16(values.length);
  for (const value of values) {
    if (value === null) writer.int32(-1);
    else writer.value(typeof value === "object" ? arrayText(value) : String(value));
  }
  writer.int16(0);
  writer.end(start);
}

function execute(): void {
  const start = writer.begin("E");
  writer.name("");
  writer.int32(0);
  writer.end(start);
}

const arrayText = (values: readonly string[]): string =>
  `{${values.map((value) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`;

// ── what comes back ─────────────────────────────────────────────────────────────────────────────────────────────

export interface Column {
  readonly name: string;
  readonly parse: (text: string) => unknown;
}

export type Row = Record<string, unknown>;

/** Names of a connection's prepared statements → their results' columns. */
export type Prepared = Map<string, readonly Column[]>;

/** Takes the answer to a batch, message by message in its order. */
export class BatchAnswer {
  /** Of each step. */
  readonly rows: Row[][] = [];
  readonly #steps: readonly Step[];
  readonly #prepared: Prepared;
  #columns: readonly Column[] = [];
  #current: Row[] = [];

  constructor(steps: readonly Step[], prepared: Prepared) {
    this.#steps = steps;
    this.#prepared = prepared;
    this.#next();
  }

  described(columns: readonly Column[]): void {
    this.#columns = columns;
  }

  row(values: readonly (string | null)[]): void {
    const row: Row = {};
    for (let i = 0; i < this.#columns.length; i++) {
      const column = this.#columns[i];
      const value = values[i];
      if (column !== undefined) row[column.name] = value === null || value === undefined ? null : column.parse(value);
    }
    this.#current.push(row);
  }

  completed(): void {
    const step = this.#steps[this.rows.length];
    if (step !== undefined) this.#prepared.set(step.name, this.#columns);
    this.rows.push(this.#current);
    this.#current = [];
    this.#next();
  }

  #next(): void {
    const step = this.#steps[this.rows.length];
    this.#columns = (step && this.#prepared.get(step.name)) ?? [];
  }
}
