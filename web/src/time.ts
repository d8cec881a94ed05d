/** Times, always in the viewer's zone. */

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const LONG_DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const SHORT_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function moment(iso: string): string {
  const at = new Date(iso);
  return `${DAY.format(at)}, ${TIME.format(at)}`;
}

/** Day and month, for the head of a column. */
export function shortDay(iso: string): string {
  return SHORT_DAY.format(new Date(iso));
}

/** "Today", "Tomorrow", or the date. */
export function day(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const far = Math.round((new Date(at).setHours(12, 0, 0, 0) - new Date(now).setHours(12, 0, 0, 0)) / 86_400_000);
  const name = Math.abs(far) <= 1 ? AGO.format(far, "day") : "";
  return name ? `${name.charAt(0).toLocaleUpperCase()}${name.slice(1)}, ${DAY.format(at)}` : LONG_DAY.format(at);
}

const UTC_DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", timeZone: "UTC" });

/** Day and month of a UTC day such as 2026-11-23, whatever the viewer's zone. */
export function utcDay(date: string): string {
  return UTC_DAY.format(new Date(`${date}T00:00:00Z`));
}

export function clock(at: Date | string): string {
  return CLOCK.format(typeof at === "string" ? new Date(at) : at);
}

/** Without seconds, for tables. */
export function hour(iso: string): string {
  return TIME.format(new Date(iso));
}

/** "in 3 days", "2 hours ago". */
export function relative(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  const units: [Intl.RelativeTimeFormatUnit, number][] = [["year", 31_557_600], ["month", 2_629_800], ["day", 86_400], ["hour", 3_600], ["minute", 60]];
  for (const [unit, length] of units) {
    if (Math.abs(seconds) >= length) return AGO.format(Math.round(seconds / length), unit);
  }
  return AGO.format(0, "minute");
}

export function minutes(count: number): string {
  const whole = Math.round(count);
  return whole < 60 ? `${whole} min` : `${Math.floor(whole / 60)} h ${whole % 60 ? `${whole % 60} min` : ""}`.trim();
}

/** Returns a time for an input of type datetime-local: the wall clock of a zone. */
export function toInput(at: Date, zone = ZONE): string {
  return new Date(at.getTime() + offset(at, zone)).toISOString().slice(0, 16);
}

/** Returns the time at which the wall clock of a zone shows `input`. An hour that the clocks skip counts as the next one. */
export function fromInput(input: string, zone = ZONE): Date {
  const wall = Date.parse(`${input}Z`);
  if (Number.isNaN(wall)) return new Date(NaN);
  const guess = wall - offset(new Date(wall), zone);
  return new Date(wall - offset(new Date(guess), zone));
}

/** How far the wall clock of a zone is ahead of UTC, in milliseconds. */
function offset(at: Date, zone: string): number {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const wall = Date.UTC(part.year ?? 0, (part.month ?? 1) - 1, part.day, part.hour, part.minute, part.second);
  return wall - Math.floor(at.getTime() / 1000) * 1000;
}

/** Every zone that the browser knows, and those named here. */
export function zones(...more: string[]): string[] {
  return [...new Set([...Intl.supportedValuesOf("timeZone"), "UTC", ZONE, ...more])].sort();
}

/** Returns the zone if the browser supports it, else the viewer's. */
export function usableZone(zone: string | undefined): string {
  try {
    return zone ? new Intl.DateTimeFormat("en-US", { timeZone: zone }).resolvedOptions().timeZone && zone : ZONE;
  } catch {
    return ZONE;
  }
}

/** The next full hour. */
export function nextHour(now = new Date()): Date {
  const next = new Date(now);
  next.setHours(now.getHours() + 1, 0, 0, 0);
  return next;
}
