import assert from "node:assert/strict";
import { it } from "node:test";
import { build } from "esbuild";

it("[W1] the SDK brings no schema library and no module of Node's into a browser", async () => {
  const { metafile } = await build({
    entryPoints: ["client", "conversation"].map((name) => `${import.meta.dirname}/${name}.ts`),
    absWorkingDir: `${import.meta.dirname}/../..`,
    bundle: true,
    platform: "browser",
    format: "esm",
    outdir: "out",
    write: false,
    metafile: true,
  });
  const inputs = Object.keys(metafile.inputs);
  assert.ok(inputs.includes("src/client/client.ts"));
  assert.deepEqual(
    inputs.filter((file) => !/^src\/(client|protocol)\/[a-z-]+\.ts$/.test(file)),
    [],
  );
});
