import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../../test/support/file-store.fake.ts";
import { aMessage } from "../../test/support/shapes.fake.ts";
import { uuidv7 } from "../protocol/id.ts";
import type { FilePart, Message } from "../protocol/shapes.ts";
import { asTaken, modelMessages } from "./model-messages.ts";

const MB = 1024 * 1024;

const fileOf = (name: string, size: number): FilePart => {
  const mediaType = name.endsWith(".png") ? "image/png" : "text/plain";
  return { type: "file", fileId: uuidv7(), name, mediaType, size };
};
const asks = (text: string, ...files: FilePart[]): Message =>
  aMessage({ id: uuidv7(), role: "user", parts: [{ type: "text", text }, ...files] });

async function read(
  transcript: readonly Message[],
  files: Pick<MemoryFileStore, "get">,
): Promise<{ users: string[][]; unread: unknown[] }> {
  const unread: unknown[] = [];
  const messages = await modelMessages({
    transcript,
    messageId: "a",
    parts: [],
    steps: [],
    contextTokens: undefined,
    files,
    onUnread: (error) => unread.push(error),
  });
  return { users: shown(messages), unread };
}

/** Of each message of the person: its texts, and of its files type, name and size. */
const shown = (messages: Awaited<ReturnType<typeof modelMessages>>): string[][] =>
  messages.flatMap((message) =>
    message.role === "user"
      ? [
          message.content.map((part) =>
            part.type === "text" ? part.text : `${part.type} ${part.name} ${part.data.length}`,
          ),
        ]
      : [],
  );

async function stored(...parts: FilePart[]): Promise<MemoryFileStore> {
  const files = new MemoryFileStore();
  for (const { fileId, size } of parts) await files.put(fileId, new Uint8Array(size));
  return files;
}

test("files come with their bytes, pictures as pictures; one that was deleted is told of", async () => {
  const [cat, notes, gone] = [fileOf("cat.png", 10), fileOf("notes.txt", 3), fileOf("gone.txt", 1)] as const;
  const { users, unread } = await read([asks("Look", cat, notes, gone)], await stored(cat, notes));
  assert.deepEqual(users, [
    ["Look", "image cat.png 10", "file notes.txt 3", "[The file gone.txt is not there any more.]"],
  ]);
  assert.deepEqual(unread, []);
});

test("the newest files win the room of a request; of the others their names are told", async () => {
  const [first, second, third] = [fileOf("1.png", 9 * MB), fileOf("2.png", 9 * MB), fileOf("3.png", 9 * MB)] as const;
  const transcript = [asks("one", first), asks("two", second), asks("three", third)];
  const { users } = await read(transcript, await stored(first, second, third));
  assert.deepEqual(users, [
    ["one", "[The file 1.png was attached here; newer files left no room for it.]"],
    ["two", `image 2.png ${9 * MB}`],
    ["three", `image 3.png ${9 * MB}`],
  ]);
});

test("a file store that is away costs one failure, and the model is told; the run goes on", async () => {
  let asked = 0;
  const away = {
    get: async () => {
      asked++;
      throw new Error("away");
    },
  };
  const { users, unread } = await read([asks("Look", fileOf("1.txt", 1), fileOf("2.txt", 1))], away);
  assert.deepEqual(users, [
    ["Look", "[The file 1.txt can't be read just now.]", "[The file 2.txt can't be read just now.]"],
  ]);
  assert.deepEqual([asked, unread.length], [1, 1]);
});

test("a model that sees no pictures is told of them; any other gets them", async () => {
  const [cat, notes] = [fileOf("cat.png", 10), fileOf("notes.txt", 3)] as const;
  const messages = await modelMessages({
    transcript: [asks("Look", cat, notes)],
    messageId: "a",
    parts: [],
    steps: [],
    contextTokens: undefined,
    files: await stored(cat, notes),
    onUnread: (error) => assert.fail(String(error)),
  });
  for (const images of [true, undefined]) assert.equal(asTaken(messages, images), messages);
  assert.deepEqual(shown(asTaken(messages, false)), [
    ["Look", "[A picture, cat.png, is attached here. This model can't see pictures.]", "file notes.txt 3"],
  ]);
});

test("the oldest turns go where the model does not take all, however roughly they are counted at first", async () => {
  /** Texts of the person that a model of so many tokens gets. */
  const kept = async (text: string, contextTokens: number) => {
    const files = new MemoryFileStore();
    const transcript = Array.from({ length: 10 }, (_, i) => asks(`${i} ${text}`));
    const input = { transcript, messageId: "a", parts: [], steps: [], contextTokens, files };
    return shown(await modelMessages({ ...input, onUnread: (error) => assert.fail(String(error)) })).map(([said]) =>
      Number(said?.split(" ")[0]),
    );
  };
  const all = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  const words = "word ".repeat(100);
  assert.deepEqual(await kept(words, 100_000), all);
  // Too many letters, not too many words.
  assert.deepEqual(await kept(words, 1_500), all);
  assert.deepEqual(await kept(words, 750), [5, 6, 7, 8, 9]);
  // Each of these is one letter, and counts as two tokens.
  assert.deepEqual(await kept("☀ ".repeat(100), 1_500), [5, 6, 7, 8, 9]);
});
