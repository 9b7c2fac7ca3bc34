/** `/embed.js`: `<parley-chat>` for the pages of other sites. Two copies of this script, of one server or of two, do no harm. */
import { define } from "./components/element.ts";
import { ParleyChatElement } from "./embed/element.ts";

define("parley-chat", ParleyChatElement);

// What a first look does without.
setTimeout(() => {
  Promise.all([import("./answers.ts").then(({ warmUp }) => warmUp()), import("./embed/later.ts")]).catch(
    () => undefined,
  );
});
