/** A server dies that has just taken over a plain chat: see harness.ts. */
import { testScenarios } from "./harness.ts";
import { takeover } from "./scenarios.ts";

testScenarios("[R3][R4][R5] a process that dies while it takes over loses nothing and repeats nothing", [takeover]);
