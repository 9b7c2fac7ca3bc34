/** What time it is. */
import { z } from "zod";
import { ToolError } from "../ports/tool.ts";
import { defineTool } from "./define.ts";

export interface ClockOptions {
  readonly now?: () => Date;
  /** IANA name, for calls that name none. Default: the server's. */
  readonly timeZone?: string;
}

export const createClock = (options: ClockOptions = {}) => {
  const { now = () => new Date(), timeZone: home = new Intl.DateTimeFormat().resolvedOptions().timeZone } = options;
  return defineTool({
    name: "clock",
    description: "Tells the current date and time, in the time zone of the server or in another one.",
    effect: "read",
    approval: "never",
    schema: z.strictObject({
      timeZone: z.string().max(64).optional().describe("IANA name, for example Europe/Paris or UTC"),
    }),
    summary: ({ timeZone }) => `Look at the clock of ${timeZone ?? "the server"}.`,
    timeoutMs: 1_000,
    retries: 0,
    run: async ({ timeZone = home }) => tell(now(), timeZone),
  });
};

/** `date` and `time` are the wall clock's there, `offset` its distance from UTC. */
function tell(now: Date, timeZone: string): object {
  const parts = new Map(
    formatFor(timeZone)
      .formatToParts(now)
      .map(({ type, value }) => [type, value]),
  );
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? "";
  return {
    timeZone,
    date: `${part("year")}-${part("month")}-${part("day")}`,
    time: `${part("hour")}:${part("minute")}:${part("second")}`,
    weekday: part("weekday"),
    // "GMT+01:00", or "GMT" alone.
    offset: part("timeZoneName").replace("GMT", "") || "+00:00",
    utc: now.toISOString(),
  };
}

function formatFor(timeZone: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en", {
      timeZone,
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      hourCycle: "h23",
      weekday: "long",
      timeZoneName: "longOffset",
    });
  } catch {
    throw new ToolError(`There is no time zone "${timeZone}". Name one as IANA does, for example Europe/Paris.`);
  }
}
