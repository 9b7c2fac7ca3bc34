export const app = {
  noAnswerYet: "The server does not answer yet. Trying again…",
  connecting: "Connecting…",
  skip: "Skip to the message field",
  sidebar: "Sidebar",
};
