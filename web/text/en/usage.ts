export const usage = {
  thousand: "k",
  million: "M",
  /** `shown`: the count as it is written, "1.2k". */
  tokens: (count: number, shown: string) => (count === 1 ? "1 token" : `${shown} tokens`),
  read: "Read",
  cached: "of it from the cache",
  written: "Written",
  thinking: "of it thinking",
  cost: "Cost",
};
