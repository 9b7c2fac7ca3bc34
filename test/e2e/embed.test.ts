import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Server } from "node:http";
import { createRequire } from "node:module";
import { after, afterEach, before, test } from "node:test";
import type { AxeResults } from "axe-core";
import type { Browser, Page } from "playwright-core";
import { policyFor, serveSite, sessions } from "../../docs/examples/embed/serve.ts";
import { launchChromium } from "../support/chromium.ts";
import { freePort } from "../support/free-port.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../support/parley.ts";
import { until } from "../support/until.ts";

// The example site, on origins of its own, with the real server.

let parley: Parley;
let browser: Browser;
let port: number;
let sites: Server[] = [];
let pages: { readonly page: Page; readonly problems: string[] }[] = [];

before(async () => {
  port = await freePort();
  parley = await startParley({
    PARLEY_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
    PARLEY_DEMO_TOKENS_PER_SECOND: "60",
  });
  browser = await launchChromium();
});
after(async () => {
  await browser.close();
  await parley.remove();
});
afterEach(async () => {
  const problems = pages.flatMap((each) => each.problems);
  await Promise.all(pages.map(({ page }) => page.context().close()));
  for (const site of sites) site.close();
  [pages, sites] = [[], []];
  assert.deepEqual(problems, []);
});

/** What a refused upgrade or a forbidden connection leaves in the console. */
const EXPECTED = /WebSocket connection to|Failed to load resource|connect-src/;

/** A page of the site; on another port it is of another origin, which the server does not know. */
async function open(
  getToken: () => Promise<string | undefined>,
  { at = port, policy = policyFor(parley.url) } = {},
): Promise<Page> {
  sites.push(await serveSite(parley.url, at, getToken, policy));
  const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) problems.push(message.text());
  });
  pages.push({ page, problems });
  page.setDefaultTimeout(15_000);
  await page.addInitScript(() => {
    const told: string[] = [];
    Object.assign(globalThis, { told });
    addEventListener("parley-error", (event) => told.push((event as CustomEvent<{ code: string }>).detail.code));
  });
  return page;
}

const go = (page: Page, at = port) => page.goto(`http://127.0.0.1:${at}/`);
const told = (page: Page) => page.evaluate(() => (globalThis as unknown as { told: string[] }).told);
const fieldOf = (page: Page, id: string) => page.locator(`#${id} parley-composer textarea`);
const loggedIn = () => sessions(parley.url, ACCESS_TOKEN);

test("two elements of another site, under a strict policy: one script, one connection, a theme each, and no fault for axe", async () => {
  const page = await open(loggedIn());
  let sockets = 0;
  page.on("websocket", () => sockets++);
  await go(page);
  await fieldOf(page, "orders").waitFor();
  await fieldOf(page, "help").fill("count to 5");
  await page.keyboard.press("Enter");
  const answer = page.locator("#help .agent", { hasText: "1 2 3 4 5" });
  await answer.waitFor();
  assert.equal(await page.locator("#orders .agent").count(), 0, "what one shows is not the other's");
  const show = (id: string) => page.locator("#help").evaluate((host, id) => host.setAttribute("conversation", id), id);
  await page.locator("#help[conversation]").waitFor();
  const id = (await page.locator("#help").getAttribute("conversation")) ?? "";
  await show("new");
  await page.locator("#help .welcome").waitFor();
  await show(id);
  await answer.waitFor();
  assert.equal(sockets, 1);

  // Again, as a page that names the script twice by two addresses.
  await page.evaluate((url) => import(`${url}/embed.js?again`), parley.url);

  const ground = (id: string) => page.locator(`#${id}`).evaluate((host) => getComputedStyle(host).backgroundColor);
  const light = await ground("help");
  await page.locator("#help").evaluate((host) => host.setAttribute("theme", "dark"));
  assert.notEqual(await ground("help"), light);
  const accent = (id: string) =>
    page.locator(`#${id}`).evaluate((host) => getComputedStyle(host).getPropertyValue("--accent"));
  assert.notEqual(await accent("orders"), await accent("help"), "a token of the page");
  assert.equal(
    await page.locator("#help h2.title").evaluate((title) => getComputedStyle(title).fontFamily.includes("Georgia")),
    false,
    "the page's own styles stay outside",
  );

  // Who answers is the page's choice, or else the person's.
  assert.equal(await page.locator("#help").getByRole("button", { name: "Model: Demo" }).isVisible(), true);
  await page.locator("#orders").evaluate((host) => host.setAttribute("agent", "demo"));
  await fieldOf(page, "orders").waitFor();
  assert.equal(await page.locator("#orders").getByRole("button", { name: "Model: Demo" }).count(), 0);

  const { violations } = await axeOf(page);
  assert.deepEqual(
    violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
    [],
  );

  await page.reload();
  await answer.waitFor();
  assert.deepEqual(await told(page), []);
});

async function axeOf(page: Page): Promise<AxeResults> {
  const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  // The page's policy lets no other script in; the browser's own side door does.
  await page.evaluate(source);
  return page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run());
}

test("an element that is taken out in the middle of an answer lets go of everything, and goes on where it is put back", async () => {
  const page = await open(loggedIn());
  const sockets: { closed: boolean }[] = [];
  page.on("websocket", (socket) => {
    const seen = { closed: false };
    sockets.push(seen);
    socket.on("close", () => (seen.closed = true));
  });
  await go(page);
  await page.locator("#orders").evaluate((host) => host.remove());
  await fieldOf(page, "help").fill("count to 100000");
  await page.keyboard.press("Enter");
  const answer = page.locator("#help .agent");
  await answer.filter({ hasText: "1 2 3 4 5 6 7 8" }).waitFor();

  // Within the page: the connection stays.
  await page.locator("#help").evaluate((host) => document.body.append(host));
  await answer.filter({ hasText: "1 2 3 4 5 6 7 8" }).waitFor();
  assert.equal(sockets.filter(({ closed }) => !closed).length, 1);
  assert.equal(sockets.length, 1);

  await fieldOf(page, "help").fill("A draft");
  await page.evaluate(() => {
    const host = document.querySelector("#help");
    Object.assign(globalThis, { host });
    host?.remove();
  });
  await until(() => sockets.every(({ closed }) => closed), "the end of the connection");
  await page.evaluate(() => document.body.append((globalThis as unknown as { host: Element }).host));
  await answer.filter({ hasText: "1 2 3 4 5 6 7 8" }).waitFor();
  assert.equal(await fieldOf(page, "help").inputValue(), "A draft");
  const length = async () => (await answer.textContent())?.length ?? 0;
  const before = await length();
  await until(async () => (await length()) > before, "more of the answer");
  const numbers =
    /1 2 3[\d ]*/
      .exec((await answer.textContent()) ?? "")?.[0]
      ?.trim()
      .split(/\s+/)
      .slice(0, -1) ?? [];
  assert.deepEqual(
    numbers,
    numbers.map((_, i) => String(i + 1)),
    "nothing twice, nothing left out",
  );
  await fieldOf(page, "help").press("Escape");
  await answer.getByText("Stopped").waitFor();
});

test("what keeps an element from connecting is said in it, and to its page; what passes is tried again", async () => {
  const other = await freePort();
  const stranger = await open(loggedIn(), { at: other });
  await go(stranger, other);
  await stranger
    .locator("#help")
    .getByRole("alert")
    .filter({ hasText: `does not accept pages of http://127.0.0.1:${other}` })
    .waitFor();
  assert.deepEqual(await told(stranger), ["ORIGIN_REFUSED", "ORIGIN_REFUSED"]);

  const forbidding = await open(loggedIn(), {
    policy: policyFor(parley.url).replace(/connect-src [^;]+/, "connect-src 'self'"),
  });
  await go(forbidding);
  await forbidding.locator("#help").getByRole("alert").filter({ hasText: "needs in connect-src" }).waitFor();
  assert.ok((await told(forbidding)).includes("POLICY_REFUSED"));
  sites.pop()?.close();

  let works = false;
  const login = loggedIn();
  const failing = await open(async () => (works ? login() : undefined));
  await go(failing);
  const problem = failing.locator("#help").getByRole("alert").filter({ hasText: "You could not be signed in" });
  await problem.waitFor();
  works = true;
  // It may have tried again by itself by now.
  await failing
    .locator("#help")
    .evaluate((host) => host.shadowRoot?.querySelector<HTMLElement>(".stand-in button")?.click());
  await fieldOf(failing, "help").waitFor();
  await fieldOf(failing, "orders").waitFor();
  assert.deepEqual(new Set(await told(failing)), new Set(["TOKEN_PROVIDER_FAILED"]));
  sites.pop()?.close();

  // Whoever is signed in to the server itself is nobody here: cookies know no ports.
  const mixed = await open(async () => "no-such-session");
  await mixed.goto(parley.link);
  await mixed.locator("parley-composer textarea").waitFor();
  await go(mixed);
  await mixed.locator("#help").getByRole("alert").filter({ hasText: "You are not signed in" }).waitFor();
  assert.deepEqual(new Set(await told(mixed)), new Set(["SESSION_ENDED"]));
});
