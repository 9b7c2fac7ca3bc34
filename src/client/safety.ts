import type { MethodName } from "../protocol/methods.ts";

/**
 * What may happen to a request whose connection was lost before its answer came.
 *
 * - `read`: changes nothing; it is sent again.
 * - `keyed`: has one effect for one `idempotencyKey`; it is sent again with the same key (and gets a key if it has none).
 * - `repeatable`: a repeat does what the first did, and is answered the same; it is sent again.
 * - `once`: may or may not have had its effect; it fails with UNAVAILABLE, and the caller decides.
 */
export type Safety = "read" | "keyed" | "repeatable" | "once";

const SAFETY: Readonly<Record<MethodName, Safety>> = {
  ping: "read",
  "request.cancel": "once",
  login: "once",
  logout: "once",
  "session.resume": "once",
  "session.get": "read",
  "session.list": "read",
  "session.revoke": "once",
  "topic.subscribe": "once",
  "topic.unsubscribe": "once",
  "presence.update": "once",
  "presence.leave": "once",
  "presence.list": "read",
  "conversation.create": "keyed",
  "conversation.list": "read",
  "conversation.get": "read",
  "conversation.rename": "once",
  "conversation.search": "read",
  "conversation.update": "once",
  "conversation.delete": "repeatable",
  "conversation.restore": "repeatable",
  "conversation.purge": "once",
  "conversation.listDeleted": "read",
  "conversation.selectBranch": "repeatable",
  "message.read": "read",
  "folder.list": "read",
  "folder.create": "keyed",
  "folder.rename": "once",
  "folder.delete": "once",
  // A link whose token was never told is replaced, and nobody has it.
  "share.create": "repeatable",
  "share.get": "read",
  "share.revoke": "repeatable",
  "share.open": "read",
  "chat.send": "keyed",
  "chat.steer": "keyed",
  "chat.regenerate": "keyed",
  "chat.edit": "keyed",
  "chat.stop": "once",
  "run.get": "read",
  "insights.get": "read",
  "run.retry": "keyed",
  "model.list": "read",
  "tool.list": "read",
  // The first decision stands, and the same again is answered with it [R7].
  "approval.decide": "repeatable",
  "approval.list": "read",
  "memory.list": "read",
  "memory.create": "keyed",
  "memory.update": "repeatable",
  "memory.delete": "once",
  "prompt.list": "read",
  "prompt.save": "keyed",
  "prompt.delete": "once",
};

/** To stop the run that is named twice is to stop it once; whatever run is active may be another one by then. */
export const safetyOf = (method: MethodName, params: object): Safety =>
  method === "chat.stop" && "runId" in params ? "repeatable" : SAFETY[method];
