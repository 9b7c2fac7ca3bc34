/** What a browser says of itself, for people: its maker's name for it and where it runs. */

/** The first that fits: browsers name those before them, too. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/\bEdg(?:e|A|iOS)?\//, "Edge"],
  [/\b(?:OPR|Opera)\//, "Opera"],
  [/\bSamsungBrowser\//, "Samsung Internet"],
  [/\b(?:Firefox|FxiOS)\//, "Firefox"],
  [/\b(?:Chrome|CriOS|HeadlessChrome)\//, "Chrome"],
  [/\bVersion\/[\d.]+ .*Safari\//, "Safari"],
];
const SYSTEMS: readonly (readonly [RegExp, string])[] = [
  [/\biPhone\b/, "iPhone"],
  [/\biPad\b/, "iPad"],
  [/\bAndroid\b/, "Android"],
  [/\bCrOS\b/, "ChromeOS"],
  [/\bWindows\b/, "Windows"],
  [/\bMac OS X\b|\bMacintosh\b/, "macOS"],
  [/\bLinux\b/, "Linux"],
];

export interface DeviceName {
  readonly browser: string | undefined;
  readonly system: string | undefined;
}

const firstOf = (names: typeof BROWSERS, device: string): string | undefined =>
  names.find(([pattern]) => pattern.test(device))?.[1];

export const deviceName = (device: string): DeviceName => ({
  browser: firstOf(BROWSERS, device),
  system: firstOf(SYSTEMS, device),
});
