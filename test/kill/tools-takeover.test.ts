/** A server dies that has just taken over, with tool calls under way: see harness.ts. */
import { testScenarios } from "./harness.ts";
import { toolsTakeover } from "./tool-scenarios.ts";

testScenarios("[R4][R5][R7] a process that dies while it takes over loses no effect and repeats none", [toolsTakeover]);
