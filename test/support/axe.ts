/** What axe finds on a page: a line for each rule, with the elements that break it. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";

let source: Promise<string> | undefined;

export async function violations(page: Page): Promise<string[]> {
  source ??= readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
  await page.evaluate(await source);
  const { violations: found } = await page.evaluate(async () => {
    const runner = (window as unknown as { axe: { run: (options: object) => Promise<AxeResults> } }).axe;
    return await runner.run({ resultTypes: ["violations"] });
  });
  return found.map(
    ({ id, nodes }) =>
      `${id}: ${nodes.map(({ target, failureSummary }) => `${String(target)} ${failureSummary ?? ""}`).join("; ")}`,
  );
}
