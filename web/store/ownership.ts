/** Does whoever is signed in own the tenant? Asked once for each person; until it is known, no. */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import type { Client } from "../../src/client/client.ts";

type Asked = Pick<Client, "call" | "onState" | "identity" | "state">;

const known = new WeakMap<Asked, ReadonlySignal<boolean>>();

export function ownershipOf(client: Asked): ReadonlySignal<boolean> {
  const before = known.get(client);
  if (before !== undefined) return before;
  const owns = signal(false);
  let userId: string | undefined;
  const ask = (): void => {
    const id = client.identity?.user.id;
    if (client.state.phase !== "ready" || id === undefined || id === userId) return;
    [userId, owns.value] = [id, false];
    client
      .call("session.get", {})
      .then(({ roles }) => {
        if (id === userId) owns.value = roles.includes("owner");
      })
      // Asked again with the next connection. A server of before tells no roles.
      .catch(() => {
        if (id === userId) userId = undefined;
      });
  };
  client.onState(ask);
  ask();
  known.set(client, owns);
  return owns;
}
