/** Durations as people say them. */

/** "8 s", "1 min 5 s", "2 h 3 min"; undefined for what took no time worth a word. */
export function durationText(ms: number): string | undefined {
  const seconds = Math.round(ms / 1000);
  if (!(seconds >= 1)) return undefined;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return joined(`${minutes} min`, seconds % 60, "s");
  return joined(`${Math.floor(minutes / 60)} h`, minutes % 60, "min");
}

const joined = (text: string, rest: number, unit: string): string => (rest === 0 ? text : `${text} ${rest} ${unit}`);

/** "in 9 min", "in 45 s"; minutes are enough until the last one. */
export function inText(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  if (seconds < 60) return `in ${seconds} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `in ${minutes} min` : `in ${Math.round(minutes / 60)} h`;
}

/** "12:03" of the reader's own clock, with the day where it was another one. */
export function timeText(time: string, now: Date): string {
  const date = new Date(time);
  const clock = date.toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit" });
  return date.toDateString() === now.toDateString() ? clock : `${date.toLocaleDateString()}, ${clock}`;
}
