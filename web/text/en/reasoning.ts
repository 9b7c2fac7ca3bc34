export const reasoning = {
  thinking: "Thinking…",
  thought: "Thought",
  thoughtFor: (duration: string) => `Thought for ${duration}`,
};
