import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type SourceString, sourceStrings } from "./support/source-strings.ts";

// What a page says is in web/text, in every language: none of it stands between the markup.

const WEB = join(import.meta.dirname, "../web");

/** Attributes that people are shown or told. */
const SPOKEN =
  /\b(?:aria-label|aria-description|aria-roledescription|aria-valuetext|title|placeholder|alt|label)="([^"]*)"/g;
const LETTERS = /\p{L}{2,}/u;
/** Names that are written the same everywhere. */
const NAMES = /^(?:[A-Z][A-Z0-9_]+|Parley)$/;

/** Of a template of markup: the text and the spoken attributes that have words. */
function wordsOfMarkup(markup: string): string[] {
  const bare = markup.replaceAll(/<!--.*?-->/gs, "");
  const attributes = [...bare.matchAll(SPOKEN)].map(([, value = ""]) => value);
  const texts = bare.replaceAll(/<[^>]*>/gs, "\n").split(/[\n\0]/);
  return [...attributes, ...texts].map((part) => part.trim()).filter((part) => LETTERS.test(part) && !NAMES.test(part));
}

/** Values of the platform that look like words. */
const PLATFORM =
  /^(?:Escape|Enter|Tab|Home|End|Page(?:Up|Down)|Arrow(?:Up|Down|Left|Right)|Files|Backspace|Delete|Space|Notification)$/;
/** Names of makers and of units. */
const PROPER = /^(?:Anthropic|OpenAI|Google|Ollama|Parley|[KMG]?B)$/;
/** A sentence, a capitalised word, or words around an expression. */
const PROSE = /^\p{Lu}\p{Ll}+(?:[ .,:…!?\0]|$)|\p{L}{2,} \p{L}{2,}.*[.…?!]$|\0 \p{Ll}{2,}|\p{Ll}{2,}: \0/u;

/** What is said in no language: addresses, names of programming languages, and what the demo model understands. */
const MEANT = /^(?:\/#login=…|What can you do\?)$/;
const NAMES_ONLY = new Set(["markdown/languages.ts", "store/device-name.ts"]);

const isProse = ({ tag, value }: SourceString): boolean =>
  (tag === undefined || tag === "") && PROSE.test(value) && !PLATFORM.test(value) && !PROPER.test(value);

const sources = ["app.ts", "later.ts", "components", "store", "markdown"].flatMap((place) =>
  place.endsWith(".ts")
    ? [place]
    : readdirSync(join(WEB, place), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts") && !/\.(?:test|fake|style)\.ts$/.test(file))
        .map((file) => join(place, file))
        .filter((file) => !NAMES_ONLY.has(file)),
);

test("no words are left between the markup, or in the strings beside it", () => {
  assert.ok(sources.length > 50);
  const left = sources.flatMap((file) => {
    const source = readFileSync(join(WEB, file), "utf8").replaceAll(/^(?:import|export) .*from ".*";$/gm, "");
    // What is thrown is a bug's, and nobody is shown it.
    return sourceStrings(source.replaceAll(/new (?:Type)?Error\([^)]*\)/g, "")).flatMap((string) => {
      const words = string.tag === "html" ? wordsOfMarkup(string.value) : isProse(string) ? [string.value] : [];
      return words
        .filter((word) => !MEANT.test(word))
        .map((word) => `web/${file}:${string.line} ${JSON.stringify(word)}`);
    });
  });
  assert.deepEqual(left, []);
});

test("words that are left are found", () => {
  const source = [
    "// Not a comment.",
    "html`<p title=${x}>${y ? html`<b>Bold words</b>` : nothing}</p>`;",
    'html`<a aria-label="Go there" href="/a">${"Shown"}</a>`;',
    'const a = b / c, d = /["`]/.test(e) ? `${n} queued` : "plain-name";',
    'f({ key: "Escape", say: "This is left." });',
  ].join("\n");
  const strings = sourceStrings(source);
  const words = strings.flatMap((string) =>
    string.tag === "html" ? wordsOfMarkup(string.value) : isProse(string) ? [string.value] : [],
  );
  assert.deepEqual(words.toSorted(), ["\0 queued", "Bold words", "Go there", "Shown", "This is left."].toSorted());
  assert.deepEqual(
    strings.map(({ line }) => line),
    [2, 2, 3, 3, 4, 4, 5, 5],
  );
});
