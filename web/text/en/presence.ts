import { plural } from "../locale.ts";

export const presence = {
  elsewhere: "Also open on another device",
  typingElsewhere: "Typing on another device…",
  here: (name: string) => `${name} is here`,
  hereToo: (name: string, more: number) =>
    plural("en", more, { one: `${name} and # other are here`, other: `${name} and # others are here` }),
  typing: (name: string) => `${name} is typing…`,
  typingToo: (count: number) => plural("en", count, { one: "# person is typing…", other: "# people are typing…" }),
};
