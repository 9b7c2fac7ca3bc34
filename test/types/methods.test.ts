/** What must not compile: `tsc` fails where an expected error is missing. Each case is refused at run time as well. */
import assert from "node:assert/strict";
import test from "node:test";
import { METHODS, type MethodName, type ParamsInput } from "../../src/protocol/methods.ts";
import { type AnyHandler, defineHandler } from "../../src/sessions/handler.ts";

const refused = (method: MethodName, which: "params" | "result", value: unknown) =>
  assert.equal(METHODS[method][which].safeParse(value).success, false);

test("[W1] wrong params do not compile", () => {
  // @ts-expect-error a number is no token
  const login: ParamsInput<"login"> = { token: 5 };
  refused("login", "params", login);
  // @ts-expect-error the key is missing
  const send: ParamsInput<"chat.send"> = { conversationId: "c", text: "t" };
  refused("chat.send", "params", send);
  // @ts-expect-error there is no such field
  const list: ParamsInput<"conversation.list"> = { limits: 5 };
  refused("conversation.list", "params", list);
  // @ts-expect-error one of the two is needed
  const stop: ParamsInput<"chat.stop"> = {};
  refused("chat.stop", "params", stop);
});

test("[W1] a handler whose result does not fit does not compile", () => {
  const wrong = [
    // @ts-expect-error `pong` is true
    defineHandler("ping", "public", () => ({ pong: false, time: "" })),
    // @ts-expect-error `models` is missing
    defineHandler("model.list", "user", () => ({})),
    // @ts-expect-error the promise is of something else
    defineHandler("logout", "user", async () => 5),
  ];
  for (const { method, run } of wrong as unknown as { method: MethodName; run: () => unknown }[]) {
    const result = run();
    if (!(result instanceof Promise)) refused(method, "result", result);
  }
});

test("a public handler can't rely on a user, and a handler of no method does not compile", () => {
  // @ts-expect-error a public handler may have no user
  const who = defineHandler("logout", "public", (context) => ({ name: context.user.name }));
  assert.throws(() => who.run({ user: undefined } as never, {}));
  // @ts-expect-error there is no such method
  const unknown: AnyHandler = { method: "nonsense", permission: "user", run: () => ({}) };
  assert.ok(!Object.hasOwn(METHODS, unknown.method));
  // @ts-expect-error nothing is public by omission
  const open: AnyHandler = { method: "logout", run: () => ({}) };
  assert.equal(open.permission, undefined);
});
