import type { app as en } from "../en/app.ts";

export const app: typeof en = {
  noAnswerYet: "الخادم لا يجيب بعد. تجري المحاولة مرة أخرى…",
  connecting: "جارٍ الاتصال…",
  skip: "الانتقال إلى حقل الرسالة",
  sidebar: "الشريط الجانبي",
};
