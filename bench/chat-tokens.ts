/** Of an answer of the benchmark's provider: so many, one every so often. */
export const TOKENS = 100;
export const TOKEN_MS = 20;
