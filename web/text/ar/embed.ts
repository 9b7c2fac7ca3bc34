import type { embed as en } from "../en/embed.ts";

export const embed: typeof en = {
  conversation: "محادثة",
  connecting: "جارٍ الاتصال…",
  signingIn: "بانتظار أن تسجّل هذه الصفحة دخولك…",
  noAnswer: "لا يستجيب الخادم بعد. تجري المحاولة من جديد…",
  originTitle: "لا يُسمح لهذه الصفحة بالاتصال",
  origin: (page: string, server: string) =>
    `لا يقبل الخادم ${server} صفحات ${page}. يمكن لمشغّله إضافتها إلى PARLEY_ALLOWED_ORIGINS.`,
  policyTitle: "تمنع هذه الصفحة الاتصال",
  policy: (sources: string) => `تحتاج سياسة أمان المحتوى فيها ضمن connect-src إلى: ${sources}`,
  providerTitle: "تعذّر تسجيل دخولك",
  provider: "لم تقدّم هذه الصفحة تسجيل دخول للمحادثة. تجري المحاولة من جديد…",
  refusedTitle: "لم تسجّل دخولك",
  refused: "انتهى تسجيل الدخول الذي قدّمته هذه الصفحة أو رُفض.",
  closedTitle: "لا يوجد اتصال",
  addressTitle: "ليس لهذه المحادثة خادم",
  address: (server: string) => `‏"${server}" ليس عنوان خادم. يبدو العنوان مثل https://chat.example.`,
};
