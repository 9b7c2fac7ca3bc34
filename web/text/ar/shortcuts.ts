import type { shortcuts as en } from "../en/shortcuts.ts";

export const shortcuts: typeof en = {
  title: "اختصارات لوحة المفاتيح",
  everywhere: "في كل مكان",
  inField: "في حقل الرسالة",
  inLists: "في القوائم",
  keys: { control: "Ctrl", shift: "Shift", enter: "Enter", escape: "Esc", up: "↑", down: "↓" },
  help: "عرض هذه القائمة",
  send: "إرسال",
  newLine: "سطر جديد",
  slash: "القوالب والأوامر، في بداية الرسالة",
  move: "الانتقال إلى التالي أو السابق",
  choose: "اختيار",
  close: "إغلاق ما هو مفتوح، أو إيقاف الإجابة",
  rename: "إعادة تسمية المحادثة",
  singleOff: "المفتاح ? معطَّل في الإعدادات.",
};
