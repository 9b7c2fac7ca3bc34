/** Only letters tell which way a text runs; until there are some, a field runs as its page does. */
export const hasLetters = (text: string): boolean => /\p{L}/u.test(text);
