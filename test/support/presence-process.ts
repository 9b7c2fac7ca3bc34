// node presence-process.ts URL PREFIX TTL TOPIC: a node with one member, which it names again for as long as it lives.
import { createRedisPresence } from "../../src/adapters/presence.redis.ts";
import { createRedisConnections } from "../../src/adapters/redis-connection.ts";
import { recordingLogger } from "./logger.fake.ts";

const [url = "", keyPrefix = "", ttl = "", topic = ""] = process.argv.slice(2);
const ttlMs = Number(ttl);
const connections = createRedisConnections({ url, logger: recordingLogger() });
await connections.start();
const presence = createRedisPresence({ connections, keyPrefix, ttlMs });
const name = () => presence.update(topic, { memberId: "of the dead", user: { id: "u", name: "Bob" }, state: "active" });
await name();
process.stdout.write("there\n");
setInterval(() => {
  name().catch(() => process.exit(1));
}, ttlMs / 3);
