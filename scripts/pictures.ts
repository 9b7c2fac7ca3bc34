// Pictures of every page and state of the built web app, in every way that people see it, for somebody to look at:
//
//   node scripts/pictures.ts <folder> [--variants light,dark,…] [--states home,…]
//
// One file for each, `<state>.<variant>.png`, and a sheet of all variants of a state, `<state>.png`.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { policyFor, serveSite, sessions } from "../docs/examples/embed/serve.ts";
import { type Client, createClient } from "../src/client/client.ts";
import { openConversation } from "../src/client/conversation.ts";
import { messagesOf, pendingApprovals } from "../src/client/transcript.ts";
import { uuidv7 } from "../src/protocol/id.ts";
import { launchChromium } from "../test/support/chromium.ts";
import { freePort } from "../test/support/free-port.ts";
import { PageServer } from "../test/support/page-server.ts";
import { ACCESS_TOKEN, type Parley, startParley } from "../test/support/parley.ts";
import { until } from "../test/support/until.ts";
import { aWeek } from "./pictures-insights.ts";

const WIDE = { width: 1280, height: 800 };
const VARIANTS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: WIDE, colorScheme: "light" },
  dark: { viewport: WIDE, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, colorScheme: "light" },
  // 1280 by 1024 at 400 %.
  zoom: { viewport: { width: 320, height: 256 }, deviceScaleFactor: 2, colorScheme: "light" },
  forced: { viewport: WIDE, forcedColors: "active", colorScheme: "dark" },
  arabic: { viewport: WIDE, locale: "ar", colorScheme: "light" },
};

const PHOTOGRAPH = "A photograph";

const RICH = `## Backpressure, in short

A reader that is **slow** must cost nobody else anything. The server keeps at most *one megabyte* for it, then says less:

1. Tokens are merged, see [the protocol](https://example.com).
2. Beyond that, the reader is told to come again from its \`position\`.

\`\`\`ts
/** What a reader does with the next event. */
export function judge(position: Position, event: Position): "next" | "seen" | "gap" {
  if (position.epoch !== event.epoch) return "gap";
  return event.seq <= position.seq ? "seen" : "next";
}
\`\`\`

| case | reader | server |
|---|---|---:|
| the next one | takes it | 0 ms |
| an old one | leaves it | 0 ms |
| a gap | asks again | 12 ms |

> The last event is never trusted to pub/sub alone.

The wait before try $n$ is drawn from

$$ \\left[0,\\ \\min\\left(15,\\ \\tfrac14 \\cdot 2^{n-1}\\right)\\right] \\text{ seconds.} $$
`;

interface World {
  readonly parley: Parley;
  /** Another device of the same person. */
  readonly client: Client;
  readonly scripted: PageServer;
  readonly site: string;
  /** By title. */
  readonly conversations: ReadonlyMap<string, string>;
}

interface State {
  readonly name: string;
  /** Where it is; signed in there, unless it is the sign-in itself. */
  readonly open: (page: Page, world: World) => Promise<unknown>;
}

const field = (page: Page) => page.locator("parley-composer textarea").first();
const press = async (page: Page, keys: string): Promise<void> => {
  await field(page).waitFor();
  await page.keyboard.press(keys);
};
const goTo =
  (title: string) =>
  async (page: Page, { parley, conversations }: World) => {
    await page.goto(`${parley.url}/c/${conversations.get(title) ?? ""}`);
    await page.locator("article.agent").last().waitFor();
  };
const home = async (page: Page, { parley }: World) => {
  await page.goto(parley.url);
  await page.locator(".suggestion").first().waitFor();
};
interface Opens extends Element {
  readonly app: {
    readonly shell: { peek(): { open(panel: object): void } | undefined };
    readonly organise: { open(dialog: object): void };
  };
}

/** In the sidebar, which may be a drawer. */
const inSidebar = async (page: Page, world: World, selector: string) => {
  await home(page, world);
  if ((page.viewportSize()?.width ?? 0) < 768) await page.locator(".bar .icon-button").first().click();
  await page.locator(selector).first().waitFor();
  return page.locator(selector).first();
};

/** As the menu at the name of the person, and the palette, open it. */
const panel = (what: { readonly kind: string; readonly section: string }) => async (page: Page, world: World) => {
  await home(page, world);
  await page.waitForLoadState("networkidle");
  await page
    .locator("parley-app")
    .evaluate((app, what) => (app as unknown as Opens).app.shell.peek()?.open(what), what);
  await page.locator("dialog[open]").waitFor();
};
/** What opens for a while is drawn when it has come to rest. */
const settle = (page: Page): Promise<void> => page.waitForTimeout(600);

const STATES: readonly State[] = [
  {
    name: "sign-in",
    open: async (page, { parley }) => {
      await page.context().clearCookies();
      await page.goto(parley.url);
      await page.locator("parley-sign-in input").waitFor();
    },
  },
  { name: "home", open: home },
  { name: "answer", open: goTo("Research otters") },
  {
    name: "presence",
    open: async (page, world) => {
      const id = world.conversations.get("Research otters") ?? "";
      const [there, presence] = [openConversation(world.client, id), world.client.presence(`conversation:${id}`)];
      presence.set("typing");
      page.on("close", () => [there, presence].forEach((each) => each.close()));
      await goTo("Research otters")(page, world);
      await page.locator("parley-presence p").waitFor();
    },
  },
  {
    name: "search",
    open: async (page, world) => {
      const input = await inSidebar(page, world, "parley-sidebar [type=search]");
      await input.fill("otters");
      await page.locator(".results a").first().waitFor();
    },
  },
  {
    name: "found",
    open: async (page, world) => {
      await home(page, world);
      await press(page, "Control+k");
      await page.locator(".palette input").fill("seals");
      await page.locator(".palette .excerpt").first().waitFor();
      await page.keyboard.press("Enter");
      await page.locator("article.found").waitFor();
    },
  },
  {
    name: "trash",
    open: async (page, world) => {
      const opener = await inSidebar(page, world, ".to-trash");
      await opener.click();
      await page.locator("parley-trash .restore").first().waitFor();
    },
  },
  {
    name: "share",
    open: async (page, world) => {
      const conversationId = world.conversations.get("Research otters") ?? "";
      await world.client.call("share.revoke", { conversationId });
      await goTo("Research otters")(page, world);
      await page.waitForLoadState("networkidle");
      const conversation = { id: world.conversations.get("Research otters"), title: "Research otters" };
      await page
        .locator("parley-app")
        .evaluate((app, what) => (app as unknown as Opens).app.organise.open(what), { kind: "share", conversation });
      await page.locator("dialog[open] .primary").click();
      await page.locator("dialog[open] input").waitFor();
    },
  },
  {
    name: "shared",
    open: async (page, { parley, client, conversations }) => {
      const conversationId = conversations.get(PHOTOGRAPH) ?? "";
      const { shareToken } = await client.call("share.create", { conversationId });
      await page.goto(`${parley.url}/s#${shareToken}`);
      await page.locator("parley-shared-file").first().waitFor();
    },
  },
  { name: "approval", open: goTo("Tidy up") },
  {
    name: "markdown",
    open: async (page, { scripted }) => {
      const thread = [...scripted.threads.values()][0];
      await page.goto(`${scripted.url}/#login=${scripted.code}`);
      await field(page).waitFor();
      await page.goto(`${scripted.url}/c/${thread?.conversation.id ?? ""}`);
      await page.locator("article.agent table").waitFor();
      await page.locator("article.agent math").first().waitFor();
    },
  },
  {
    name: "disconnected",
    open: async (page, { scripted }) => {
      await page.goto(`${scripted.url}/#login=${scripted.code}`);
      await field(page).waitFor();
      scripted.down = true;
      scripted.drop();
      await page.locator(".strip").waitFor();
    },
  },
  {
    name: "drawer",
    open: async (page, world) => {
      await home(page, world);
      const opener = page.locator(".bar .icon-button").first();
      if ((page.viewportSize()?.width ?? 0) < 768) await opener.click();
    },
  },
  {
    name: "palette",
    open: async (page, world) => {
      await home(page, world);
      await press(page, "Control+k");
    },
  },
  { name: "settings", open: panel({ kind: "settings", section: "general" }) },
  { name: "notifications", open: panel({ kind: "settings", section: "notifications" }) },
  { name: "memory", open: panel({ kind: "settings", section: "memory" }) },
  { name: "devices", open: panel({ kind: "settings", section: "devices" }) },
  { name: "prompts", open: panel({ kind: "settings", section: "prompts" }) },
  {
    name: "shortcuts",
    open: async (page, world) => {
      await home(page, world);
      await press(page, "Control+/");
    },
  },
  {
    name: "inspector",
    open: async (page, world) => {
      await goTo("Research otters")(page, world);
      await page.locator(".bar .icon-button").last().click();
      await page.locator("parley-inspector").waitFor();
    },
  },
  {
    name: "insights",
    open: async (page, { scripted }) => {
      scripted.answers.set("session.get", () => ({ session: {}, roles: ["owner"] }));
      scripted.answers.set("insights.get", ({ times }) => ({ insights: aWeek((times as string[]).map(Date.parse)) }));
      await page.goto(`${scripted.url}/#login=${scripted.code}`);
      await field(page).waitFor();
      await page.goto(`${scripted.url}/insights`);
      await page.locator("parley-insights canvas").first().waitFor();
    },
  },
  {
    name: "embed",
    open: async (page, { site }) => {
      await page.goto(site);
      await page.locator("#orders parley-composer textarea").waitFor();
    },
  },
];

/** Something to look at: hills by the sea. */
async function landscape(browser: Browser): Promise<Buffer> {
  const page = await browser.newPage({ viewport: { width: 640, height: 480 } });
  await page.setContent(`<body style="margin:0"><svg viewBox="0 0 640 480" style="display:block">
    <rect width="640" height="480" fill="#f6d9b8"/><circle cx="455" cy="150" r="52" fill="#fff3dc"/>
    <path d="M0 300q120-120 250-40t220-30 170 60v190H0Z" fill="#8aa79b"/>
    <path d="M0 350q160-70 330-20t310-40v190H0Z" fill="#54776f"/><path d="M0 400q200-30 640 0v80H0Z" fill="#2f5560"/>
  </svg>`);
  const bytes = await page.screenshot();
  await page.close();
  return bytes;
}

/** What a person keeps, and what they threw away. */
async function belongings(client: Client): Promise<void> {
  for (const said of ["I am vegetarian.", "Our team meets on Tuesdays at ten.", "Answer in short sentences."])
    await client.call("memory.create", { text: said, idempotencyKey: uuidv7() });
  const prompts = [
    ["Summary", "Summarise this in three sentences: {{text}}"],
    ["Reply", "Write a friendly reply to this letter: {{letter}}"],
  ];
  for (const [name = "", text = ""] of prompts)
    await client.call("prompt.save", { name, text, idempotencyKey: uuidv7() });
  for (const title of ["A name for the boat", "Draft of a letter", "Which bicycle?"]) {
    const { conversation } = await client.call("conversation.create", { title });
    await client.call("conversation.delete", { conversationId: conversation.id });
  }
}

async function conversationsIn(client: Client, picture: Buffer): Promise<ReadonlyMap<string, string>> {
  const made = new Map<string, string>();
  const files = await Promise.all([
    client.files.upload("lake.png", "image/png", new Uint8Array(picture)),
    client.files.upload("notes.txt", "text/plain", new TextEncoder().encode("Taken at six in the evening.")),
  ]);
  const stories: readonly (readonly [string, readonly string[]])[] = [
    ["Counting sheep", ["count to 20"]],
    ["A picnic by the lake", ["plan a picnic"]],
    ["What it can do", ["What can you do?"]],
    [PHOTOGRAPH, ["When was this taken?"]],
    ["Research otters", ["research otters and seals"]],
    ["Tidy up", ["delete the file notes.txt"]],
  ];
  for (const [title, says] of stories) {
    const { conversation } = await client.call("conversation.create", { title });
    made.set(title, conversation.id);
    const open = openConversation(client, conversation.id);
    for (const words of says) open.send(words, title === PHOTOGRAPH ? { files } : {});
    await until(
      () =>
        pendingApprovals(open.state.transcript).length > 0 ||
        (open.state.transcript.activeRun === undefined &&
          messagesOf(open.state.transcript).some(({ role, status }) => role === "assistant" && status === "complete")),
      title,
      60_000,
    );
    open.close();
  }
  return made;
}

async function sheet(browser: Browser, folder: string, state: string, variants: readonly string[]): Promise<void> {
  const page = await browser.newPage({ viewport: { width: 1500, height: 900 } });
  const pictures = await Promise.all(
    variants.map(async (variant) => {
      const bytes = await readFile(join(folder, `${state}.${variant}.png`)).catch(() => undefined);
      return bytes === undefined ? "" : `<img src="data:image/png;base64,${bytes.toString("base64")}" height="440">`;
    }),
  );
  await page.setContent(
    `<body style="margin:8px;background:#888;display:flex;flex-wrap:wrap;gap:8px">${pictures.join("")}`,
  );
  await page.screenshot({ path: join(folder, `${state}.png`), fullPage: true });
  await page.close();
}

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { variants: { type: "string" }, states: { type: "string" } },
});
const [folder = "pictures"] = positionals;
const variants = flags.variants?.split(",") ?? Object.keys(VARIANTS);
const states = STATES.filter(({ name }) => flags.states?.split(",").includes(name) ?? true);
await mkdir(folder, { recursive: true });

const port = await freePort();
const parley = await startParley({
  PARLEY_ALLOWED_ORIGINS: `http://127.0.0.1:${port}`,
  PARLEY_DEMO_TOKENS_PER_SECOND: "400",
});
const site = await serveSite(parley.url, port, sessions(parley.url, ACCESS_TOKEN), policyFor(parley.url));
const browser = await launchChromium();
const client = createClient({ url: `${parley.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
try {
  const conversations = await conversationsIn(client, await landscape(browser));
  await belongings(client);
  for (const variant of variants) {
    for (const { name, open } of states) {
      const scripted = await new PageServer().start();
      scripted.thread("Backpressure", [
        ["user", "What does a slow reader cost?"],
        ["assistant", RICH],
      ]);
      const context = await browser.newContext({ ...VARIANTS[variant] });
      const page = await context.newPage();
      page.setDefaultTimeout(8_000);
      try {
        await page.request.post(`${parley.url}/auth/session`, { data: { token: ACCESS_TOKEN } });
        await open(page, { parley, client, scripted, conversations, site: `http://127.0.0.1:${port}/` });
        await settle(page);
        await writeFile(join(folder, `${name}.${variant}.png`), await page.screenshot());
      } catch (error) {
        console.log(`${name}, ${variant}: ${String(error).split("\n", 1)[0]}`);
      } finally {
        await context.close();
        await scripted.stop();
      }
    }
  }
  for (const { name } of states) await sheet(browser, folder, name, variants);
} finally {
  client.close();
  await browser.close();
  site.close();
  await parley.remove();
}
