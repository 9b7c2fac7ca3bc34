import type { usage as en } from "../en/usage.ts";
import { plural } from "../locale.ts";

export const usage: typeof en = {
  thousand: " ألف",
  million: " مليون",
  tokens: (count, shown) =>
    plural("ar", count, {
      one: "رمز واحد",
      two: "رمزان",
      few: `${shown} رموز`,
      many: `${shown} رمزًا`,
      other: `${shown} رمز`,
    }),
  read: "المقروء",
  cached: "منه من الذاكرة المؤقتة",
  written: "المكتوب",
  thinking: "منه للتفكير",
  cost: "التكلفة",
};
