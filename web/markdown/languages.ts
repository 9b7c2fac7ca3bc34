/** The names of languages that code comes in, and what colours them: see `highlight.ts`. */

interface Language {
  /** Proper names are the same in every language. */
  readonly name: string;
  /** Of highlight.js; undefined: nothing colours it. */
  readonly grammar?: string;
}

const BY_GRAMMAR: readonly (readonly [grammar: string, name: string, aliases: string])[] = [
  ["bash", "Shell", "bash sh shell zsh console shell-session shellsession"],
  ["cpp", "C++", "cpp c++ cc cxx h hpp"],
  ["cpp", "C", "c"],
  ["csharp", "C#", "csharp cs c#"],
  ["css", "CSS", "css scss less"],
  ["diff", "Diff", "diff patch"],
  ["go", "Go", "go golang"],
  ["java", "Java", "java"],
  ["javascript", "JavaScript", "javascript js mjs cjs jsx"],
  ["json", "JSON", "json jsonc json5 jsonl"],
  ["kotlin", "Kotlin", "kotlin kt kts"],
  ["python", "Python", "python py python3 pycon"],
  ["rust", "Rust", "rust rs"],
  ["sql", "SQL", "sql postgresql postgres mysql sqlite"],
  ["typescript", "TypeScript", "typescript ts tsx mts cts"],
  ["xml", "HTML", "html xhtml vue svelte"],
  ["xml", "XML", "xml svg rss"],
  ["yaml", "YAML", "yaml yml"],
];

const LANGUAGES: ReadonlyMap<string, Language> = new Map(
  BY_GRAMMAR.flatMap(([grammar, name, aliases]) => aliases.split(" ").map((alias) => [alias, { name, grammar }])),
);

/** What stands behind the opening fence, as a language; undefined when it names none. */
export function languageOf(info: string): Language | undefined {
  const word = /^[\w+#.-]{1,24}/.exec(info.trim())?.[0];
  if (word === undefined) return undefined;
  return LANGUAGES.get(word.toLowerCase()) ?? { name: word };
}
