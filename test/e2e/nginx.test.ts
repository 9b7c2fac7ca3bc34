/** The project's nginx before three nodes: plain round robin, nothing sticky, and whatever dies is not noticed. */
import assert from "node:assert/strict";
import test, { after, before } from "node:test";
import type { Browser, Page } from "playwright-core";
import { createClient } from "../../src/client/client.ts";
import { openConversation } from "../../src/client/conversation.ts";
import { messagesOf } from "../../src/client/transcript.ts";
import { launchChromium } from "../support/chromium.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { checkConfig, type Nginx, startNginx, writeConfig } from "../support/nginx.ts";
import { ACCESS_TOKEN, type Parley } from "../support/parley.ts";
import { partText } from "../support/part-text.ts";
import { until } from "../support/until.ts";

const NUMBERS = 400;
const EXPECTED = Array.from({ length: NUMBERS }, (_, i) => i + 1).join(" ");

let cluster: TestCluster;
let nginx: Nginx;
before(async () => {
  cluster = await startCluster(3, { PARLEY_DEMO_TOKENS_PER_SECOND: "20", PARLEY_TRUST_PROXY: "1" });
  nginx = await startNginx(cluster.nodes.map(({ port }) => port));
});
after(async () => {
  await nginx?.stop();
  await cluster?.remove();
});

const metric = async (node: Parley, name: string): Promise<number> => {
  const text = await fetch(`${node.url}/metrics`).then(
    (answer) => answer.text(),
    () => "",
  );
  return Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
};
/** The node for which the metric is not 0, once there is one. */
async function nodeWith(name: string): Promise<number> {
  let found = -1;
  await until(
    async () => (found = (await Promise.all(cluster.nodes.map((node) => metric(node, name)))).findIndex(Boolean)) >= 0,
    `a node with ${name}`,
  );
  return found;
}

test("nginx accepts the configuration", () => {
  assert.equal(checkConfig(writeConfig([8765], 8080)), "");
});

test("requests go round, sockets pass, what is for inside stays inside", { timeout: 60_000 }, async (t) => {
  const ids = new Set<string>();
  for (let i = 0; i < 6; i++) {
    const client = createClient({ url: `${nginx.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
    t.after(() => client.close());
    await client.call("ping", {});
    const node = client.hello?.nodeId;
    if (node !== undefined) ids.add(node);
  }
  assert.equal(ids.size, 3, "every node serves");
  for (const path of ["/metrics", "/livez", "/readyz"]) assert.equal((await fetch(nginx.url + path)).status, 404);
  assert.equal((await fetch(`${nginx.url}/health`)).status, 200);
});

test(
  "[R3][R4][R5] the node of the socket and the node of the run die in mid-answer; the page ends whole",
  { timeout: 170_000 },
  async (t) => {
    const browser: Browser = await launchChromium();
    t.after(() => browser.close());
    const page: Page = await browser.newPage();
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(error.message));
    await page.goto(nginx.url);
    await page.getByLabel("With an access token").fill(ACCESS_TOKEN);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("textbox", { name: "Message" }).fill(`count to ${NUMBERS}`);
    await page.keyboard.press("Enter");
    const shown = () =>
      page.evaluate(() => document.querySelector("article.agent parley-markdown")?.textContent.trim() ?? "");
    await until(async () => (await shown()).length > 100, "text on the page", 30_000);

    const owner = await nodeWith("parley_runs_active");
    // Each new connection goes to the next node: until the socket's is another than the run's.
    let serving = await nodeWith("parley_connections");
    for (let reloads = 0; serving === owner; reloads++) {
      assert.ok(reloads < 5, "the page comes to another node");
      await page.reload();
      await until(async () => (await shown()).length > 100, "text on the page", 30_000);
      serving = await nodeWith("parley_connections");
    }
    const doomed = cluster.nodes.filter((_, index) => index === owner || index === serving);
    const killedAt = Date.now();
    await Promise.all(doomed.map((node) => node.kill()));
    const before = (await shown()).length;
    await until(async () => (await shown()).length > before + 20, "the answer to go on", 60_000);
    t.diagnostic(`${doomed.length} of 3 nodes killed; the text went on after ${Date.now() - killedAt} ms`);
    await until(async () => (await shown()) === EXPECTED, "the whole answer", 90_000);
    assert.deepEqual(problems, []);

    // Whoever opens it afresh sees the same, and the run happened once.
    const client = createClient({ url: `${nginx.url}/ws`, auth: { kind: "token", provider: () => ACCESS_TOKEN } });
    t.after(() => client.close());
    const { conversations } = await client.call("conversation.list", {});
    const [conversation] = conversations;
    assert.ok(conversation);
    const reader = openConversation(client, conversation.id);
    t.after(() => reader.close());
    const answers = () => messagesOf(reader.state.transcript).filter(({ role }) => role === "assistant");
    await until(() => answers().length > 0, "the answer");
    assert.deepEqual(
      answers().map(({ parts, status }) => [parts.map(partText).join(""), status]),
      [[EXPECTED, "complete"]],
    );
  },
);
