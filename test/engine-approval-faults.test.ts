import { toolFaults } from "./engine-tool-faults.ts";

toolFaults([
  ["death before", false, "ask"],
  ["death after", true, "ask"],
]);
