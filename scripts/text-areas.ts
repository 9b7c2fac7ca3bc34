// Which of the areas of web/text a bundle speaks: the element for other sites has no use for what settings say.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build, type BuildOptions, type Metafile, type Plugin } from "esbuild";

/** `text().area`, as the sources write it; anything else could be any area. */
const AREA = /\btext\(\)\.(\w+)/g;
const ANY = /(?<![#.\w])text\(\)(?!\.\w)/;

/** undefined: it can't be told. */
async function spoken({ inputs }: Metafile, root: string): Promise<ReadonlySet<string> | undefined> {
  const areas = new Set<string>();
  for (const file of Object.keys(inputs)) {
    if (!file.startsWith("web/") || /^web\/text\/(?:\w+\/|text\.ts$)/.test(file)) continue;
    const source = await readFile(join(root, file), "utf8");
    if (ANY.test(source)) return undefined;
    for (const [, area = ""] of source.matchAll(AREA)) areas.add(area);
  }
  return areas;
}

/** Leaves out of every language what the bundle does not say. Bundles twice: the first time to see what it says. */
export async function ownAreas(options: BuildOptions & { readonly absWorkingDir: string }): Promise<Plugin> {
  const { metafile } = await build({ ...options, write: false, metafile: true });
  const areas = await spoken(metafile, options.absWorkingDir);
  if (areas === undefined) console.log("embed: speaks of all areas, as some source reads text() without naming one");
  return {
    name: "text areas",
    setup(bundle) {
      bundle.onLoad({ filter: /web\/text\/[a-z]+\/index\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        const contents = source.replace(/^(?:import \{ (\w+) \} from .*|  (\w+),)\n/gm, (line, imported, member) =>
          areas === undefined || areas.has(String(imported ?? member)) ? line : "",
        );
        return { contents, loader: "ts" };
      });
    },
  };
}
