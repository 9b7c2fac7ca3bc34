/** The arguments of a call as a form: a field for each simple value, and JSON for all of them. Pure. */
import type { Issue } from "../../../src/protocol/errors.ts";
import type { ToolArgs } from "../../../src/protocol/shapes.ts";
import { text } from "../../text/text.ts";

export type FieldKind = "text" | "long" | "number" | "boolean";

export interface Field {
  readonly name: string;
  readonly kind: FieldKind;
  /** As it is written: "true" or "false" of a boolean. */
  readonly value: string;
}

/** UTF-16 units of a text that has one line. */
const ONE_LINE = 72;

const kindOf = (value: unknown): FieldKind | undefined => {
  if (typeof value === "string") return value.length > ONE_LINE || value.includes("\n") ? "long" : "text";
  if (typeof value === "number") return "number";
  return typeof value === "boolean" ? "boolean" : undefined;
};

/** Of the simple values, in their order. */
export const fieldsOf = (args: ToolArgs): readonly Field[] =>
  Object.entries(args).flatMap(([name, value]) => {
    const kind = kindOf(value);
    return kind === undefined ? [] : [{ name, kind, value: String(value) }];
  });

/** Names of what only JSON shows. */
export const otherNames = (args: ToolArgs): readonly string[] =>
  Object.entries(args).flatMap(([name, value]) => (kindOf(value) === undefined ? [name] : []));

export type Read = { readonly ok: true; readonly args: ToolArgs } | { readonly ok: false; readonly issues: Issues };

/** By the field's name; "" is of the whole. */
export type Issues = ReadonlyMap<string, string>;

const own = <T>(record: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

/** `args` with what the fields say now. */
export function readFields(args: ToolArgs, values: Readonly<Record<string, string>>): Read {
  const issues = new Map<string, string>();
  const entries = Object.entries(args).map(([name, before]): [string, unknown] => {
    const written = own(values, name);
    if (written === undefined) return [name, before];
    if (typeof before === "boolean") return [name, written === "true"];
    if (typeof before !== "number") return [name, written];
    const number = written.trim() === "" ? Number.NaN : Number(written);
    if (!Number.isFinite(number)) issues.set(name, text().approval.aNumber);
    return [name, number];
  });
  return issues.size > 0 ? { ok: false, issues } : { ok: true, args: Object.fromEntries(entries) };
}

export function readJson(json: string): Read {
  try {
    const value: unknown = JSON.parse(json);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return { ok: true, args: { ...value } };
    return { ok: false, issues: new Map([["", text().approval.anObject]]) };
  } catch (error) {
    const reason = error instanceof Error ? error.message : "";
    return { ok: false, issues: new Map([["", text().approval.noJson(reason)]]) };
  }
}

export const sameArgs = (a: unknown, b: unknown): boolean => {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [x, y] = [a, b] as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>];
  const names = Object.keys(x);
  return (
    names.length === Object.keys(y).length &&
    names.every((name) => Object.hasOwn(y, name) && sameArgs(x[name], y[name]))
  );
};

/** What the server says is wrong, at the fields that are shown; the rest is of the whole. */
export function issuesOf(issues: readonly Issue[], shown: readonly string[]): Issues {
  const byField = new Map<string, string>();
  for (const { path, expected } of issues) {
    const [root, name = ""] = path.split(".");
    const field = root === "args" && shown.includes(name) ? name : "";
    const before = byField.get(field);
    byField.set(field, before === undefined ? expected : `${before} ${expected}`);
  }
  return byField;
}
