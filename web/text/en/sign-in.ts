import { plural } from "../locale.ts";

export const signIn = {
  titles: {
    new: "Sign in to Parley",
    "link-refused": "That link did not work",
    ended: "Your session has ended",
    left: "You are signed out",
  },
  ended: "It expired, or it was ended on another device. Your drafts are still here; sign in to go on.",
  withLink: "With a link",
  linkHelp:
    "When it starts, the server prints a link in its terminal. Open that link in this browser. It works once, for ten minutes; a restart prints a new one.",
  linkSample: "What the link looks like",
  withToken: "With an access token",
  /** Around the name of the variable. */
  tokenHelp: ["The value of ", ", if the server was started with one."],
  signIn: "Sign in",
  signingIn: "Signing in…",
  linkRefused:
    "A login link works once and for ten minutes: this one was used before or is too old. Restart the server for a new one, and open it here.",
  tokenRefused: "The server does not know this access token. Compare it with the one the server was started with.",
  tooOften: "There were too many attempts. Wait a minute, then try again.",
  tooOftenFor: (seconds: number) =>
    `There were too many attempts. Try again in ${plural("en", seconds, { one: "# second", other: "# seconds" })}.`,
  origin: "The server does not accept this address. Its operator can add it to PARLEY_ALLOWED_ORIGINS.",
  linkUnreachable: "The server could not be reached. Open the link again when it runs; it has not been used.",
  unreachable: "The server could not be reached. Try again when it runs.",
};
