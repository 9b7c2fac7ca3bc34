import type { chat as en } from "../en/chat.ts";
import { number } from "../locale.ts";

export const chat: typeof en = {
  conversation: "المحادثة",
  loading: "جارٍ التحميل",
  loadingOlder: "جارٍ تحميل الرسائل السابقة…",
  dropFiles: "أفلت الملفات لإرفاقها",
  gone: "هذه المحادثة ليست هنا",
  goneWhy: "إما أنها غير موجودة أو أنها تخص شخصًا آخر.",
  notOpened: "تعذّر فتح المحادثة",
  greetings: { morning: "صباح الخير", afternoon: "طاب يومك", evening: "مساء الخير" },
  suggestions: "اقتراحات",
  canBeWrong: "قد تكون الإجابات خاطئة. تحقق مما يهمك.",
  demo: "نموذج تجريبي: الإجابات معدّة مسبقًا؛ انظر الوثائق.",
  decisionNeeded: "قرارك مطلوب",
  decisionsNeeded: (summaries) => `قرارك مطلوب. ${summaries}`,
  toLatest: "الانتقال إلى الأحدث",
  responding: "تجري الإجابة",
  reconnecting: "جارٍ إعادة الاتصال…",
  offline: "أنت غير متصل بالإنترنت.",
  queued: (count) => `${number(count)} في قائمة الانتظار`,
  tooManyConnections: "بلغ الخادم أقصى عدد من الاتصالات. أغلق علامة تبويب أخرى ثم حاول مرة أخرى.",
  ended: "أنهى الخادم الاتصال. أعد تحميل الصفحة إذا تكرر ذلك.",
};
