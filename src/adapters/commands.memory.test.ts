import { commandChannelContract } from "../../test/contracts/commands.ts";
import { MemoryCommandHub } from "./commands.memory.ts";

commandChannelContract("commands.memory", (_, nodes) => {
  const hub = new MemoryCommandHub();
  return Promise.resolve(Array.from({ length: nodes }, () => hub.join()));
});
