import assert from "node:assert/strict";
import { test } from "node:test";
import { aConversation, aMessage, aToolPart } from "../../test/support/shapes.fake.ts";
import { asMarkdown, branchOf, fileName } from "./export.ts";

const message = (id: string, parentId: string | null) =>
  aMessage({ id, parentId, parts: [{ type: "text", text: id }] });
const tree = [
  message("q1", null),
  message("a1", "q1"),
  message("a1b", "q1"),
  message("q2", "a1b"),
  message("lost", null),
];

const ids = (messages: readonly { readonly id: string }[]) => messages.map(({ id }) => id);

test("Markdown has the branch that is shown, from its first message on", () => {
  assert.deepEqual(ids(branchOf("q2", tree)), ["q1", "a1b", "q2"]);
  assert.deepEqual(ids(branchOf("a1", tree)), ["q1", "a1"]);
  assert.deepEqual(branchOf(null, tree), []);
  assert.deepEqual(branchOf("not here", tree), []);
  const loop = [message("x", "y"), message("y", "x")];
  assert.deepEqual(ids(branchOf("x", loop)), ["y", "x"]);
});

test("each kind of part is readable, and no code ends its fence early", () => {
  const answer = aMessage({
    id: "a",
    parentId: null,
    role: "assistant",
    author: "demo",
    parts: [
      { type: "reasoning", text: "one\ntwo" },
      aToolPart({ name: "calculator", args: { code: "```js" }, result: 4, status: "completed" }),
      { type: "file", fileId: "f", name: "a.png", mediaType: "image/png", size: 1 },
      { type: "text", text: "Done." },
    ],
  });
  const text = asMarkdown(aConversation({ title: "Sum", headMessageId: "a" }), [answer]);
  assert.match(text, /^# Sum\n\n## demo\n\n> one\n> two\n\n\*\*calculator\*\* \(completed\)\n\n````json\n/);
  assert.match(text, /"result": 4\n\}\n````\n\n\*a\.png\* \(image\/png\)\n\nDone\.\n$/);
});

test("a title makes a name that every file system takes", () => {
  for (const [title, name] of [
    ["Plans", "Plans"],
    ['a/b\\c:d*e?f"g<h>i|j', "a b c d e f g h i j"],
    ["..\u0000.hidden", "hidden"],
    ["", "conversation"],
    ["/", "conversation"],
    ["x".repeat(200), "x".repeat(80)],
  ] as const) {
    assert.equal(fileName({ title }), name);
  }
});
