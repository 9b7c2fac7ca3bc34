import { text } from "./text.ts";

/** What an error of the server's says to whoever reads the page. */
export const errorText = ({ code, message }: { readonly code: string; readonly message: string }): string =>
  text().errors.told(code, message);
