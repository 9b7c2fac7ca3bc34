/** What zod found wrong, in plain words: where, and what was expected there. Never what was sent. */
import type { z } from "zod";
import { type Issue, ParleyError } from "../protocol/errors.ts";

const MAX_ISSUES = 10;
const MAX_PATH = 100;
const MAX_EXPECTED = 300;

export function invalidParams(found: readonly z.core.$ZodIssue[]): ParleyError {
  const issues = found.flatMap((issue) => describe(issue)).slice(0, MAX_ISSUES);
  const first = issues[0];
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : "";
  return new ParleyError("INVALID_PARAMS", {
    ...(first === undefined
      ? {}
      : { message: `The params do not fit the method: ${first.path || "params"}: expected ${first.expected}${more}.` }),
    issues,
  });
}

function describe(issue: z.core.$ZodIssue): Issue[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => at([...issue.path, key], "nothing: there is no such field"));
  }
  return [at(issue.path, expectation(issue))];
}

const at = (path: readonly PropertyKey[], expected: string): Issue => ({
  path: path.map(String).join(".").slice(0, MAX_PATH).toWellFormed(),
  expected: expected.slice(0, MAX_EXPECTED),
});

function expectation(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return TYPES[issue.expected] ?? issue.expected;
    case "too_big":
      return `${issue.inclusive === false ? "less than" : "at most"} ${size(issue.origin, issue.maximum)}`;
    case "too_small":
      return `${issue.inclusive === false ? "more than" : "at least"} ${size(issue.origin, issue.minimum)}`;
    case "invalid_format":
      return issue.message.startsWith("Invalid ")
        ? (FORMATS[issue.format] ?? `a valid ${issue.format}`)
        : issue.message;
    case "invalid_value":
      return issue.values.map((value) => JSON.stringify(value)).join(" or ");
    case "not_multiple_of":
      return `a multiple of ${issue.divisor}`;
    case "invalid_union":
      return alternatives(issue.errors);
    case "invalid_key":
    case "invalid_element":
    case "unrecognized_keys":
    case "custom":
      return issue.message;
  }
}

/** `conversationId: a string, or runId: a string` */
function alternatives(branches: readonly (readonly z.core.$ZodIssue[])[]): string {
  const texts = branches.map((branch) =>
    branch
      .flatMap((issue) => describe(issue))
      .map(({ path, expected }) => (path === "" ? expected : `${path}: ${expected}`))
      .join(" and "),
  );
  return [...new Set(texts)].join(", or ");
}

function size(origin: string, count: number | bigint): string {
  if (origin === "string") return count === 1 ? "1 character" : `${count} characters`;
  if (origin === "array" || origin === "set") return count === 1 ? "1 item" : `${count} items`;
  return String(count);
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  record: "an object",
  array: "an array",
  null: "null",
};

const FORMATS: Readonly<Record<string, string>> = {
  uuid: "a UUID",
  datetime: "an ISO 8601 time in UTC",
  regex: "another format",
};
