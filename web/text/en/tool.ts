import { number, plural } from "../locale.ts";

export const tool = {
  statuses: {
    streaming: "Preparing",
    pending: "Up next",
    waiting: "Waits for you",
    running: "Running",
    completed: "Done",
    failed: "Failed",
    denied: "Denied",
    stopped: "Stopped",
  },
  /** What is to be done, is being done, and was done: alone, and to what `#` stands for. */
  phrases: {
    clock: {
      alone: ["Look at the clock", "Looking at the clock", "Looked at the clock"],
      to: ["Look at the clock of #", "Looking at the clock of #", "Looked at the clock of #"],
    },
    calculator: {
      alone: ["Calculate", "Calculating", "Calculated"],
      to: ["Calculate #", "Calculating #", "Calculated #"],
    },
    memory_save: {
      alone: ["Remember", "Remembering", "Remembered"],
      to: ["Remember “#”", "Remembering “#”", "Remembered “#”"],
    },
    memory_search: {
      alone: ["Look for memories", "Looking for memories", "Looked for memories"],
      to: ["Look for memories of “#”", "Looking for memories of “#”", "Looked for memories of “#”"],
    },
    memory_forget: {
      alone: ["Forget", "Forgetting", "Forgot"],
      to: ["Forget “#”", "Forgetting “#”", "Forgot “#”"],
    },
    plan: {
      alone: ["Update the plan", "Updating the plan", "Updated the plan"],
      to: ["Update the plan", "Updating the plan", "Updated the plan"],
    },
    research: {
      alone: ["Research", "Researching", "Researched"],
      to: ["Research #", "Researching #", "Researched #"],
    },
    file_delete: {
      alone: ["Delete", "Deleting", "Deleted"],
      to: ["Delete #", "Deleting #", "Deleted #"],
    },
    /** A tool that nobody knows here. */
    unknown: {
      alone: ["Use a tool", "Using a tool", "Used a tool"],
      to: ["Use #", "Using #", "Used #"],
    },
  },
  ran: (count: number) => plural("en", count, { one: "Ran # tool", other: "Ran # tools" }),
  didNotRun: (count: number) => plural("en", count, { one: "# tool did not run", other: "# tools did not run" }),
  failed: (count: number) => `${number(count)} failed`,
  denied: (count: number) => `${number(count)} denied`,
  loading: "Loading…",
  arguments: "Arguments",
  argumentsLabel: "arguments",
  copyArguments: "Copy arguments",
  none: "None",
  whyNot: "Why not",
  whatWentWrong: "What went wrong",
  result: "Result",
  resultLabel: "result",
  copyResult: "Copy result",
  nothing: "Nothing",
  showAll: (characters: number) => `Show all ${number(characters)} characters`,
};
