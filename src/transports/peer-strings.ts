/** Strings that are kept for each of tens of thousands of connections, in as little memory as they need. */

/** V8 keeps a concatenation as a tree, and a slice together with what it was cut from. This is one flat copy. */
export const flat = (text: string): string => Buffer.from(text).toString();

/** A User-Agent is for logs and a list of devices; the rest of a long one is noise. */
const MAX_USER_AGENT = 200;
/** Few are in use at a time. When somebody makes them up, sharing starts again from nothing. */
const MAX_SHARED = 500;

/** One copy of each User-Agent, shared by the connections that have it. */
export class UserAgents {
  readonly #shared = new Map<string, string>();

  get(header: string): string {
    const cut = header.length > MAX_USER_AGENT ? flat(header.slice(0, MAX_USER_AGENT)) : header;
    const known = this.#shared.get(cut);
    if (known !== undefined) return known;
    if (this.#shared.size >= MAX_SHARED) this.#shared.clear();
    this.#shared.set(cut, cut);
    return cut;
  }
}
