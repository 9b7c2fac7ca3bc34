/** Durations as people say them. */
import { dateTime } from "../text/locale.ts";
import { text } from "../text/text.ts";

/** "8 s", "1 min 5 s", "2 h 3 min"; undefined for what took no time worth a word. */
export function durationText(ms: number): string | undefined {
  const seconds = Math.round(ms / 1000);
  if (!(seconds >= 1)) return undefined;
  if (seconds < 60) return text().time.seconds(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(text().time.minutes(minutes), seconds % 60, text().time.seconds);
  return joined(text().time.hours(Math.floor(minutes / 60)), minutes % 60, text().time.minutes);
}

const joined = (whole: string, rest: number, unit: (count: number) => string): string =>
  rest === 0 ? whole : `${whole} ${unit(rest)}`;

/** "in 9 min", "in 45 s"; minutes are enough until the last one. */
export function inText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const words = text().time;
  if (seconds < 60) return words.in(words.seconds(seconds));
  const minutes = Math.round(seconds / 60);
  return words.in(minutes < 120 ? words.minutes(minutes) : words.hours(Math.round(minutes / 60)));
}

/** "12:03" of the reader's own clock, with the day where it was another one. */
export function timeText(time: string, now: Date): string {
  const date = new Date(time);
  const clock = dateTime(date, { hour: "2-digit", minute: "2-digit" });
  if (date.toDateString() === now.toDateString()) return clock;
  return text().time.dayAndTime(dateTime(date, { year: "numeric", month: "numeric", day: "numeric" }), clock);
}
