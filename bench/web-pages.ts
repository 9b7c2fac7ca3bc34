/** Pages as slow machines and networks have them, and what is waited for in them. */
import type { Browser, CDPSession, Locator, Page } from "playwright-core";

export const SLOWDOWN = 4;

/** A browser of its own, four times slower; `network`: at 1.6 Mbit/s, with 150 ms to the server and back. */
export async function slowPage(browser: Browser, network = false): Promise<{ page: Page; cdp: CDPSession }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: SLOWDOWN });
  if (network) {
    const bytes = (1.6 * 1024 * 1024) / 8;
    await cdp.send("Network.enable");
    await cdp.send("Network.emulateNetworkConditions", {
      offline: false,
      latency: 150,
      downloadThroughput: bytes,
      uploadThroughput: bytes,
    });
  }
  return { page, cdp };
}

export const composer = (page: Page): Locator => page.getByRole("textbox", { name: "Message" });

/** From the click on its title to the frame that shows its last answer, by the page's own clock. Milliseconds. */
export async function opening(page: Page, title: string): Promise<number> {
  const opened = page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const began = ({ timeStamp }: Event): void => {
          const gone = new Set(document.querySelectorAll("article.agent"));
          const seen = new MutationObserver(() => {
            if ([...document.querySelectorAll("article.agent")].every((article) => gone.has(article))) return;
            seen.disconnect();
            // What changed before or in a frame is on the screen when that frame is over.
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - timeStamp)));
          });
          seen.observe(document.body, { childList: true, subtree: true });
        };
        addEventListener("click", began, { capture: true, once: true });
      }),
  );
  await page.getByRole("link", { name: title }).click();
  return opened;
}
