/** A server dies in a plain chat, right before it makes a call: see harness.ts. */
import { testScenarios } from "./harness.ts";
import { chat, slow } from "./scenarios.ts";

testScenarios(
  "[R1][R3][R4][L11] a process that dies right before it makes a call loses nothing and repeats nothing",
  [chat, slow],
  ["before"],
);
