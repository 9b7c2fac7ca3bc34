/** Is a Redis server fit to hold what we give it? Judged by its own INFO. */
const MIN_MAJOR = 7;

/** What an operator has to mend, or undefined. `info` has the sections `server` and `memory`. */
export function configurationProblem(info: string): string | undefined {
  const version = field(info, "redis_version");
  if (!(Number.parseInt(version ?? "", 10) >= MIN_MAJOR)) {
    return `Redis ${version ?? "of an unknown version"} is too old: version ${MIN_MAJOR} or newer is needed.`;
  }
  const policy = field(info, "maxmemory_policy");
  const limited = field(info, "maxmemory") !== "0";
  if (limited && policy !== undefined && policy !== "noeviction") {
    return (
      `Redis may evict keys (maxmemory-policy is ${policy}), which loses what people are reading: ` +
      "set maxmemory-policy to noeviction."
    );
  }
  return undefined;
}

const field = (info: string, name: string): string | undefined =>
  new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
