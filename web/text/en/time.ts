export const time = {
  /** Short, as after a process. */
  seconds: (count: number) => `${count} s`,
  minutes: (count: number) => `${count} min`,
  hours: (count: number) => `${count} h`,
  /** Of a duration: "in 9 min". */
  in: (duration: string) => `in ${duration}`,
  /** Another day's. */
  dayAndTime: (day: string, time: string) => `${day}, ${time}`,
};
