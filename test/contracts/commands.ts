/** What every `CommandChannel` does while nothing is lost. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import type { CommandChannel, NodeCommand } from "../../src/ports/commands.ts";
import { until } from "../support/until.ts";

const COMMANDS: readonly NodeCommand[] = [
  { kind: "session.revoked", sessionId: "a session" },
  { kind: "share.revoked", shareId: "a link" },
  { kind: "run.stop", runId: "a run" },
  { kind: "run.wake" },
];

function heard(channel: CommandChannel): NodeCommand[] {
  const commands: NodeCommand[] = [];
  channel.listen((command) => commands.push(command));
  return commands;
}

/** `join` makes nodes of one cluster that hear each other when it resolves, and closes them at the test's end. */
export function commandChannelContract(
  name: string,
  join: (t: TestContext, nodes: number) => Promise<readonly CommandChannel[]>,
): void {
  test(`${name}: every other node hears a command, its sender does not`, async (t) => {
    const [a, b, c] = await join(t, 3);
    assert.ok(a && b && c);
    const [atA, atB, atC] = [heard(a), heard(b), heard(c)];
    for (const command of COMMANDS) a.publish(command);
    await until(() => atB.length === COMMANDS.length && atC.length === COMMANDS.length, "the commands of A");
    assert.deepEqual(atB, COMMANDS);
    assert.deepEqual(atC, COMMANDS);
    b.publish({ kind: "run.stop", runId: "of B" });
    await until(() => atA.length === 1 && atC.length === COMMANDS.length + 1, "the command of B");
    assert.deepEqual(atA, [{ kind: "run.stop", runId: "of B" }]);
    assert.equal(atB.length, COMMANDS.length);
  });

  test(`${name}: a listener that has left hears nothing more, nor does a channel that is closed`, async (t) => {
    const [a, b, c] = await join(t, 3);
    assert.ok(a && b && c);
    const left: NodeCommand[] = [];
    const leave = b.listen((command) => left.push(command));
    const atB = heard(b);
    const atC = heard(c);
    leave();
    await Promise.all([c.close(), c.close()]);
    c.publish({ kind: "run.wake" });
    a.publish({ kind: "run.stop", runId: "last" });
    await until(() => atB.length > 0, "the command of A");
    assert.deepEqual(atB, [{ kind: "run.stop", runId: "last" }]);
    assert.deepEqual(left, []);
    assert.deepEqual(atC, []);
  });
}
