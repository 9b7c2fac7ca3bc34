/** A server dies while people stop, interrupt, rename, note, and stop the server itself: see harness.ts. */
import { testScenarios } from "./harness.ts";
import { drain, interrupt, memories, stop } from "./scenarios.ts";
import { stopWaiting } from "./tool-scenarios.ts";

testScenarios("[R2][R7][R11][R12][W10] a process that dies at a boundary forgets no wish and follows none twice", [
  stop,
  interrupt,
  memories,
  stopWaiting,
  drain,
]);
