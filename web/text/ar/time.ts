import type { time as en } from "../en/time.ts";

export const time: typeof en = {
  seconds: (count) => `${count} ث`,
  minutes: (count) => `${count} د`,
  hours: (count) => `${count} س`,
  in: (duration) => `بعد ${duration}`,
  dayAndTime: (day, time) => `${day}، ${time}`,
};
