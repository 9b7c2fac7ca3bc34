export const prompts = {
  hint: "Texts that you begin messages with. Type / in the message field to use one. What stands between {{ and }} is selected, to be filled in.",
  none: "No prompts yet.",
  new: "New prompt",
  name: "Name",
  text: "Text",
  nameFirst: "Give it a name and a text.",
  edit: (name: string) => `Edit prompt: ${name}`,
  delete: (name: string) => `Delete prompt: ${name}`,
  use: (name: string) => `Use prompt: ${name}`,
  useShort: "Use",
};
