import { effect, type Signal, signal } from "@preact/signals-core";
import { type KeyValues, onKeptElsewhere } from "./storage.ts";

export const THEMES = ["light", "dark", "system"] as const;
export type Theme = (typeof THEMES)[number];

const isTheme = (value: unknown): value is Theme => THEMES.some((theme) => theme === value);

/** The colours of the browser's own bar above the page; as `--ground`, which it can't read. */
const BAR = { light: "#fbfaf8", dark: "#12100e" } as const;

/** Kept, the same in all tabs, and shown on `root` as `data-theme`; without one the sheet follows the system. */
export function createTheme(storage: KeyValues, root: HTMLElement): Signal<Theme> {
  const kept = (): Theme => {
    const value = storage.get("theme");
    return isTheme(value) ? value : "system";
  };
  const theme = signal(kept());
  onKeptElsewhere("theme", () => (theme.value = kept()));
  const system = matchMedia("(prefers-color-scheme: dark)");
  const systemIsDark = signal(system.matches);
  system.addEventListener("change", () => (systemIsDark.value = system.matches));
  effect(() => {
    const { value } = theme;
    if (value === "system") {
      delete root.dataset["theme"];
      storage.remove("theme");
    } else {
      root.dataset["theme"] = value;
      storage.set("theme", value);
    }
    const shown = value === "system" ? (systemIsDark.value ? "dark" : "light") : value;
    for (const bar of root.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]')) bar.content = BAR[shown];
  });
  return theme;
}
