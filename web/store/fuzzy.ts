/** How well a name fits what somebody types: all of its letters, in their order. */

const FOLLOWS = 3;
const BEGINS = 2;

/** Without case and accents. */
const plain = (text: string): string => text.normalize("NFKD").replaceAll(/\p{M}/gu, "").toLowerCase();

/** The best of all ways to find the letters. Higher fits better; undefined: they are not all there. */
export function fit(name: string, typed: string): number | undefined {
  const letters = Array.from(plain(name));
  const wanted = Array.from(plain(typed).replaceAll(/\s+/g, ""));
  /** The best score that ends with the wanted letter so far at this place. */
  let ending: (number | undefined)[] = letters.map(() => undefined);
  for (const [turn, letter] of wanted.entries()) {
    let before: number | undefined;
    ending = letters.map((each, i) => {
      const adjacent = i === 0 ? undefined : ending[i - 1];
      // Now the best that ends anywhere before this place.
      before = better(before, adjacent);
      if (each !== letter) return undefined;
      const begins = isLetter(letters[i - 1]) ? 0 : BEGINS;
      if (turn === 0) return begins;
      const apart = before === undefined ? undefined : before + begins;
      return better(apart, adjacent === undefined ? undefined : adjacent + FOLLOWS);
    });
  }
  const best = wanted.length === 0 ? 0 : ending.reduce(better, undefined);
  // Of equals, the shorter name.
  return best === undefined ? undefined : best - letters.length / 1_000;
}

const better = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined ? b : b === undefined ? a : Math.max(a, b);

const isLetter = (character: string | undefined): boolean => character !== undefined && /[\p{L}\p{N}]/u.test(character);

/** Those that fit, best first; of equals the earlier one. All, as they are, where nothing is typed. */
export function fitting<T>(items: readonly T[], typed: string, nameOf: (item: T) => string): readonly T[] {
  if (typed.trim() === "") return items;
  return items
    .flatMap((item) => {
      const score = fit(nameOf(item), typed);
      return score === undefined ? [] : [{ item, score }];
    })
    .toSorted((a, b) => b.score - a.score)
    .map(({ item }) => item);
}
