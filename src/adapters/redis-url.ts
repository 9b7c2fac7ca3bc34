/** REDIS_URL, read once. What is wrong with it is said without repeating it: it may hold a password. */
import { StartError } from "../ports/start-error.ts";

interface Address {
  readonly host: string;
  readonly port: number;
}

interface Access {
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/**
 *   redis://[user:password@]host[:port][/db]               one server; rediss:// with TLS
 *   redis-sentinel://[…@]host[:port],…/master[?db=n]       its Sentinels and its name; `?sentinelPassword=`
 *   redis-cluster://[…@]host[:port],…                      some nodes of a cluster
 */
export type RedisTarget =
  | (Access & { readonly kind: "single"; readonly address: Address; readonly db: number })
  | (Access & {
      readonly kind: "sentinel";
      readonly sentinels: readonly Address[];
      readonly name: string;
      readonly db: number;
      readonly sentinelPassword: string | undefined;
    })
  | (Access & { readonly kind: "cluster"; readonly nodes: readonly Address[] });

const FORM = /^(rediss?)(-sentinel|-cluster)?:\/\/(?:([^/?#]*)@)?([^/?#@]+)(?:\/([^?#]*))?(?:\?([^#]*))?$/;
const ADDRESS = /^(\[[0-9a-fA-F:.]+\]|[^:[\]]+)(?::(\d{1,5}))?$/;

/** Throws StartError. */
export function parseRedisUrl(url: string): RedisTarget {
  const [, scheme, suffix, credentials, hosts = "", path = "", query = ""] = FORM.exec(url.trim()) ?? wrong();
  const access = { tls: scheme === "rediss", ...parseCredentials(credentials) };
  const parameters = new URLSearchParams(query);
  if (suffix === "-sentinel") {
    if (path === "") wrong("the name of the master is missing: redis-sentinel://host:port,host:port/name");
    return {
      kind: "sentinel",
      ...access,
      sentinels: parseAddresses(hosts, 26_379),
      name: decoded(path),
      db: parseDatabase(parameters.get("db") ?? ""),
      sentinelPassword: parameters.get("sentinelPassword") ?? undefined,
    };
  }
  const addresses = parseAddresses(hosts, 6_379);
  if (suffix === "-cluster") {
    if (path !== "" && path !== "0") wrong("a Cluster has no databases");
    return { kind: "cluster", ...access, nodes: addresses };
  }
  const [address, ...others] = addresses;
  if (address === undefined || others.length > 0) wrong("redis:// names one server; several need redis-cluster://");
  return { kind: "single", ...access, address, db: parseDatabase(path) };
}

function parseCredentials(text: string | undefined): Pick<Access, "username" | "password"> {
  if (text === undefined || text === "") return { username: undefined, password: undefined };
  const colon = text.indexOf(":");
  const username = decoded(colon < 0 ? text : text.slice(0, colon));
  const password = colon < 0 ? "" : decoded(text.slice(colon + 1));
  return { username: username === "" ? undefined : username, password: password === "" ? undefined : password };
}

const parseAddresses = (hosts: string, defaultPort: number): Address[] =>
  hosts.split(",").map((text) => {
    const [, host, port = String(defaultPort)] = ADDRESS.exec(text) ?? wrong("a host or port can't be read");
    if (Number(port) < 1 || Number(port) > 65_535) wrong("a port is out of range");
    return { host: (host ?? "").replace(/^\[|\]$/g, ""), port: Number(port) };
  });

function parseDatabase(text: string): number {
  if (text === "") return 0;
  if (!/^\d{1,4}$/.test(text)) wrong("the database is a number");
  return Number(text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return wrong("a % sign in it must be written %25");
  }
}

function wrong(why = "it must be redis://, rediss://, redis-sentinel:// or redis-cluster://, then hosts"): never {
  throw new StartError(`REDIS_URL can't be read: ${why}.`);
}
