export const code = {
  code: "Code",
  codeIn: (language: string) => `${language} code`,
  copy: "Copy code",
  copyIn: (language: string) => `Copy ${language} code`,
  done: "Done",
  formula: "Formula",
  notDone: "Not done",
  table: "Table",
  wrap: "Wrap lines",
};
