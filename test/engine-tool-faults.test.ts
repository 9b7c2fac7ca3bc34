import { toolFaults } from "./engine-tool-faults.ts";

toolFaults([
  ["refused", true, "never"],
  ["lost reply", true, "never"],
  ["death before", true, "never"],
  ["death after", true, "never"],
]);
