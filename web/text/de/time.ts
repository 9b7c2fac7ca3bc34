import type { time as en } from "../en/time.ts";

export const time: typeof en = {
  seconds: (count) => `${count} s`,
  minutes: (count) => `${count} min`,
  hours: (count) => `${count} h`,
  in: (duration) => `in ${duration}`,
  dayAndTime: (day, time) => `${day}, ${time}`,
};
