/** Zoom's recurrence: read from a form, and described in words. https://developers.zoom.us/docs/api/meetings/ */
import type { Recurrence } from "./api";
import { fromInput, moment, ZONE } from "./time";

export const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const UNITS = { 1: ["day", "days"], 2: ["week", "weeks"], 3: ["month", "months"] } as const;
const WEEKS: Record<string, string> = { "-1": "last", "1": "first", "2": "second", "3": "third", "4": "fourth" };
/** Zoom's own limits for `repeat_interval`. */
export const LONGEST = { 1: 99, 2: 50, 3: 10 } as const;

/** In which weeks of its month a day lies, as Zoom counts them: 1 to 4, and -1 for the last. A day can be in two. */
export function weeksOfMonth(day: Date): number[] {
  const week = Math.ceil(day.getDate() / 7);
  const last = day.getDate() + 7 > new Date(day.getFullYear(), day.getMonth() + 1, 0).getDate();
  return [...(week <= 4 ? [week] : []), ...(last ? [-1] : [])];
}

/** "on the second Tuesday". */
export function describeWeek(week: number, weekday: number): string {
  return `on the ${WEEKS[week]} ${WEEKDAYS[weekday]}`;
}

export function describe(recurrence: Recurrence): string {
  const every = recurrence.repeat_interval ?? 1;
  const [one, many] = UNITS[recurrence.type];
  const parts = [every === 1 ? `Every ${one}` : `Every ${every} ${many}`];
  if (recurrence.type === 2 && recurrence.weekly_days) {
    const days = recurrence.weekly_days.split(",").map((day) => WEEKDAYS[Number(day) - 1] ?? "");
    parts.push(`on ${new Intl.ListFormat(undefined, { type: "conjunction" }).format(days)}`);
  }
  if (recurrence.type === 3 && recurrence.monthly_day) parts.push(`on day ${recurrence.monthly_day}`);
  else if (recurrence.type === 3 && recurrence.monthly_week && recurrence.monthly_week_day) {
    parts.push(describeWeek(recurrence.monthly_week, recurrence.monthly_week_day - 1));
  }
  if (recurrence.end_times) parts.push(recurrence.end_times === 1 ? "once" : `${recurrence.end_times} times`);
  else if (recurrence.end_date_time) parts.push(`until ${moment(recurrence.end_date_time)}`);
  return parts.join(", ");
}

/**
 * Returns a form's recurrence, or null when the meeting does not repeat. `startsAt` has the calendar day on which the
 * meeting starts in `zone`, the form's zone.
 */
export function fromForm(form: FormData, startsAt: Date, zone = ZONE): Recurrence | null {
  const type = Number(form.get("repeats")) as 0 | 1 | 2 | 3;
  if (type === 0) return null;
  const recurrence: Recurrence = { type, repeat_interval: Number(form.get("interval") || 1) };
  if (type === 2) {
    const days = form.getAll("weekday").map(String);
    recurrence.weekly_days = (days.length ? days : [String(startsAt.getDay() + 1)]).join(",");
  }
  const week = Number(form.get("month") || 0); // 0 is the day of the month
  if (type === 3 && weeksOfMonth(startsAt).includes(week)) {
    recurrence.monthly_week = week;
    recurrence.monthly_week_day = startsAt.getDay() + 1;
  } else if (type === 3) recurrence.monthly_day = startsAt.getDate();
  if (form.get("ends") === "until" && form.get("until")) {
    recurrence.end_date_time = fromInput(`${String(form.get("until"))}T23:59:59`, zone).toISOString().replace(/\.\d+Z$/, "Z");
  } else recurrence.end_times = Number(form.get("times") || 1);
  return recurrence;
}
