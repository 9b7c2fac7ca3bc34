import assert from "node:assert/strict";
import test from "node:test";
import { toolContext } from "../../test/support/tool-context.ts";
import { ToolError } from "../ports/tool.ts";
import { createClock } from "./clock.ts";

const at = (iso: string, timeZone = "Europe/Berlin") => createClock({ now: () => new Date(iso), timeZone });

test("the clock tells the wall clock of the server's zone, and UTC", async () => {
  assert.deepEqual(await at("2026-11-21T23:03:04.567Z").run({}, toolContext()), {
    timeZone: "Europe/Berlin",
    date: "2026-11-22",
    time: "00:03:04",
    weekday: "Sunday",
    offset: "+01:00",
    utc: "2026-11-21T23:03:04.567Z",
  });
});

for (const [timeZone, date, time, offset] of [
  ["UTC", "2026-07-01", "12:00:00", "+00:00"],
  ["Asia/Kathmandu", "2026-07-01", "17:45:00", "+05:45"],
  ["America/New_York", "2026-07-01", "08:00:00", "-04:00"],
  ["Pacific/Kiritimati", "2026-07-02", "02:00:00", "+14:00"],
] as const) {
  test(`in ${timeZone} it is ${time}`, async () => {
    const told = await at("2026-07-01T12:00:00Z").run({ timeZone }, toolContext());
    assert.deepEqual(
      { ...(told as object), weekday: "", utc: "" },
      { timeZone, date, time, offset, weekday: "", utc: "" },
    );
  });
}

test("a zone that does not exist is told so", async () => {
  await assert.rejects(at("2026-07-01T12:00:00Z").run({ timeZone: "Mars/Olympus" }, toolContext()), ToolError);
});

test("without options it is the server's own clock", async () => {
  const before = Date.now();
  const { utc, timeZone } = (await createClock().run({}, toolContext())) as { utc: string; timeZone: string };
  assert.ok(Date.parse(utc) >= before && Date.parse(utc) <= Date.now());
  assert.equal(timeZone, new Intl.DateTimeFormat().resolvedOptions().timeZone);
});
