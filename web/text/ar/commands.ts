import type { commands as en } from "../en/commands.ts";
import { plural } from "../locale.ts";

export const commands: typeof en = {
  palette: "الأوامر",
  placeholder: "ابحث عن أمر أو محادثة",
  results: (count) =>
    plural("ar", count, {
      zero: "لا نتائج",
      one: "نتيجة واحدة",
      two: "نتيجتان",
      few: "# نتائج",
      many: "# نتيجة",
      other: "# نتيجة",
    }),
  none: "لا شيء بهذا الاسم",
  sections: {
    answer: "المحادثة",
    page: "Parley",
    conversation: "المحادثات",
    message: "في الرسائل",
    choice: "الخيارات",
  },
  newConversation: "محادثة جديدة",
  commands: "البحث عن أمر أو محادثة…",
  settings: "الإعدادات…",
  prompts: "مكتبة القوالب…",
  memory: "الذاكرة…",
  devices: "الأجهزة والجلسات…",
  notifications: "الإشعارات…",
  shortcuts: "اختصارات لوحة المفاتيح",
  chooseModel: "اختيار نموذج…",
  stop: "إيقاف الإجابة",
  regenerate: "إعادة توليد آخر إجابة",
  copyAnswer: "نسخ آخر إجابة",
  attach: "إرفاق ملفات…",
  signOut: "تسجيل الخروج",
  theme: (theme) => `المظهر: ${theme}`,
  language: (language) => `اللغة: ${language}`,
  model: (model) => `النموذج: ${model}`,
  chosen: "محدَّد",
  slash: "الأوامر والقوالب",
  prompt: "قالب",
};
