import { sessionCacheContract } from "../../test/contracts/session-cache.ts";
import { MemorySessionCache } from "./session-cache.memory.ts";

sessionCacheContract("session-cache.memory", (keepMs) => new MemorySessionCache(keepMs));
