import assert from "node:assert/strict";
import { test } from "node:test";
import type { PresenceMember } from "../../../src/protocol/shapes.ts";
import { presenceLine } from "./presence-line.ts";

const at = (name: string, state: PresenceMember["state"] = "active", device = "1"): PresenceMember => ({
  memberId: `${name} ${device}`,
  user: { id: name, name },
  state,
});

const cases: readonly [what: string, others: readonly PresenceMember[], said: string | undefined][] = [
  ["nobody", [], undefined],
  ["who has turned away", [at("Ann", "away"), at("me", "away")], undefined],
  ["one's own phone", [at("me")], "Also open on another device"],
  ["one's own phone and laptop", [at("me"), at("me", "typing", "2")], "Typing on another device…"],
  ["one other", [at("Ann")], "Ann is here"],
  ["one other with two devices", [at("Ann"), at("Ann", "active", "2")], "Ann is here"],
  ["two others, and a device", [at("Ann"), at("me"), at("Ben")], "Ann and 1 other are here"],
  ["three others", [at("Ann"), at("Ben"), at("Cem")], "Ann and 2 others are here"],
  ["one who writes beside one who reads", [at("Ann"), at("Ben", "typing")], "Ben is typing…"],
  ["one who writes on two devices", [at("Ben", "typing"), at("Ben", "typing", "2")], "Ben is typing…"],
  [
    "two who write, and a device",
    [at("Ann", "typing"), at("Ben", "typing"), at("me", "typing")],
    "2 people are typing…",
  ],
  ["one who reads, and a device that writes", [at("Ann"), at("me", "typing")], "Typing on another device…"],
];

for (const [what, others, said] of cases)
  test(`of ${what}: ${said ?? "nothing"}`, () => assert.equal(presenceLine(others, "me")?.text, said));
