import { builtinModules } from 'node:module'
import { posix } from 'node:path'
import { defineConfig, type OxlintOverride } from 'oxlint'

// Who may import whom. A folder reaches its own files, and of the rest of the tree only what stands here:
// `imports` in any form, `types` in `import type` only. `packages` lists the npm packages and Node modules
// it may use (default: any); `browser` folders run outside Node as well and see none of its modules.
interface Layer {
  folder: string
  imports?: string[]
  types?: string[]
  packages?: string[]
  browser?: boolean
}

const protocol = 'src/protocol/**'
const ports = 'src/ports/**'

const layers: Layer[] = [
  { folder: 'src/protocol', packages: ['zod'], browser: true },
  { folder: 'src/ports', types: [protocol], packages: [] },
  { folder: 'src/sessions', imports: [protocol, ports] },
  { folder: 'src/agent', imports: [protocol, ports] },
  { folder: 'src/models', imports: [protocol, ports] },
  { folder: 'src/tools', imports: [protocol, ports] },
  { folder: 'src/adapters', imports: [protocol, ports] },
  { folder: 'src/gateway', imports: [protocol, ports, 'src/sessions/**'] },
  { folder: 'src/transports', imports: [protocol, ports, 'src/gateway/**'] },
  { folder: 'src/client', imports: [protocol], packages: [], browser: true },
  {
    folder: 'handlers',
    imports: [protocol, 'src/agent/**', 'src/sessions/user-context.ts'],
    types: [ports],
  },
  { folder: 'web', imports: [protocol, 'src/client/**'], browser: true },
]

/**
 * The rule for the files `depth` folders below the layer's own. Patterns match the text of an import, not
 * the file it resolves to, so each depth has its own; as in a .gitignore, the last one that matches decides.
 */
function restrictImports(layer: Layer, depth: number): OxlintOverride {
  const here = posix.join(layer.folder, ...Array.from({ length: depth }, () => 'x'))
  const group = [
    ...(layer.packages ? ['*', ...layer.packages.map((name) => `!${name}`)] : []),
    '!./**',
    '!../**',
    `${'../'.repeat(depth + 1)}**`,
    ...[...(layer.imports ?? []), ...(layer.types ?? [])].map((path) => `!${posix.relative(here, path)}`),
  ]
  const patterns: { group: string[]; allowTypeImports?: boolean; message: string }[] = [
    { group, message: `The table in oxlint.config.ts keeps it out of ${layer.folder}.` },
  ]
  if (layer.types) {
    patterns.push({
      group: layer.types.map((path) => posix.relative(here, path)),
      allowTypeImports: true,
      message: `${layer.folder} may import its types only.`,
    })
  }
  if (layer.browser) {
    patterns.push({ group: ['node:*', ...builtinModules], message: `${layer.folder} also runs in browsers.` })
  }
  return {
    files: [`${layer.folder}/${'*/'.repeat(depth)}*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  }
}

const appPatterns = [
  {
    group: ['./adapters/**', './transports/**'],
    message: 'Only src/main.ts knows every adapter and transport.',
  },
  { group: ['./main.ts'], message: 'Nothing imports the composition root.' },
  { group: ['./config.ts'], allowTypeImports: true, message: 'Only src/main.ts reads the configuration.' },
]

const tests = ['**/*.test.ts', 'test/**/*.ts']
const tooling = [...tests, 'bench/**/*.ts', 'scripts/**', '*.config.ts']
const maxLines = (max: number): ['error', object] => [
  'error',
  { max, skipBlankLines: true, skipComments: true },
]

export default defineConfig({
  plugins: ['eslint', 'typescript', 'oxc', 'unicorn', 'import', 'node'],
  categories: { correctness: 'error' },
  options: { typeAware: true, denyWarnings: true, reportUnusedDisableDirectives: 'error' },
  ignorePatterns: ['dist/**'],
  rules: {
    'max-lines': maxLines(400),
    'no-console': 'error',
    'import/no-cycle': 'error',
    'node/no-process-env': 'error',
    'typescript/no-explicit-any': 'error',
    'typescript/no-non-null-assertion': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': 'error',
    'typescript/no-floating-promises': [
      'error',
      {
        ignoreVoid: false,
        // node:test itself awaits these.
        allowForKnownSafeCalls: [
          { from: 'package', package: 'node:test', name: ['test', 'it', 'suite', 'describe'] },
        ],
      },
    ],
  },
  overrides: [
    { files: ['src/*.ts'], rules: { 'no-restricted-imports': ['error', { patterns: appPatterns }] } },
    { files: ['src/main.ts'], rules: { 'no-restricted-imports': 'off' } },
    { files: ['src/config.ts'], rules: { 'node/no-process-env': 'off' } },
    ...layers.flatMap((layer) => [0, 1, 2, 3].map((depth) => restrictImports(layer, depth))),
    {
      files: ['src/protocol/**', 'src/client/**'],
      rules: {
        'no-restricted-globals': [
          'error',
          'process',
          'Buffer',
          'window',
          'document',
          'localStorage',
          'sessionStorage',
        ],
      },
    },
    {
      files: tooling,
      rules: { 'no-console': 'off', 'node/no-process-env': 'off', 'no-restricted-imports': 'off' },
    },
    { files: tests, rules: { 'max-lines': maxLines(800), 'typescript/no-non-null-assertion': 'off' } },
  ],
})
