import type { trash as en } from "../en/trash.ts";

export const trash: typeof en = {
  title: "المحذوفة مؤخرًا",
  hint: "ما تحذفه يبقى هنا 7 أيام، ثم يُزال نهائيًا.",
  none: "لا يوجد ما يمكن استعادته.",
  restore: "استعادة",
  restoreOne: (title) => `استعادة ${title}`,
  removed: (when) => `تُزال ${when}`,
  purgeOne: (title) => `حذف ${title} نهائيًا`,
  purged: "حُذفت المحادثة نهائيًا.",
  restored: "عادت المحادثة إلى القائمة.",
  open: "فتح",
};
