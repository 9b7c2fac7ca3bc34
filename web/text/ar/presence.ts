import type { presence as en } from "../en/presence.ts";
import { plural } from "../locale.ts";

export const presence: typeof en = {
  elsewhere: "مفتوحة أيضًا على جهاز آخر",
  typingElsewhere: "تجري الكتابة على جهاز آخر…",
  here: (name) => `${name} هنا`,
  hereToo: (name, more) =>
    plural("ar", more, {
      one: `${name} وشخص آخر هنا`,
      two: `${name} وشخصان آخران هنا`,
      few: `${name} و# أشخاص آخرين هنا`,
      many: `${name} و# شخصًا آخر هنا`,
      other: `${name} و# شخص آخر هنا`,
    }),
  typing: (name) => `${name} يكتب…`,
  typingToo: (count) =>
    plural("ar", count, {
      one: "شخص واحد يكتب…",
      two: "شخصان يكتبان…",
      few: "# أشخاص يكتبون…",
      many: "# شخصًا يكتبون…",
      other: "# شخص يكتبون…",
    }),
};
