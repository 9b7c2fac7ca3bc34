/**
 * A copy of what is to be logged, without secrets and of bounded size: values under names that mean a secret, in any
 * object at any depth; secrets in the middle of a text (a URL's password, a bearer token, a key by its form); and the
 * secrets that this server was given, wherever they stand. It is the last line of defence; nobody should put them in
 * anyway.
 */
const SECRET = "[secret]";

/** Compared without case, dashes and underscores: `set-cookie`, `sessionToken`, `API_KEY`. */
const SECRET_NAMES = new Set([
  "accesskey",
  "accesstoken",
  "apikey",
  "authorization",
  "cookie",
  "cookies",
  "cookietoken",
  "credential",
  "credentials",
  "idtoken",
  "logincode",
  "passphrase",
  "passwd",
  "password",
  "privatekey",
  "proxyauthorization",
  "refreshtoken",
  "secret",
  "secrets",
  "sessiontoken",
  "setcookie",
  "sharehash",
  "sharetoken",
  "token",
  "tokenhash",
  "xapikey",
  "xgoogapikey",
]);
/** A `code` is a login code, unless it has the form of an error's: `NOT_FOUND`, `ECONNREFUSED`, `23505`. */
const ERROR_CODE = /^(?:[A-Z][A-Z0-9_]{1,60}|[0-9A-Z]{5})$/;

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/(\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s/:@]*:)[^\s/@]+@/gi, `$1${SECRET}@`],
  [/\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]{8,}/gi, `$1 ${SECRET}`],
  [/\b(parley_session=)[^;\s"]+/g, `$1${SECRET}`],
  [/(#login=)[^\s"&]+/g, `$1${SECRET}`],
  [/(\/s#)[A-Za-z0-9_-]+/g, `$1${SECRET}`],
  [/\b(sk|rk|pk)-[A-Za-z0-9_-]{16,}/g, `$1-${SECRET}`],
  [/\bAIza[A-Za-z0-9_-]{20,}/g, SECRET],
  [/([?&](?:api_?)?key=)[^\s&"]+/gi, `$1${SECRET}`],
];

const MAX_DEPTH = 8;
const MAX_ENTRIES = 100;
const MAX_TEXT = 8 * 1024;

/** Shorter ones are placeholders ("ollama" where no key is needed), and would tear holes into every line. */
const SHORTEST_KNOWN = 8;

export class Redactor {
  /** Longest first: one may be the beginning of another. */
  readonly #known: readonly string[];

  constructor(secrets: readonly string[] = []) {
    this.#known = secrets.filter((secret) => secret.length >= SHORTEST_KNOWN).toSorted((a, b) => b.length - a.length);
  }

  fields(fields: object): Record<string, unknown> {
    return this.#entries(fields, 0);
  }

  text(text: string): string {
    let short = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text;
    for (const secret of this.#known) short = short.replaceAll(secret, SECRET);
    for (const [pattern, replacement] of PATTERNS) short = short.replaceAll(pattern, replacement);
    return short;
  }

  #value(name: string, input: unknown, depth: number): unknown {
    if (isSecret(name, input)) return SECRET;
    if (typeof input === "string") return this.text(input);
    if (typeof input === "bigint") return String(input);
    if (typeof input === "function" || typeof input === "symbol") return undefined;
    return typeof input === "object" && input !== null ? this.#structure(input, depth + 1) : input;
  }

  #structure(input: object, depth: number): unknown {
    if (depth > MAX_DEPTH) return "[too deep]";
    if (input instanceof Error) return this.#error(input, depth);
    if (input instanceof Date) return input;
    if (ArrayBuffer.isView(input) || input instanceof ArrayBuffer) return `[${input.byteLength} bytes]`;
    if (input instanceof Map) return this.#entries(Object.fromEntries(cut([...input])), depth);
    if (input instanceof Set) return cut([...input]).map((item) => this.#value("", item, depth));
    if (Array.isArray(input)) return cut(input).map((item) => this.#value("", item, depth));
    return this.#entries(input, depth);
  }

  #entries(input: object, depth: number): Record<string, unknown> {
    const output: Record<string, unknown> = {};
    for (const [name, field] of cut(Object.entries(input))) output[name] = this.#value(name, field, depth);
    return output;
  }

  /** What is worth reading of an error: its own fields and its causes too, an aggregate's parts included. */
  #error(error: Error, depth: number): Record<string, unknown> {
    return {
      type: error.name,
      message: this.text(error.message),
      stack: this.text(error.stack ?? ""),
      ...this.#entries(error, depth),
      ...(error.cause === undefined ? {} : { cause: this.#value("cause", error.cause, depth) }),
      ...(error instanceof AggregateError ? { errors: this.#value("errors", error.errors, depth) } : {}),
    };
  }
}

function isSecret(name: string, input: unknown): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_]/g, "");
  if (plain === "code") return typeof input === "string" && !ERROR_CODE.test(input);
  // A number or a boolean of that name counts or asks for secrets; it is none.
  return SECRET_NAMES.has(plain) && typeof input !== "number" && typeof input !== "boolean" && input !== undefined;
}

const cut = <T>(list: readonly T[]): readonly T[] => (list.length > MAX_ENTRIES ? list.slice(0, MAX_ENTRIES) : list);
