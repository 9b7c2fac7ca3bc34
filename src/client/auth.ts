import type { Hello, RequestFrame } from "../protocol/frames.ts";
import type { Result } from "../protocol/methods.ts";
import type { Tenant, User } from "../protocol/shapes.ts";

/** How the client says who it is [W2]. */
export type Auth =
  /** In a browser: the cookie that `/auth/session` set goes with the upgrade. */
  | { readonly kind: "cookie" }
  /**
   * The server's access token. `provider` is awaited before every connection; its token logs in once, later
   * connections resume the session that came of it. Another token than last time logs in anew. A rejected promise
   * is tried again after a while.
   */
  | { readonly kind: "token"; readonly provider: () => Promise<string> | string }
  /** The `sessionToken` of an earlier login. */
  | { readonly kind: "session"; readonly token: string }
  /**
   * One that somebody else, as the backend of the page, has got: `provider` is awaited before every connection. A session
   * that was refused is asked for once more. A rejected promise is tried again after a while.
   */
  | { readonly kind: "session"; readonly provider: () => Promise<string> | string };

/** Who the connection speaks for. */
export interface Identity {
  readonly session: { readonly id: string; readonly expiresAt: string };
  readonly user: User;
  readonly tenant: Tenant;
}

/** The credentials of one client over all of its connections. Tokens live in memory only. */
export class Credentials {
  readonly #auth: Auth;
  readonly #device: string | undefined;
  #token: string | undefined;
  #sessionToken: string | undefined;

  constructor(auth: Auth, device: string | undefined) {
    this.#auth = auth;
    this.#device = device;
    if (auth.kind === "session" && "token" in auth) this.#sessionToken = auth.token;
  }

  /** The upgrade's cookie is not to speak for this client: it may be another person's. */
  get ignoresCookie(): boolean {
    return this.#auth.kind !== "cookie";
  }

  /** Before each connection. Undefined: there is nothing to wait for. */
  prepare(): Promise<void> | undefined {
    const auth = this.#auth;
    if (auth.kind === "token") return this.#fetch(auth.provider);
    return "provider" in auth ? this.#fetchSession(auth.provider) : undefined;
  }

  async #fetchSession(provider: () => Promise<string> | string): Promise<void> {
    this.#sessionToken = await provider();
  }

  async #fetch(provider: () => Promise<string> | string): Promise<void> {
    const token = await provider();
    if (token !== this.#token) this.#sessionToken = undefined;
    this.#token = token;
  }

  /** Of the session that this client speaks for; undefined where a cookie does, and before the first login. */
  get sessionToken(): string | undefined {
    return this.#sessionToken;
  }

  /** Does the answer to `request` say who one is? */
  get grantsLogin(): boolean {
    return this.#auth.kind !== "cookie";
  }

  /**
   * The request that authenticates. Where only a cookie could have, one that finds out why it did not: UNAUTHENTICATED
   * means that there is no session, a lost connection that the server could not tell.
   */
  request(id: string): RequestFrame {
    if (this.#sessionToken !== undefined) {
      return { jsonrpc: "2.0", id, method: "session.resume", params: { sessionToken: this.#sessionToken } };
    }
    if (this.#token === undefined) return { jsonrpc: "2.0", id, method: "session.get", params: {} };
    const device = this.#device === undefined ? {} : { device: this.#device };
    return { jsonrpc: "2.0", id, method: "login", params: { token: this.#token, ...device } };
  }

  accepted(result: Result<"session.resume"> & { readonly sessionToken?: string }): Identity {
    if (result.sessionToken !== undefined) this.#sessionToken = result.sessionToken;
    return { session: result.session, user: result.user, tenant: result.tenant };
  }

  /** The session was refused: forgets it, and says whether a login could replace it. */
  forgetSession(): boolean {
    if (!("provider" in this.#auth) || this.#sessionToken === undefined) return false;
    this.#sessionToken = undefined;
    return true;
  }
}

/** What a cookie at the upgrade made of the connection. */
export function identityOf(hello: Hello): Identity | undefined {
  const { session, user, tenant } = hello;
  return session === undefined || user === undefined || tenant === undefined ? undefined : { session, user, tenant };
}
