/** What needs no browser: rules of repetition, and files for spreadsheets. */
import { expect, test } from "@playwright/test";
import { csv } from "../src/save";
import { describe, fromForm, weeksOfMonth } from "../src/recurrence";

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
});
