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

/**
 * Opens the conversation of this title: from the press on its title to the frame that shows its last answer, by the
 * page's own clock, in milliseconds. Where to press is found before, so that looking for it is none of the page's work.
 */
export async function opener(page: Page, title: string): Promise<() => Promise<number>> {
  const place = await page.getByRole("link", { name: title }).boundingBox();
  if (place === null) throw new Error(`${title} is not on the page`);
  await page.mouse.move(place.x + place.width / 2, place.y + place.height / 2);
  return async () => {
    // In an object: what is given itself would be waited for here. The page listens before it is pressed.
    const listening = await page.evaluateHandle(() => {
      const opened = new Promise<number>((resolve) => {
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
        addEventListener("pointerdown", began, { capture: true, once: true });
      });
      return { opened };
    });
    await page.mouse.down();
    await page.mouse.up();
    return listening.evaluate(({ opened }) => opened);
  };
}
