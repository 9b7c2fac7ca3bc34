export const errors = {
  /** What a server's error says to a person: here its own message. */
  told: (_code: string, message: string) => message,
  somethingFailed: "That did not work. Try again.",
  stillSignedIn: "You are still signed in: the server could not be reached. Try again.",
  filesUploading: "The files are still on their way. Send again when they are there.",
  pageIncomplete: "A part of this page could not be loaded. Reload it.",
};
