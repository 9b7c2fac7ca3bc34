/** How answers are shown: fetched while the server is asked for them. */
import "./components/markdown/markdown.ts";

export { warmUp } from "./markdown/blocks.ts";
