import assert from "node:assert/strict";
import { test } from "node:test";
import type { Page } from "playwright-core";
import { violations } from "./support/axe.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// Code, formulas and tables of answers, in Chromium, with the real headers.

const web = webTest();

const CODE = 'const a = 1; // one\nif (a < 2 && a > 0) run("</b>", `x ${a}`);';
const TEXT = `It costs $5 or $10, with $E = mc^2$ and \\(a_1\\).

\`\`\`js
${CODE}
\`\`\`

$$
\\frac{a}{b} = \\begin{pmatrix} 1 & 2 \\end{pmatrix} \\in \\mathbb{R}
$$

| Name | Value |
|---|--:|
| $x^2$ | 1 |

- [x] done

\`\`\`python
def f(x: int) -> str:
    return "${"long ".repeat(30)}"
\`\`\`
`;

const coloured = (page: Page) => page.locator("pre code .code-word");

test("code is coloured and formulas are set when they are finished, and not before", async () => {
  const { conversation } = web.server.thread("Code");
  const page = await web.openConversation(conversation.id, { reducedMotion: "reduce" });
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const run = await web.ask(page);
  const middle = TEXT.indexOf("if (a");
  web.server.say(run, TEXT.slice(0, middle));
  await page.locator("pre code").waitFor();
  await page.locator("math").nth(1).waitFor();
  assert.equal(await coloured(page).count(), 0);
  const open = TEXT.indexOf("\\in");
  web.server.say(run, TEXT.slice(middle, open));
  await coloured(page).first().waitFor();
  assert.equal(await page.locator(".tex.display").count(), 1);
  web.server.say(run, TEXT.slice(open));
  web.server.finish(run, "completed");
  await page.getByRole("group", { name: "Formula" }).locator("math mfrac").waitFor();
  await page.locator("table math").waitFor();
  await page.getByRole("group", { name: "Python code" }).locator(".code-word").first().waitFor();

  assert.equal(await page.locator("pre code").first().textContent(), CODE);
  assert.match((await page.locator(".agent p").first().textContent()) ?? "", /^It costs \$5 or \$10, with/);
  assert.equal(await page.locator("math").count(), 4);
  assert.match((await page.locator("math[display]").textContent()) ?? "", /∈ℝ$/);
  await page.getByRole("button", { name: "Copy JavaScript code" }).click();
  await until(async () => (await page.evaluate(() => navigator.clipboard.readText())) === CODE, "the code");

  const python = page.locator("parley-code", { hasText: "Python" });
  const wrap = python.getByRole("button", { name: "Wrap lines" });
  const overflows = () => python.locator("pre").evaluate((pre) => pre.scrollWidth > pre.clientWidth);
  assert.equal(await overflows(), true);
  await wrap.click();
  assert.equal(await wrap.getAttribute("aria-pressed"), "true");
  assert.equal(await overflows(), false);
  assert.equal(await page.getByRole("button", { name: "Wrap lines" }).count(), 1);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), []);
  }
});

const EVIL = [
  "$\\href{javascript:window.hacked=1}{x}$",
  "$\\htmlStyle{position:fixed;inset:0}{x}$ $\\htmlData{a=b}{x}$ $\\htmlId{main}{x}$ $\\htmlClass{scrim}{x}$",
  "$$\\includegraphics{https://tracker.example/pixel.png}$$",
  "$\\url{javascript:window.hacked=1}$",
  "$\\color{red;background:url(https://tracker.example)}{x}$",
  "$$\\rule{9999em}{9999em}\\raisebox{9999em}{x}\\kern-9999em y$$",
  "$$\\def\\a{\\a\\a}\\a$$",
  `$$${"\\sqrt{".repeat(800)}x${"}".repeat(800)}$$`,
  `$$${"{".repeat(2_000)}$$`,
  "$\\text{<img src=x onerror=window.hacked=1>}$",
  "$<script>window.hacked=1</script>$",
  "```html\n<script>window.hacked=1</script><img src=x onerror=window.hacked=1>\n<style>*{display:none}</style>\n```",
  '```xml\n<a onclick="window.hacked=1"><![CDATA[<script>]]>\n```',
  "```__proto__\nx\n```\n\n```constructor\nx\n```",
  "```js\n`${'</code></pre><script>window.hacked=1</script>'}`\n```",
  "| <script>window.hacked=1</script> | $\\href{javascript:window.hacked=1}{x}$ |\n|---|---|\n| `<img onerror=x>` | ![p](https://tracker.example/t.png) |",
  "![own](/files/not-here) ![climbs](/files/../auth/session) ![other](//tracker.example/x.png)",
];

test("code, formulas, tables and pictures that want to act are only shown", async () => {
  const { conversation } = web.server.thread(
    "Evil",
    EVIL.map((text) => ["assistant", text] as const),
  );
  const page = await web.openConversation(conversation.id);
  const requested: string[] = [];
  page.on("request", (request) => requested.push(request.url()));
  await page.reload();
  // All of them come near the screen.
  for (let i = 0; i < EVIL.length; i++) await page.locator(".agent").nth(i).scrollIntoViewIfNeeded();
  await page.locator(".code-word, .code-name").first().waitFor();
  await page.locator("math").nth(3).waitFor();
  const found = await page.evaluate(() => {
    const transcript = document.querySelector(".transcript");
    const all = [...(transcript?.querySelectorAll("*") ?? [])];
    return {
      hacked: "hacked" in window,
      acting: [
        ...(transcript?.querySelectorAll(
          "script, iframe, object, embed, style, link, base, form, mglyph, annotation, maction, #main, .scrim",
        ) ?? []),
      ].map(({ tagName }) => tagName),
      attributes: [...new Set(all.flatMap((element) => element.getAttributeNames()))].filter((name) =>
        /^on|^style$|^srcdoc$|^data-|^mathcolor$|^mathbackground$/.test(name),
      ),
      links: [...(transcript?.querySelectorAll("a") ?? [])].map(({ href }) => href),
      images: [...(transcript?.querySelectorAll("img") ?? [])].map(({ src }) => new URL(src).pathname),
      wide: document.documentElement.scrollWidth > innerWidth,
    };
  });
  assert.deepEqual(
    { ...found, links: [] },
    { hacked: false, acting: [], attributes: [], links: [], images: ["/files/not-here"], wide: false },
  );
  for (const href of found.links) assert.match(href, /^https:|\/files\/not-here$/);
  assert.deepEqual(
    requested.filter((url) => !url.startsWith(web.server.url) && !url.startsWith("ws")),
    [],
  );
});

test("a table of 2,000 rows is shown whole in the end, keeps its heading, and an answer of 300 KB is all there", async () => {
  const rows = Array.from({ length: 2_000 }, (_, i) => `| row ${i} | ${i * 7} | $x_${i % 9}$ |`);
  const table = `| Name | Value | Formula |\n|---|--:|---|\n${rows.join("\n")}\n`;
  const long = Array.from({ length: 1_500 }, (_, i) => `## Part ${i}\n\n${"A line of words. ".repeat(10)}\n`).join(
    "\n",
  );
  const { conversation } = web.server.thread("Long", [["assistant", `${long}\nThe end of the words.`]]);
  const page = await web.openConversation(conversation.id);
  await page.getByText("The end of the words.").waitFor();
  await until(async () => (await page.locator(".agent .h2").count()) === 1_500, "all of the answer");

  const run = await web.ask(page);
  web.server.say(run, table.slice(0, table.indexOf("| row 900")));
  await page.locator("td", { hasText: /^row 5$/ }).waitFor();
  web.server.say(run, table.slice(table.indexOf("| row 900")));
  web.server.finish(run, "completed");
  await until(async () => (await page.locator("parley-table tbody tr").count()) === 2_000, "all rows");
  const box = page.getByRole("group", { name: "Table" });
  await box.evaluate((element) => (element.scrollTop = element.scrollHeight));
  const heading = box.getByRole("columnheader", { name: "Formula" });
  const [head, view] = await Promise.all([heading.boundingBox(), box.boundingBox()]);
  assert.ok(head !== null && view !== null && Math.abs(head.y - view.y) < 3, "the heading stays");
});

const part = (n: number): string => `## Part ${n}\n\n${`Words of part ${n}. `.repeat(8)}\n\n- [ ] one\n- [x] two\n\n`;

test("an answer that is written while its long beginning is read is whole, in order, and followed", async () => {
  const { conversation } = web.server.thread("Growing");
  const first = await web.openConversation(conversation.id);
  const run = await web.ask(first);
  web.server.say(run, Array.from({ length: 400 }, (_, n) => part(n)).join(""));
  const page = await web.openTab(first);
  for (let n = 400; n < 440; n++) web.server.say(run, part(n));
  web.server.finish(run, "completed");
  await until(async () => (await page.locator(".agent .h2").count()) === 440, "all parts");
  await until(async () => (await page.locator(".chunk.place").count()) === 0, "no place is left");
  const headings = await page.locator(".agent .h2").allTextContents();
  assert.deepEqual(headings, headings.map((_, n) => `Part ${n}`)); // prettier-ignore
  await page.getByText("Words of part 439.").waitFor();
});
