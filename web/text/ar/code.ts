import type { code as en } from "../en/code.ts";

export const code: typeof en = {
  code: "شيفرة",
  codeIn: (language) => `شيفرة ${language}`,
  copy: "نسخ الشيفرة",
  copyIn: (language) => `نسخ شيفرة ${language}`,
  done: "منجز",
  formula: "صيغة رياضية",
  notDone: "غير منجز",
  table: "جدول",
  wrap: "التفاف الأسطر",
};
