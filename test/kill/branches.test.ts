/** A server dies while people answer again, edit and steer: see harness.ts. */
import { testScenarios } from "./harness.ts";
import { branches, steer } from "./scenarios.ts";

testScenarios("[R1][R2][W10] a process that dies at a boundary loses no branch and makes none twice", [
  branches,
  steer,
]);
