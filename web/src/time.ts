/** Times, always in the zone of who looks at them. */

export const ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone;

const DAY = new Intl.DateTimeFormat(undefined, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
const LONG_DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long", year: "numeric" });
const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const AGO = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });

export function moment(iso: string): string {
  const at = new Date(iso);
  return `${DAY.format(at)}, ${TIME.format(at)}`;
}

/** "Today", "Tomorrow", or the date. */
export function day(iso: string, now = new Date()): string {
  const at = new Date(iso);
  const far = Math.round((new Date(at).setHours(12, 0, 0, 0) - new Date(now).setHours(12, 0, 0, 0)) / 86_400_000);
  const name = Math.abs(far) <= 1 ? AGO.format(far, "day") : "";
  return name ? `${name.charAt(0).toLocaleUpperCase()}${name.slice(1)}, ${DAY.format(at)}` : LONG_DAY.format(at);
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

/** What an input of type datetime-local wants: the viewer's wall clock. */
export function toInput(at: Date): string {
  const pad = (value: number): string => String(value).padStart(2, "0");
  return `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}T${pad(at.getHours())}:${pad(at.getMinutes())}`;
}

/** The next full hour. */
export function nextHour(now = new Date()): Date {
  const next = new Date(now);
  next.setHours(now.getHours() + 1, 0, 0, 0);
  return next;
}
