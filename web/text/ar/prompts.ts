import type { prompts as en } from "../en/prompts.ts";

export const prompts: typeof en = {
  hint: "نصوص تبدأ بها رسائلك. اكتب / في حقل الرسالة لاستخدام أحدها. ما بين {{ و }} يُحدَّد لتملأه.",
  none: "لا قوالب بعد.",
  new: "قالب جديد",
  name: "الاسم",
  text: "النص",
  nameFirst: "أعطه اسمًا ونصًّا.",
  edit: (name) => `تعديل القالب: ${name}`,
  delete: (name) => `حذف القالب: ${name}`,
  use: (name) => `استخدام القالب: ${name}`,
  useShort: "استخدام",
};
