// The tests run against real servers and a real browser, from Debian's packages. On Debian, as root or with
// a sudo that asks nothing, they are installed; anywhere else the command is printed.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";

const postgresVersions = "/usr/lib/postgresql";

const present: Record<string, () => boolean> = {
  postgresql: () =>
    existsSync(postgresVersions) &&
    readdirSync(postgresVersions).some((version) => existsSync(`${postgresVersions}/${version}/bin/initdb`)),
  "redis-server": () => existsSync("/usr/bin/redis-server"),
  chromium: () => existsSync("/usr/bin/chromium"),
  nginx: () => existsSync("/usr/sbin/nginx"),
};

// The packages bring services that start at once and, of Postgres, a cluster; nothing of that is wanted.
const install = (packages: string[]) => `
set -e
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /usr/sbin/policy-rc.d ]; then
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
  printf '#!/bin/sh\\nexit 101\\n' >/usr/sbin/policy-rc.d
  chmod +x /usr/sbin/policy-rc.d
fi
if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
  mkdir -p /etc/postgresql-common
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
fi
apt-get update -qq
apt-get install -y -qq --no-install-recommends -o Dpkg::Options::=--force-confold ${packages.join(" ")}
`;

/** Installs what is missing. Answers whether everything is there; if not, it said what to do. */
export function ensureSystemPackages(): boolean {
  const missing = () => Object.keys(present).filter((name) => !present[name]?.());
  const packages = missing();
  if (packages.length === 0) return true;

  const sudo = process.getuid?.() === 0 ? [] : ["sudo", "-n"];
  const may = spawnSync([...sudo, "apt-get", "--version"].join(" "), { shell: true, stdio: "ignore" }).status === 0;
  if (may) {
    console.log(`Installing ${packages.join(", ")}`);
    spawnSync("env", [...sudo, "sh", "-c", install(packages)], { stdio: ["ignore", "ignore", "inherit"] });
  }
  const left = missing();
  if (left.length > 0) {
    console.error(`The tests need ${left.join(", ")}. On Debian 12, as root:\n`);
    console.error(`  apt-get update && apt-get install -y --no-install-recommends ${left.join(" ")}\n`);
  }
  return left.length === 0;
}
