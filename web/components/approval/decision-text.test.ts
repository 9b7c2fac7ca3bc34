import assert from "node:assert/strict";
import { test } from "node:test";
import { anApproval } from "../../../test/support/shapes.fake.ts";
import { decisionText } from "./decision-text.ts";

const now = new Date(2026, 0, 1, 12, 30);
const decidedAt = new Date(2026, 0, 1, 12, 3).toISOString();
const told = (fields: Parameters<typeof anApproval>[0], here = false) =>
  decisionText(anApproval({ decidedAt, ...fields }), { userId: "ada", here, now });

test("a decision says who made it, and when, unless it was made here", () => {
  assert.match(told({ status: "approved", decidedBy: "ada" }) ?? "", /^Approved by you, in another window, at .*03/);
  assert.match(told({ status: "denied", decidedBy: "bob" }) ?? "", /^Denied by somebody else, at /);
  assert.match(told({ status: "expired" }) ?? "", /^Denied automatically at .*: nobody decided in time$/);
  assert.equal(told({ status: "approved", decidedBy: "ada" }, true), undefined);
  assert.equal(told({ status: "cancelled" }), undefined);
  assert.equal(told({ status: "pending", decidedAt: null }), undefined);
});
