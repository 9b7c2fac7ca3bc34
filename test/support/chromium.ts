import { chromium, type Browser } from "playwright-core";

/** Debian's Chromium, headless. Without its sandbox: containers and root have none, and tests open only our pages. */
export function launchChromium(switches: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--no-first-run",
      ...switches,
    ],
  });
}
