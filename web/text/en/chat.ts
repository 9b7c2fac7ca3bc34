import { number } from "../locale.ts";

export const chat = {
  conversation: "Conversation",
  loading: "Loading",
  loadingOlder: "Loading earlier messages…",
  dropFiles: "Drop files to attach them",
  gone: "This conversation is not here",
  goneWhy: "It does not exist, or it belongs to somebody else.",
  notOpened: "The conversation could not be opened",
  greetings: { morning: "Good morning", afternoon: "Good afternoon", evening: "Good evening" },
  suggestions: "Suggestions",
  canBeWrong: "Answers can be wrong. Check what matters.",
  demo: "Demo model — answers are scripted; see docs.",
  decisionNeeded: "Your decision is needed",
  decisionsNeeded: (summaries: string) => `Your decision is needed. ${summaries}`,
  toLatest: "Jump to latest",
  responding: "Responding",
  reconnecting: "Reconnecting…",
  offline: "You are offline.",
  queued: (count: number) => `${number(count)} queued`,
  tooManyConnections: "The server has as many connections as it allows. Close another tab, then try again.",
  ended: "The server ended the connection. Reload the page if that happens again.",
};
