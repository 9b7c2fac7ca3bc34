/** A server dies in a plain chat, right after a call that it never hears of: see harness.ts. */
import { testScenarios } from "./harness.ts";
import { chat, slow } from "./scenarios.ts";

testScenarios(
  "[R1][R3][R4][L11] a process that dies right after a call that it never hears of loses nothing and repeats nothing",
  [chat, slow],
  ["after"],
);
