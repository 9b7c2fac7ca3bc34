import { posix } from "node:path";
import { defineConfig, type OxlintOverride } from "oxlint";

// Who may import whom. A folder reaches its own files, and of the folders of this table only those that its
// row names: `imports` in any form, `types` in `import type` only. `packages` says which npm packages and
// Node modules it may use (default: any); a `browser` folder runs outside Node too and gets none of Node's.
interface Layer {
  folder: string;
  imports?: string[];
  types?: string[];
  packages?: keyof typeof otherPackages;
  browser?: boolean;
}

// The rule's regular expressions have no look-ahead.
const otherPackages = { none: "^[^.]", zod: "^([^.z]|z[^o]|zo[^d]|zod[^/])" };

const protocol = "src/protocol";
const ports = "src/ports";
const whatHandlersSee = ["src/sessions/handler.ts", "src/sessions/user-context.ts"];

const layers: Layer[] = [
  { folder: protocol, packages: "zod", browser: true },
  { folder: ports, types: [protocol], packages: "none" },
  { folder: "src/sessions", imports: [protocol, ports] },
  { folder: "src/agent", imports: [protocol, ports] },
  { folder: "src/models", imports: [protocol, ports] },
  { folder: "src/tools", imports: [protocol, ports] },
  { folder: "src/adapters", imports: [protocol, ports] },
  { folder: "src/gateway", imports: [protocol, ports, "src/sessions"] },
  { folder: "src/transports", imports: [protocol, ports, "src/gateway"] },
  { folder: "src/client", imports: [protocol], packages: "none", browser: true },
  { folder: "handlers", imports: [protocol, "src/agent", ...whatHandlersSee], types: [ports] },
  { folder: "web", imports: [protocol, "src/client"], browser: true },
];
const tooling = ["scripts", "test", "bench"];
const folders = [...layers.map((layer) => layer.folder), ...tooling];

// An imported `process` would hide `process.env` from node/no-process-env.
const paths = ["process", "node:process"].map((name) => ({ name, message: "Use the global `process`." }));

/**
 * The rules for the files `depth` folders below the layer's own: patterns match the text of an import, not
 * the file it resolves to, so each depth has its own. A `!` in any pattern lets an import pass all of them,
 * hence the list of what is forbidden instead of `!` for what is not.
 */
function restrictImports(layer: Layer, depth: number): OxlintOverride {
  const { folder, imports = [], types = [] } = layer;
  const here = posix.join(folder, ...Array.from({ length: depth }, () => "x"));
  const path = (target: string) => posix.relative(here, target);
  const within = (target: string) => `${path(target)}/**`;

  const forbidden = folders.filter((name) => name !== folder && !imports.includes(name) && !types.includes(name));
  const singleFiles = imports.filter((name) => name.endsWith(".ts")).map((name) => `!${path(name)}`);
  const message = `The table in oxlint.config.ts keeps this out of ${folder}.`;
  const patterns = [
    { group: [...forbidden.map(within), path("src/*.ts"), ...singleFiles], message },
    ...(types.length > 0 ? [{ group: types.map(within), allowTypeImports: true, message }] : []),
    ...(layer.packages ? [{ regex: otherPackages[layer.packages], message }] : []),
  ];
  return {
    files: [`${folder}/${"*/".repeat(depth)}*.ts`],
    rules: {
      "no-restricted-imports": ["error", { paths, patterns }],
      "import/no-nodejs-modules": layer.browser ? "error" : "off",
    },
  };
}

const appPatterns = [
  {
    group: ["./adapters/**", "./transports/**"],
    message: "Only src/main.ts knows every adapter and transport.",
  },
  { group: ["./main.ts"], message: "Nothing imports the composition root." },
  { group: ["./config.ts"], allowTypeImports: true, message: "Only src/main.ts reads the configuration." },
];

const tests = ["**/*.test.ts", "test/**"];
const maxLines = (max: number): ["error", object] => ["error", { max, skipBlankLines: true, skipComments: true }];

export default defineConfig({
  plugins: ["eslint", "typescript", "oxc", "unicorn", "import", "node"],
  categories: { correctness: "error" },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: "error" },
  ignorePatterns: ["dist/**"],
  rules: {
    "max-lines": maxLines(400),
    "no-console": "error",
    "import/no-cycle": "error",
    "node/no-process-env": "error",
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/no-floating-promises": [
      "error",
      {
        ignoreVoid: false,
        // node:test itself awaits these.
        allowForKnownSafeCalls: [{ from: "package", package: "node:test", name: ["test", "it", "suite", "describe"] }],
      },
    ],
  },
  overrides: [
    { files: ["src/*.ts"], rules: { "no-restricted-imports": ["error", { paths, patterns: appPatterns }] } },
    { files: ["src/main.ts"], rules: { "no-restricted-imports": "off" } },
    { files: ["src/config.ts"], rules: { "node/no-process-env": "off" } },
    ...layers.flatMap((layer) => [0, 1, 2, 3].map((depth) => restrictImports(layer, depth))),
    {
      files: ["src/protocol/**", "src/client/**"],
      rules: {
        "no-restricted-globals": ["error", "process", "Buffer", "window", "document", "localStorage", "sessionStorage"],
      },
    },
    {
      files: [...tooling.map((folder) => `${folder}/**`), "docs/examples/**", "**/*.test.ts", "*.config.ts"],
      rules: {
        "no-console": "off",
        "no-restricted-imports": "off",
        "no-restricted-globals": "off",
        "import/no-nodejs-modules": "off",
        "node/no-process-env": "off",
      },
    },
    { files: tests, rules: { "max-lines": maxLines(800), "typescript/no-non-null-assertion": "off" } },
  ],
});
