/** Who was there and for how long: as a table on the page, and as a file for a spreadsheet. */
import type { Attendance, Attended } from "../api";
import { h } from "../dom";
import { csv, saveFile } from "../save";
import { hour } from "../time";

export function attendanceTable(held: Attendance): HTMLElement {
  return h(
    "div",
    {},
    h("h3", { id: "attendance" }, "Attendance"),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ["Name", "Came", "Left", "Minutes"].map((name) => h("th", { scope: "col", class: name === "Minutes" ? "number" : null }, name)))),
      h("tbody", {}, held.participants.map(row)),
    ),
  );
}

function row(person: Attended): HTMLElement {
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, person.name || "Somebody", person.guest && h("span", { class: "quiet" }, " (guest)")),
    h("td", {}, person.join_time ? hour(person.join_time) : "?"),
    h("td", {}, person.present ? "still there" : person.leave_time ? hour(person.leave_time) : "?"),
    h("td", { class: "number" }, minutesSoFar(person).toFixed(1)),
  );
}

/** The counted time, with the open stay of people who are still present. */
function minutesSoFar(person: Attended): number {
  const open = person.present ? person.sessions.find((each) => each.join_time && !each.leave_time) : undefined;
  const since = open?.join_time ? (Date.now() - new Date(open.join_time).getTime()) / 60_000 : 0;
  return person.minutes + Math.max(0, since);
}

export function saveAttendance(meeting: string, held: Attendance): void {
  const rows = held.participants.map((each) => [each.name, each.guest ? "yes" : "no", each.join_time, each.leave_time, minutesSoFar(each).toFixed(1)]);
  const table = csv([["Name", "Guest", "Came (UTC)", "Left (UTC)", "Minutes"], ...rows]);
  saveFile(`attendance-${meeting}-${(held.start_time ?? "").slice(0, 10)}.csv`, "text/csv", table);
}
