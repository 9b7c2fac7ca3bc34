import assert from "node:assert/strict";
import { test } from "node:test";
import { addressText, remoteAddress } from "./remote-address.ts";

const bytes = (hex: string) => new Uint8Array(Buffer.from(hex, "hex"));

const addresses: readonly (readonly [hex: string, text: string])[] = [
  ["7f000001", "127.0.0.1"],
  ["00000000000000000000ffff7f000001", "127.0.0.1"],
  ["00000000000000000000000000000001", "::1"],
  ["20010db8000000000000ff0000428329", "2001:db8::ff00:42:8329"],
  ["", ""],
];
for (const [hex, text] of addresses) {
  test(`the address ${text || "of nobody"}`, () => assert.equal(addressText(bytes(hex)), text));
}

test("X-Forwarded-For counts behind a trusted proxy only, and only its last hop", () => {
  const socket = bytes("0a000001");
  const cases: readonly (readonly [header: string, trust: boolean, expected: string])[] = [
    ["203.0.113.7", false, "10.0.0.1"],
    ["203.0.113.7", true, "203.0.113.7"],
    ["1.1.1.1, 203.0.113.7", true, "203.0.113.7"],
    ["1.1.1.1,2001:db8::1", true, "2001:db8::1"],
    ["<script>", true, "10.0.0.1"],
    ["203.0.113.7, unknown", true, "10.0.0.1"],
    ["", true, "10.0.0.1"],
  ];
  for (const [header, trust, expected] of cases) assert.equal(remoteAddress(socket, header, trust), expected, header);
});
