import assert from "node:assert/strict";
import { test } from "node:test";
import { ParleyError } from "../src/protocol/errors.ts";
import type { Insights } from "../src/protocol/methods/insights.ts";
import type { Run, Step } from "../src/protocol/shapes.ts";
import { violations } from "./support/axe.ts";
import { until } from "./support/until.ts";
import { webTest } from "./support/web-test.ts";

// What goes on behind a conversation, and what all of them took, in Chromium, with the real headers.

const web = webTest();

/** Numbers of a tenant where one answer of two failed, in the last span. */
function numbers(times: readonly unknown[]): Insights {
  const spans = times.length - 1;
  const last = (value: number): number[] => Array.from({ length: spans }, (_, i) => (i === spans - 1 ? value : 0));
  const known = (value: number): (number | null)[] => last(value).map((each) => (each === 0 ? null : each));
  return {
    totals: {
      runs: 2,
      completed: 1,
      failed: 1,
      stopped: 0,
      people: 2,
      calls: 3,
      inputTokens: 1_200,
      outputTokens: 300,
      cachedInputTokens: 0,
      reasoningTokens: 0,
      costMicros: 2_500_000,
      firstToken: { p50: 240, p95: 1_900 },
      answer: { p50: 4_000, p95: null },
    },
    series: {
      runs: last(2),
      failed: last(1),
      stopped: last(0),
      calls: last(3),
      inputTokens: last(1_200),
      outputTokens: last(300),
      costMicros: last(2_500_000),
      firstTokenP50: known(240),
      firstTokenP95: known(1_900),
      answerP50: known(4_000),
      answerP95: known(4_000),
    },
    models: [
      {
        model: "<img src=x onerror=alert(1)>",
        calls: 3,
        inputTokens: 1_200,
        outputTokens: 300,
        costMicros: 2_500_000,
        firstTokenP50: 240,
        durationP50: 900,
      },
    ],
    tools: [{ name: "research", calls: 4, failed: 1, durationP50: 3_000 }],
    errors: [{ code: "MODEL_FAILED", count: 1 }],
  };
}

const timesAsked = (question: number): number => {
  const times = web.requests("insights.get")[question]?.["times"];
  return Array.isArray(times) ? times.length : 0;
};

test("the insights page shows an owner what was asked, as charts and as tables, over the time that is chosen", async () => {
  const { server } = web;
  server.answers.set("session.get", () => ({ session: {}, roles: ["owner"] }));
  server.answers.set("insights.get", ({ times }) => ({ insights: numbers(times as unknown[]) }));
  const page = await web.open();
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByRole("button", { name: /account/ }).click();
  await page.getByRole("menuitem", { name: "Insights" }).click();
  await page.getByRole("heading", { level: 1, name: "Insights" }).waitFor();
  assert.equal(page.url(), `${server.url}/insights`);
  await page.locator(".uplot canvas").nth(4).waitFor();
  assert.equal(timesAsked(0), 29);
  const tiles = (await page.locator(".tiles").innerText()).replace(/\s+/g, " ");
  assert.match(tiles, /Answers 2 of 2 people Failed 1 50% of all/);
  assert.match(tiles, /Cost \$2\.50 3 calls of models/);
  assert.match(tiles, /First token 240 ms/);

  await page.getByRole("radio", { name: "30 days" }).check();
  await until(() => web.requests("insights.get").length === 2, "the other time");
  assert.equal(timesAsked(1), 31);
  await page.locator("summary", { hasText: "As a table: Tokens" }).click();
  const table = page.getByRole("group", { name: "Tokens" }).getByRole("table");
  await table.getByRole("cell", { name: "1.2k" }).waitFor();
  assert.equal(await table.getByRole("row").count(), 2);
  await page.getByRole("rowheader", { name: "<img src=x onerror=alert(1)>" }).waitFor();
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    assert.deepEqual(await violations(page), []);
  }
});

test("what cost nothing has no chart, and on a narrow page all of it stands between the edges, in every language", async () => {
  const { server } = web;
  server.answers.set("insights.get", ({ times }) => {
    const { series, ...rest } = numbers(times as unknown[]);
    return { insights: { ...rest, series: { ...series, costMicros: series.costMicros.map(() => 0) } } };
  });
  const page = await web.open();
  await page.locator(".suggestion").first().waitFor();
  await page.goto(`${server.url}/insights`);
  await page.getByRole("figure").filter({ hasText: "Cost" }).getByText("None in this time.").waitFor();
  assert.equal(await page.locator(".uplot").count(), 4);
  await page.setViewportSize({ width: 320, height: 256 });
  for (const language of ["English", "Deutsch", "العربية"]) {
    await page.keyboard.press("Control+k");
    await page.getByRole("combobox").fill(language);
    await page.keyboard.press("Enter");
    await page.locator(`html[lang=${{ English: "en", Deutsch: "de" }[language] ?? "ar"}]`).waitFor();
    const outside = await page.evaluate(() =>
      [...document.querySelectorAll(".insights :is(fieldset, label, h1, dl > div, figure, canvas)")].flatMap(
        (element) => {
          const { left, right } = element.getBoundingClientRect();
          return left >= 8 && right <= innerWidth - 8 ? [] : [`${element.localName} ${left} to ${right}`];
        },
      ),
    );
    assert.deepEqual(outside, [], language);
  }
});

test("the insights page says who may see it, that there is nothing, and tries again", async () => {
  const { server } = web;
  let answer: "forbidden" | "away" | "nothing" = "forbidden";
  server.answers.set("insights.get", ({ times }) => {
    if (answer === "forbidden") throw new ParleyError("FORBIDDEN");
    if (answer === "away") throw new ParleyError("INTERNAL");
    const { series, ...rest } = numbers(times as unknown[]);
    return { insights: { ...rest, series, totals: { ...rest.totals, runs: 0, calls: 0 } } };
  });
  const page = await web.open();
  await page.locator(".suggestion").first().waitFor();
  await page.getByRole("button", { name: /account/ }).click();
  await page.getByRole("menuitem", { name: "Settings" }).waitFor();
  assert.equal(await page.getByRole("menuitem", { name: "Insights" }).count(), 0);
  await page.goto(`${server.url}/insights`);
  await page.getByRole("alert").filter({ hasText: "Only the owner" }).waitFor();
  answer = "away";
  await page.reload();
  const again = page.getByRole("alert").getByRole("button", { name: "Try again" });
  await again.waitFor();
  answer = "nothing";
  await again.click();
  await page.getByRole("heading", { name: "Nothing to count yet" }).waitFor();
  assert.deepEqual(await violations(page), []);
});

const step = (run: Run, index: number, fields: Partial<Step>): Step => ({
  id: `step-${index}`,
  runId: run.id,
  index,
  kind: "model",
  name: "demo",
  attempt: 1,
  status: "completed",
  usage: { inputTokens: 1_200, outputTokens: 300 },
  startedAt: "2026-01-01T12:00:00.000Z",
  finishedAt: "2026-01-01T12:00:02.000Z",
  ...fields,
});

test("the inspector shows the steps of an answer over time and its events as they come, and gives both as JSON", async () => {
  const { server } = web;
  const { conversation } = server.thread("Inspected");
  const page = await web.openConversation(conversation.id, { reducedMotion: "reduce" });
  await page.context().grantPermissions(["clipboard-read", "clipboard-write"]);
  const run = await web.ask(page);
  server.answers.set("run.get", () => ({
    run: { ...run, startedAt: "2026-01-01T12:00:00.000Z", usage: { inputTokens: 2_400, outputTokens: 600 } },
    steps: [
      step(run, 0, {}),
      step(run, 1, {
        kind: "tool",
        name: "research",
        attempt: 2,
        status: "failed",
        usage: { inputTokens: 0, outputTokens: 0 },
        startedAt: "2026-01-01T12:00:02.000Z",
        finishedAt: "2026-01-01T12:00:04.000Z",
      }),
    ],
  }));
  const opener = page.getByRole("button", { name: "Open the inspector" });
  await opener.click();
  const pane = page.getByRole("complementary", { name: "Inspector" });
  const failed = pane.getByRole("listitem").filter({ hasText: "research" });
  await failed.waitFor();
  assert.match(await failed.innerText(), /Failed · after 2\ss, took 2\ss · try 2/);
  const bar = await failed.locator(".track > span").evaluate((element) => {
    const [inner, outer] = [element.getBoundingClientRect(), element.parentElement?.getBoundingClientRect()];
    return outer === undefined
      ? []
      : [inner.left - outer.left, inner.width].map((part) => Math.round((part / outer.width) * 100));
  });
  assert.deepEqual(bar, [50, 50]);
  assert.equal(await pane.evaluate((element) => element.getBoundingClientRect().width), 400);
  await pane.getByRole("button", { name: "Copy as JSON" }).click();
  await pane.getByText("Copied").waitFor();
  const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText())) as { readonly steps: Step[] };
  assert.deepEqual(
    copied.steps.map(({ name }) => name),
    ["demo", "research"],
  );
  assert.deepEqual(await violations(page), []);

  await page.keyboard.press("Tab");
  await pane.getByRole("tab", { name: "Run" }).focus();
  await page.keyboard.press("ArrowRight");
  await pane.getByRole("tab", { name: "Events", selected: true }).waitFor();
  server.say(run, "Otters <b>swim</b>.");
  await pane.getByText("TEXT_MESSAGE_CONTENT").first().click();
  await pane.locator("pre", { hasText: "Otters <b>swim</b>." }).waitFor();
  await pane.getByRole("button", { name: "Pause" }).click();
  server.finish(run, "completed");
  await page.getByRole("button", { name: "Copy answer" }).waitFor();
  await pane.getByText(/Paused: .* new/).waitFor();
  assert.equal(await pane.getByText("RUN_FINISHED").count(), 0);
  await pane.getByRole("button", { name: "Go on" }).click();
  await pane.getByText("RUN_FINISHED").waitFor();
  await pane.getByRole("searchbox", { name: "Filter events" }).fill("otters");
  await until(async () => (await pane.locator(".events > li").count()) === 1, "the one that matches");
  assert.deepEqual(await violations(page), []);
  await pane.getByRole("button", { name: "Close the inspector" }).click();
  await until(() => opener.evaluate((element) => element === document.activeElement), "the focus");

  // On a phone it is a drawer, which Escape closes.
  await page.setViewportSize({ width: 390, height: 844 });
  const inspect = page.getByRole("button", { name: "Inspect this answer" });
  await inspect.click();
  await page.getByRole("dialog", { name: "Inspector" }).getByText("research").waitFor();
  assert.deepEqual(await violations(page), []);
  await page.keyboard.press("Escape");
  await page.getByRole("dialog", { name: "Inspector" }).waitFor({ state: "detached" });
  await until(() => inspect.evaluate((element) => element === document.activeElement), "the focus again");
});
