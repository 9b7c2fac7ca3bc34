import type { suggestions as en } from "../en/suggestions.ts";

export const suggestions: typeof en = {
  capabilities: "ماذا يمكنك أن تفعل؟",
  count: "العدّ حتى 20",
  research: "البحث عن ثعالب الماء والفقمات",
  picnic: "التخطيط لنزهة",
  idea: {
    label: "شرح فكرة صعبة ببساطة",
    text: "اشرح ببساطة وفي خمس جمل كيف يعمل التشفير بالمفتاح العام.",
  },
  weekend: {
    label: "التخطيط لعطلة نهاية الأسبوع",
    text: "خطّط لعطلة نهاية أسبوع هادئة في مدينة لا أعرفها بعد. اسألني أولًا عمّا تحتاج إلى معرفته.",
  },
  table: {
    label: "المقارنة في جدول",
    text: "قارن بين PostgreSQL وSQLite لتطبيق ويب صغير، في جدول.",
  },
  program: {
    label: "كتابة برنامج صغير",
    text: "اكتب برنامجًا صغيرًا يجد الملفات المكررة في مجلد. اشرحه بإيجاز.",
  },
};
