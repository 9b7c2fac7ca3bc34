import { isDeepStrictEqual } from "node:util";
import type { StoredApproval } from "../src/ports/store.ts";
import { MAX_FRAME_OUT } from "../src/protocol/constants.ts";
import { ParleyError } from "../src/protocol/errors.ts";
import type { Params } from "../src/protocol/methods.ts";
import type { Approval, ToolArgs } from "../src/protocol/shapes.ts";
import { defineHandler } from "../src/sessions/handler.ts";

/** Bytes of approvals in one answer: the rest of the frame is around them. */
const ROOM = MAX_FRAME_OUT - 1024;
/** UTF-16 units that are left of a summary when an approval has to be cut. */
const CUT_SUMMARY = 200;

export default [
  defineHandler("approval.list", "user", async (context) => ({
    approvals: fitting(await context.services.store.approvals.pending(context.scope)),
  })),

  defineHandler("approval.decide", "user", async (context, params) => {
    const { store, agent, tools } = context.services;
    const { approvalId, decision, args, remember = false } = params;
    const found = await store.approvals.find(context.scope, approvalId);
    if (found === null) throw new ParleyError("NOT_FOUND");
    const approve = decision === "approve";
    if (approve && args !== undefined) refuseUnfit(tools.refusal(found.tool, args));
    const outcome = await store.approvals.decide(context.scope, approvalId, {
      approve,
      args: approve && args !== undefined ? args : null,
      remember: approve && remember,
    });
    if (outcome === null) throw new ParleyError("NOT_FOUND");
    if (outcome.decided) {
      const announced = agent.announce(outcome.announce);
      // The run that waited for it can be claimed again.
      agent.wake();
      await announced;
    } else if (!isSame(outcome.approval, params)) throw new ParleyError("ALREADY_DECIDED", standing(outcome.approval));
    const [approval] = fitting([outcome.approval]);
    if (approval === undefined) throw new Error("One approval without its arguments fits a frame");
    return { approval };
  }),
];

function refuseUnfit(reason: string | undefined): void {
  if (reason === undefined) return;
  throw new ParleyError("INVALID_PARAMS", { message: reason, issues: [{ path: "args", expected: reason }] });
}

/** Is it what stands already [R7]? What time or a stop decided is nobody's decision. */
function isSame(approval: StoredApproval, { decision, args }: Params<"approval.decide">): boolean {
  if (decision === "deny") return approval.status === "denied";
  return approval.status === "approved" && isDeepStrictEqual(runs(approval), args ?? approval.args);
}

const runs = ({ decidedArgs, args }: StoredApproval): ToolArgs => decidedArgs ?? args;

/** Why there is nothing to decide any more, where it was no person. */
function standing({ status }: Approval): { readonly message?: string } {
  if (status === "expired") return { message: "Nobody decided in time, so it was denied." };
  if (status === "cancelled") return { message: "The run has ended, and with it this question." };
  return {};
}

/**
 * As many as a frame holds. Where there is no room for the arguments of one, they are left out, as in its event: the
 * call's part has them.
 */
function fitting(approvals: readonly (Approval | StoredApproval)[]): Approval[] {
  let room = ROOM;
  const fit: Approval[] = [];
  for (const approval of approvals) {
    const whole = { ...approval, decidedArgs: undefined };
    const bare = { ...whole, args: {}, summary: approval.summary.slice(0, CUT_SUMMARY).toWellFormed() };
    const chosen = [whole, bare].find((one) => bytesOf(one) <= room);
    if (chosen === undefined) break;
    room -= bytesOf(chosen);
    fit.push(chosen);
  }
  return fit;
}

const bytesOf = (value: object): number => Buffer.byteLength(JSON.stringify(value)) + 1;
