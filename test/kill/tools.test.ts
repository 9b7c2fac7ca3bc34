/** A server dies at the boundaries of tool calls and approvals: see harness.ts. */
import { testScenarios } from "./harness.ts";
import { tools } from "./tool-scenarios.ts";

testScenarios("[R5][R7] a process that dies at a boundary loses no effect and repeats none", [tools]);
