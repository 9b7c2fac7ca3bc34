import { setTimeout as sleep } from "node:timers/promises";

/**
 * Polls until the condition holds; rejects after `ms`, and with what the condition throws. The one way for a test to
 * wait for something.
 */
export async function until(condition: () => boolean | Promise<boolean>, what: string, ms = 10_000): Promise<void> {
  const deadline = performance.now() + ms;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(2);
  }
}
