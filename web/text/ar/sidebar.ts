import type { sidebar as en } from "../en/sidebar.ts";

export const sidebar: typeof en = {
  ages: {
    today: "اليوم",
    yesterday: "أمس",
    week: "آخر 7 أيام",
    month: "آخر 30 يومًا",
    older: "أقدم",
  },
  none: "ستظهر محادثاتك هنا.",
  showMore: "عرض المزيد",
  title: "العنوان",
  rename: (title) => `إعادة تسمية ${title}`,
  renameKey: "إعادة التسمية (F2)",
  account: "، الحساب والمظهر",
  accountMenu: "الحساب والمظهر",
  theme: "المظهر",
  themes: { light: "فاتح", dark: "داكن", system: "حسب النظام" },
  signOut: "تسجيل الخروج",
};
