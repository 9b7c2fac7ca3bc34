/** A Lua script that is sent by its hash, and in full to a server that does not know it (again). */
import { createHash } from "node:crypto";
import { Command } from "ioredis";
import type { RedisConnections } from "./redis-connection.ts";
import { isUnknownScript } from "./redis-errors.ts";

export class RedisScript {
  readonly #lua: string;
  readonly #sha: string;

  constructor(lua: string) {
    this.#lua = lua;
    this.#sha = createHash("sha1").update(lua).digest("hex");
  }

  /** Its answer; texts are UTF-8. Rejects as `RedisConnections.run` does. */
  async run(
    connections: Pick<RedisConnections, "client" | "run">,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<unknown> {
    const send = (name: string, script: string): Promise<unknown> => {
      const all = [script, String(keys.length)];
      for (const key of keys) all.push(key);
      for (const arg of args) all.push(arg);
      const command = new Command(name, all, { replyEncoding: "utf8" });
      connections.client.sendCommand(command);
      return command.promise;
    };
    return connections.run(
      send("evalsha", this.#sha).catch((error: unknown) => {
        if (!isUnknownScript(error)) throw error;
        return send("eval", this.#lua);
      }),
    );
  }
}
