/** What needs no browser: rules of repetition, files, what a meeting is, and the figures of an attendance. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "@playwright/test";
import type { Meeting, State } from "../src/api";
import { figures, stayRows } from "../src/attendance/figures";
import { calendarFile, guestLink, invitationText } from "../src/invitation";
import { describe, fromForm, weeksOfMonth } from "../src/recurrence";
import { csv } from "../src/save";
import { standing, wholeStanding } from "../src/status";
import { fromInput, toInput } from "../src/time";
import { attendance } from "./meeting-data";

function form(entries: Record<string, string | string[]>): FormData {
  const data = new FormData();
  for (const [name, values] of Object.entries(entries)) for (const value of [values].flat()) data.append(name, value);
  return data;
}

test("a day lies in one or two weeks of its month", () => {
  expect(weeksOfMonth(new Date(2030, 0, 1))).toEqual([1]);
  expect(weeksOfMonth(new Date(2030, 0, 25))).toEqual([4, -1]); // the fourth Friday is the last one
  expect(weeksOfMonth(new Date(2030, 0, 24))).toEqual([4]);
  expect(weeksOfMonth(new Date(2030, 0, 31))).toEqual([-1]); // Zoom knows no fifth
  expect(weeksOfMonth(new Date(2028, 1, 29))).toEqual([-1]);
});

test("a form becomes Zoom's rule and reads as one", () => {
  const friday = new Date(2030, 0, 25, 10);
  const said = (entries: Record<string, string | string[]>): unknown => fromForm(form(entries), friday);
  expect(said({ repeats: "0" })).toBeNull();
  expect(said({ repeats: "1", interval: "2", ends: "times", times: "5" })).toEqual({ type: 1, repeat_interval: 2, end_times: 5 });
  expect(said({ repeats: "2", interval: "1", ends: "times", times: "5" })).toMatchObject({ weekly_days: "6" });
  expect(said({ repeats: "2", interval: "1", weekday: ["2", "5"], times: "5" })).toMatchObject({ weekly_days: "2,5" });
  expect(said({ repeats: "3", interval: "1", month: "0", times: "5" })).toMatchObject({ monthly_day: 25 });
  expect(said({ repeats: "3", interval: "1", month: "-1", times: "5" })).toMatchObject({ monthly_week: -1, monthly_week_day: 6 });
  expect(said({ repeats: "3", interval: "1", month: "2", times: "5" })).toMatchObject({ monthly_day: 25 }); // not its week
  const until = fromForm(form({ repeats: "1", interval: "1", ends: "until", until: "2030-02-01" }), friday);
  expect(new Date(until?.end_date_time ?? 0).getTime()).toBe(new Date(2030, 1, 1, 23, 59, 59).getTime());
  expect(until).not.toHaveProperty("end_times");
  expect(describe({ type: 3, monthly_week: -1, monthly_week_day: 6, end_times: 2 })).toBe("Every month, on the last Friday, 2 times");
});

test("a name is no formula", () => {
  const rows = csv([["=HYPERLINK(\"http://evil.example\")", "+1"], ["Doe, \"Jo\"", null], ["@x", "-2"], ["plain", "1.5"]]);
  expect(rows).toBe(`"'=HYPERLINK(""http://evil.example"")",'+1\r\n"Doe, ""Jo""",\r\n'@x,'-2\r\nplain,1.5\r\n`);
  const python = readFileSync(resolve(import.meta.dirname, "../../layers/zoom_common/zoom_common/spreadsheets.py"), "utf8");
  const [, list] = /_FORMULAS = \((.*)\)/.exec(python) ?? [];
  for (const first of JSON.parse(`[${list}]`) as string[]) {
    expect(csv([[`${first}1`]]).replace(/^"/, ""), JSON.stringify(first)).toMatch(/^'/);
    expect(csv([[` ${first}1`]]).replace(/^"/, ""), JSON.stringify(first)).toMatch(/^'/);
  }
});

const NOW = Date.parse("2026-09-21T16:00:00Z");

test("people over time count persons, not devices, and a wait is no stay", () => {
  const shown = figures(attendance(), NOW);
  expect(shown?.peak).toEqual({ count: 4, from: Date.parse("2026-09-21T14:15:00Z"), to: Date.parse("2026-09-21T14:20:00Z") });
  const counts = shown?.steps.map(({ at, count }) => `${new Date(at).toISOString().slice(11, 16)} ${count}`);
  expect(counts).toEqual(["14:00 1", "14:05 2", "14:10 3", "14:15 4", "14:20 2", "14:30 3", "14:40 2", "14:45 3", "14:50 2", "14:55 1", "15:00 0"]);
  expect(shown?.lines.map((each) => [each.devices.length, each.waiting.length, each.leaves.length, each.minutes])).toEqual([
    [1, 0, 0, 60],
    [1, 1, 0, 35],
    [2, 0, 0, 30],
    [1, 0, 0, 5],
    [0, 0, 1, 0],
    [1, 0, 0, 10],
  ]);
  expect(shown?.minutes).toBe(140);
});

test("a stay that goes on counts up to now, and a meeting without any time has no picture", () => {
  const held = attendance();
  const open = { ...held, status: "live", end_time: null, participants: [{ ...held.participants[0]!, present: true, sessions: [{ join_time: held.start_time, leave_time: null }] }] };
  const shown = figures(open, NOW);
  expect([shown?.live, shown?.to, shown?.minutes, shown?.peak.count]).toEqual([true, NOW, 120, 1]);
  expect(figures({ status: "scheduled", start_time: null, end_time: null, participants: [] }, NOW)).toBeNull();
});

test("somebody who leaves and joins in one second is one person all the time", () => {
  const held = attendance();
  const [from, move, to] = ["14:00", "14:30", "15:00"].map((each) => `2026-09-21T${each}:00Z`) as [string, string, string];
  const moved = { ...held.participants[1]!, sessions: [{ join_time: from, leave_time: move }, { join_time: move, leave_time: to }] };
  const shown = figures({ ...held, participants: [moved] }, NOW);
  expect(shown?.steps.map((each) => each.count)).toEqual([1, 0]);
  expect(shown?.lines[0]?.devices).toHaveLength(1);
});

test("every stay and every wait is a row of the file", () => {
  const rows = stayRows(figures(attendance(), NOW)!);
  expect(rows).toHaveLength(1 + 9);
  expect(rows).toContainEqual(["Ada Lovelace", "yes", "in the waiting room", "1", "2026-09-21T14:01:00Z", "2026-09-21T14:05:00Z", "4.0", "no"]);
  expect(rows).toContainEqual(["Grace Hopper", "yes", "in the meeting", "2", "2026-09-21T14:15:00Z", "2026-09-21T14:25:00Z", "10.0", "no"]);
  expect(rows).toContainEqual(["Unseen", "yes", "in the meeting", "1", null, "2026-09-21T14:12:00Z", null, "no"]);
  expect(csv(rows)).toContain("'=cmd()");
});

test("what a meeting is follows from its plan and from events", () => {
  const start = "2026-09-21T16:00:00Z";
  const said = (minutes: number, state: Partial<State> | null, type = 2): string =>
    standing({ start_time: start, duration: 30, type }, state && ({ participants_count: 2, ...state } as State), Date.parse(start) + minutes * 60_000).what;
  const began = (minutes: number): { uuid: string; start_time: string; end_time: null } => ({ uuid: "u", start_time: new Date(Date.parse(start) + minutes * 60_000).toISOString(), end_time: null });
  expect(said(-10, null)).toBe("planned");
  expect(said(10, null)).toBe("due");
  expect(said(40, null)).toBe("past");
  expect(said(-10, { status: "live", instance: began(-15) })).toBe("early");
  expect(said(40, { status: "live", instance: began(2) })).toBe("live");
  expect(said(20, { status: "ended", instance: began(0) })).toBe("over");
  expect(said(-10, { status: "ended", instance: began(-60) })).toBe("over");
  expect(said(-10, { status: "ended", instance: began(-3000) })).toBe("planned"); // a rehearsal days before
  expect(said(-10_000, { status: "live", instance: began(-10_080) }, 8)).toBe("planned"); // last week's of the series
  expect(said(5, { status: "live", instance: began(0) }, 8)).toBe("live");
  expect(said(5, { status: "deleted", instance: null })).toBe("over");
  const whole = (state: object): string => wholeStanding({ start_time: start, duration: 30, type: 8 }, { participants_count: 2, ...state } as State, Date.parse(start) - 86_400_000).text;
  expect(whole({ status: "live", instance: began(-1440) })).toBe("Live, 2 present"); // a day early, and on all the same
  expect(whole({ status: "ended", instance: began(-10_080) })).toBe("Last one ended");
  const single = { start_time: start, duration: 30, type: 2 };
  expect(wholeStanding(single, { status: "ended", instance: began(-10_080) } as State, NOW - 86_400_000).text).toBe("Ended before its time");
});

test("a wall clock belongs to its zone, also where the clocks change", () => {
  expect(fromInput("2030-01-25T09:00", "America/New_York").toISOString()).toBe("2030-01-25T14:00:00.000Z");
  expect(fromInput("2030-07-25T09:00", "America/New_York").toISOString()).toBe("2030-07-25T13:00:00.000Z");
  expect(toInput(new Date("2030-01-25T18:45:00Z"), "Asia/Kathmandu")).toBe("2030-01-26T00:30");
  expect(fromInput("2026-03-29T02:30", "Europe/Vienna").toISOString()).toBe("2026-03-29T01:30:00.000Z"); // skipped by the clocks
  expect(Number.isNaN(fromInput("", "UTC").getTime())).toBe(true);
});

test("guests get the link that lets them in, and a calendar gets each time in UTC", () => {
  const plain: Meeting = { id: 851, uuid: "u", host_id: "h", topic: "A; B, C", type: 2, start_time: "2030-01-07T10:00:00Z", duration: 30, join_url: "https://zoom.us/j/851", password: "pw" };
  const registered = { ...plain, settings: { approval_type: 1 }, registration_url: "https://zoom.us/meeting/register/x" };
  expect(guestLink(plain)).toEqual({ url: "https://zoom.us/j/851", registration: false });
  expect(guestLink(registered)).toEqual({ url: "https://zoom.us/meeting/register/x", registration: true });
  expect(invitationText(plain)).toContain("Passcode: pw");
  expect(invitationText(registered)).not.toMatch(/pw|zoom\.us\/j/);
  const file = calendarFile({ ...plain, occurrences: ["07", "14"].map((each) => ({ occurrence_id: each, start_time: `2030-01-${each}T10:00:00Z`, duration: 45, status: "available" })) }) ?? "";
  expect(file.match(/BEGIN:VEVENT/g)).toHaveLength(2);
  expect(file).toContain("DTSTART:20300114T100000Z\r\nDTEND:20300114T104500Z\r\n");
  expect(file).toContain("SUMMARY:A\\; B\\, C\r\n");
  expect(file.split("\r\n").filter((line) => new TextEncoder().encode(line).length > 75)).toEqual([]);
  expect(calendarFile({ ...plain, start_time: "" })).toBeNull();
});
