import type { common as en } from "../en/common.ts";

export const common: typeof en = {
  parley: "Parley",
  cancel: "إلغاء",
  close: "إغلاق",
  conversations: "المحادثات",
  copied: "تم النسخ",
  copy: "نسخ",
  newConversation: "محادثة جديدة",
  remove: "إزالة",
  retry: "إعادة المحاولة",
  showAll: "عرض الكل",
  theRest: "جارٍ تحميل البقية…",
  tryAgain: "حاول مرة أخرى",
  tryNow: "حاول الآن",
  you: "أنت",
};
