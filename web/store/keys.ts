/** Keys that do something everywhere on the page. */

export interface Keys {
  /** A letter, a character, or the name of a key as `KeyboardEvent.key` has it. */
  readonly key: string;
  /** With the key for commands: ⌘ on a Mac, Ctrl elsewhere. */
  readonly command?: true;
  readonly shift?: true;
}

export const isMac = (platform = navigator.platform): boolean => /mac|iphone|ipad/i.test(platform);

type Pressed = Pick<KeyboardEvent, "key" | "code" | "ctrlKey" | "metaKey" | "shiftKey" | "altKey">;

/** A letter that a layout of another script has is the one that stands there in the Latin one. */
const letterOf = ({ key, code }: Pressed): string => {
  if (/^[a-z]$/i.test(key)) return key.toLowerCase();
  const latin = /^Key([A-Z])$/.exec(code)?.[1];
  return latin !== undefined && key.length === 1 ? latin.toLowerCase() : key;
};

export function isPressed(keys: Keys, event: Pressed, mac = isMac()): boolean {
  if (event.altKey || letterOf(event) !== keys.key) return false;
  const command = mac ? event.metaKey : event.ctrlKey;
  const other = mac ? event.ctrlKey : event.metaKey;
  if (other || command !== (keys.command === true)) return false;
  // What is no letter may need Shift on one keyboard and not on another.
  return !/^[a-z]$/.test(keys.key) || event.shiftKey === (keys.shift === true);
}

export interface KeyNames {
  readonly control: string;
  readonly shift: string;
  readonly enter: string;
  readonly escape: string;
}

/** "⇧⌘O" on a Mac, "Ctrl+Shift+O" elsewhere: a name for each key, in the order they are written. */
export function namesOf({ key, command, shift }: Keys, names: KeyNames, mac = isMac()): readonly string[] {
  const named: Readonly<Record<string, string>> = {
    Enter: mac ? "↩" : names.enter,
    Escape: mac ? "esc" : names.escape,
  };
  const last = named[key] ?? key.toUpperCase();
  const before = mac
    ? [...(shift === true ? ["⇧"] : []), ...(command === true ? ["⌘"] : [])]
    : [...(command === true ? [names.control] : []), ...(shift === true ? [names.shift] : [])];
  return [...before, last];
}

export const keysText = (keys: Keys, names: KeyNames, mac = isMac()): string =>
  namesOf(keys, names, mac).join(mac ? "" : "+");
