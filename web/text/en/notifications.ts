export const notifications = {
  finished: "The answer is finished.",
  failed: "The answer failed.",
  decision: "Your decision is needed.",
  untitled: "A conversation",
};
