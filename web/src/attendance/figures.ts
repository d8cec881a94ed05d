/** The data of an attendance picture: stays in lanes, people over time, totals and the peak. Reads no page and no clock. */
import type { Attendance, Attended } from "../api";

/** From when to when, in epoch milliseconds. */
export interface Span {
  from: number;
  to: number;
  /** The stay has not ended: `to` is now. */
  open: boolean;
  /** No leave was reported: it ended with the meeting, or when the same device joined again. */
  assumed: boolean;
}
export interface Line {
  name: string;
  guest: boolean;
  /** One list of stays for each device that the person used at the same time as another one. */
  devices: Span[][];
  waiting: Span[];
  /** Leaves without a reported join. */
  leaves: number[];
  /** Two devices at once count once; an open stay counts up to now. */
  minutes: number;
}
export interface Figures {
  from: number;
  to: number;
  live: boolean;
  lines: Line[];
  /** How many people were present from `at` on. Begins at `from`, and each count differs from the one before. */
  steps: { at: number; count: number }[];
  peak: { count: number; from: number; to: number };
  /** The sum of all people's minutes. */
  minutes: number;
}
interface Times {
  join_time: string | null;
  leave_time: string | null;
  leave_time_assumed?: boolean;
}

const MINUTE = 60_000;
const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080];

/** Returns the figures of a held meeting, or null where none of its times is known. */
export function figures(held: Attendance, now: number): Figures | null {
  const live = held.status === "live";
  const ended = live || !held.end_time ? null : Date.parse(held.end_time);
  const lines = held.participants.map((each) => line(each, ended ?? now));
  const spans = lines.flatMap((each) => [...each.devices.flat(), ...each.waiting]);
  const moments = [...spans.flatMap(({ from, to }) => [from, to]), ...lines.flatMap((each) => each.leaves)];
  if (held.start_time) moments.push(Date.parse(held.start_time));
  if (ended !== null) moments.push(ended);
  if (live) moments.push(now);
  if (moments.length === 0) return null;
  const from = moments.reduce((least, each) => Math.min(least, each));
  const to = Math.max(from + MINUTE, moments.reduce((most, each) => Math.max(most, each)));
  const steps = peopleOverTime(lines, from);
  return { from, to, live, lines, steps, peak: peakOf(steps, to), minutes: lines.reduce((sum, each) => sum + each.minutes, 0) };
}

function line(person: Attended, end: number): Line {
  const stays = spansOf(person.sessions, end);
  return {
    name: person.name || "Somebody",
    guest: person.guest,
    devices: lanes(stays),
    waiting: spansOf(person.waiting ?? [], end),
    leaves: person.sessions.flatMap((each) => (!each.join_time && each.leave_time ? [Date.parse(each.leave_time)] : [])),
    minutes: united(stays).reduce((sum, each) => sum + each.to - each.from, 0) / MINUTE,
  };
}

function spansOf(times: readonly Times[], end: number): Span[] {
  return times
    .filter((each): each is Times & { join_time: string } => each.join_time !== null)
    .map((each) => {
      const from = Date.parse(each.join_time);
      const to = each.leave_time ? Date.parse(each.leave_time) : end;
      return { from, to: Math.max(from, to), open: each.leave_time === null, assumed: each.leave_time_assumed === true };
    })
    .sort((one, other) => one.from - other.from);
}

/** Puts each stay into the first free lane. A second lane means a second device. */
function lanes(stays: readonly Span[]): Span[][] {
  const found: Span[][] = [];
  for (const stay of stays) {
    const free = found.find((lane) => (lane.at(-1)?.to ?? 0) <= stay.from);
    if (free) free.push(stay);
    else found.push([stay]);
  }
  return found;
}

/** Returns the same time with overlaps counted once. */
function united(spans: readonly Span[]): { from: number; to: number }[] {
  const found: { from: number; to: number }[] = [];
  for (const { from, to } of spans) {
    const last = found.at(-1);
    if (last && from <= last.to) last.to = Math.max(last.to, to);
    else found.push({ from, to });
  }
  return found;
}

function peopleOverTime(lines: readonly Line[], from: number): { at: number; count: number }[] {
  const changes = new Map<number, number>([[from, 0]]);
  const change = (at: number, by: number): void => void changes.set(at, (changes.get(at) ?? 0) + by);
  for (const each of lines) {
    for (const span of united(each.devices.flat().sort((one, other) => one.from - other.from))) {
      change(span.from, 1);
      change(span.to, -1);
    }
  }
  const steps: { at: number; count: number }[] = [];
  let count = 0;
  for (const [at, by] of [...changes].sort(([one], [other]) => one - other)) {
    count += by;
    if (count !== steps.at(-1)?.count) steps.push({ at, count });
  }
  return steps;
}

/** Returns the first time at which the most people were present. */
function peakOf(steps: Figures["steps"], end: number): Figures["peak"] {
  let peak = { count: 0, from: end, to: end };
  for (const [index, { at, count }] of steps.entries()) {
    if (count > peak.count) peak = { count, from: at, to: steps[index + 1]?.at ?? end };
  }
  return peak;
}

/** Returns how many people were present at a time. */
export function countAt({ steps }: Figures, at: number): number {
  return steps.findLast((each) => each.at <= at)?.count ?? 0;
}

/** Full minutes, hours or days of the viewer's clock within the time shown, at most `most`. */
export function ticks(from: number, to: number, most: number): number[] {
  const step = (STEPS.find((each) => (to - from) / (each * MINUTE) <= most) ?? Math.ceil((to - from) / MINUTE / most)) * MINUTE;
  const zone = new Date(from).getTimezoneOffset() * MINUTE;
  const found: number[] = [];
  for (let at = Math.ceil((from - zone) / step) * step + zone; at <= to; at += step) found.push(at);
  return found;
}

/** One row for each stay and each wait, for a spreadsheet. */
export function stayRows({ lines }: Figures): (string | null)[][] {
  const row = (each: Line, what: string, device: number, span: Span): (string | null)[] => [
    each.name,
    each.guest ? "yes" : "no",
    what,
    String(device),
    iso(span.from),
    span.open ? null : iso(span.to),
    ((span.to - span.from) / MINUTE).toFixed(1),
    span.assumed ? "yes" : "no",
  ];
  const unseen = (each: Line, left: number): (string | null)[] => [each.name, each.guest ? "yes" : "no", "in the meeting", "1", null, iso(left), null, "no"];
  return [
    ["Name", "Guest", "Where", "Device", "Came (UTC)", "Left (UTC)", "Minutes", "Leave assumed"],
    ...lines.flatMap((each) => [
      ...each.waiting.map((span) => row(each, "in the waiting room", 1, span)),
      ...each.devices.flatMap((lane, index) => lane.map((span) => row(each, "in the meeting", index + 1, span))),
      ...each.leaves.map((left) => unseen(each, left)),
    ]),
  ];
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, "Z");
}
