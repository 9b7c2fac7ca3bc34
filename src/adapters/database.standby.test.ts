import assert from "node:assert/strict";
import { test } from "node:test";
import { recordingLogger } from "../../test/support/logger.fake.ts";
import { ParleyError } from "../protocol/errors.ts";
import { readingFromStandby } from "./database.standby.ts";
import type { Database, Transaction, TransactionOptions } from "./database.ts";

const ALICE = { tenantId: "tenant", userId: "alice" };

/** A database that answers its own name, or fails. */
class NamedDatabase implements Pick<Database, "transaction"> {
  readonly used: (TransactionOptions | undefined)[] = [];
  failure: Error | undefined = undefined;
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  async transaction<T>(_access: unknown, work: (tx: Transaction) => Promise<T>, options?: TransactionOptions) {
    this.used.push(options);
    if (this.failure !== undefined) throw this.failure;
    const none = () => Promise.resolve([]);
    return work({ now: this.#name, open: () => Promise.resolve(), run: none, last: none, become: () => undefined });
  }
}

test("reads go to the standby; to the database while it fails, for a moment without asking it, and said once", async () => {
  const [standby, primary] = [new NamedDatabase("standby"), new NamedDatabase("primary")];
  const logger = recordingLogger();
  let now = 0;
  const reading = readingFromStandby({ standby, primary, logger, now: () => now });
  const ask = () => reading.transaction(ALICE, (tx) => Promise.resolve(tx.now));
  assert.equal(await ask(), "standby");
  assert.deepEqual(standby.used, [{ readOnly: true }], "nothing is written there");
  for (const failure of [new ParleyError("UNAVAILABLE"), new Error('role "parley_app" does not exist')]) {
    standby.failure = failure;
    standby.used.length = 0;
    assert.deepEqual(await Promise.all([ask(), ask()]), ["primary", "primary"]);
    assert.equal(await ask(), "primary");
    assert.equal(standby.used.length, 2);
    now += 5_000;
  }
  standby.failure = undefined;
  assert.equal(await ask(), "standby");
  assert.deepEqual(
    logger.lines.map(({ level }) => level),
    ["warn", "info"],
  );
});
