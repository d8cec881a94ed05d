/** Who is in a meeting and who was, updated automatically. */
import { ApiError, type Attendance, type Meeting, type State } from "../api";
import { repeat, type Place } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { orNone } from "../follow";
import { wholeStanding } from "../status";
import { clock } from "../time";
import { badge, button, isSessionEnd, link, notice, section } from "../ui";
import { attendanceTable, saveAttendance } from "./attendance";

/** Events arrive within seconds; this is how often the page looks. */
const LOOK_EVERY = 3000;

/** Shows who is present and who was, updated automatically. */
export function live(place: Place, id: string, plan: Meeting): HTMLElement {
  const { app, signal } = place;
  const status = h("div", {}, h("span", { class: "quiet" }, "Looking …"));
  const roster = h("div");
  // It scrolls on a phone, so it can have the focus. Only its content changes, so that the focus is not lost.
  const attendance = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "attendance", hidden: true });
  let attended: Attendance | null = null;
  const save = button("Save as a table (CSV)", () => attended && saveAttendance(id, attended), "small");
  const keep = h("div", { class: "actions", hidden: true }, link(`meetings/${id}/attendance`, "As a picture", "button small"), save);
  const stale = h("p", { class: "quiet" });
  let known = "";
  let last: Set<string> | null = null;
  let updated = new Date();

  function showAttendance(held: Attendance | null): void {
    attended = held;
    const shown = held !== null && held.participants.length > 0;
    attendance.hidden = keep.hidden = !shown;
    const table = shown ? attendanceTable(held) : h("div");
    // Not replaced while it is the same, because the person may be copying from it.
    if (attendance.textContent !== table.textContent) replace(attendance, table);
  }

  function showStatus(state: State | null): void {
    const { text, kind } = wholeStanding(current(plan), state);
    if (status.textContent !== text) replace(status, badge(text, kind));
  }

  async function look(): Promise<boolean> {
    try {
      const state = await orNone(app.api.get<State>(`/meetings/${id}/state`, signal));
      const held = state?.instance ? await orNone(app.api.get<Attendance>(`/meetings/${id}/attendance`, signal)) : null;
      if (signal.aborted) return true;
      updated = new Date();
      stale.textContent = `Updates by itself. Last looked at ${clock(updated)}.`;
      const seen = JSON.stringify([state, held]);
      showAttendance(held); // minutes increase although nothing else happens
      showStatus(state); // and so does the time
      if (seen !== known) {
        known = seen;
        replace(roster, rosterOf(state));
        last = tell(state, last);
      }
      return true;
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return true;
      const reason = error instanceof ApiError ? error.message : "It could not be looked at.";
      replace(stale, notice("warn", `Not up to date since ${clock(updated)}.`, h("p", {}, `${reason} It is tried again by itself.`)));
      return false;
    }
  }
  repeat(signal, LOOK_EVERY, look);
  const whole = section("Live", "live", roster, attendance, keep, stale);
  const title = whole.querySelector("h2") as HTMLElement;
  const top = h("div", { class: "heading" });
  title.replaceWith(top);
  top.append(title, status);
  return whole;
}

/** Returns the planned start to show: the next one, or the last one when none is left. */
function current(plan: Meeting): Meeting {
  const times = (plan.occurrences ?? []).filter((each) => each.status !== "deleted");
  const now = Date.now();
  const next = times.find((each) => Date.parse(each.start_time) + each.duration * 60_000 >= now) ?? times.at(-1);
  return next ? { ...plan, start_time: next.start_time, duration: next.duration } : plan;
}

function rosterOf(state: State | null): Child {
  if (state?.status !== "live") return h("p", { class: "quiet" }, "When the meeting is on, you see here who is in it.");
  if (state.participants.length === 0) return h("p", {}, "Nobody is in the meeting.");
  return [
    h("h3", {}, "In the meeting"),
    h(
      "ul",
      { class: "plain", "data-testid": "roster" },
      state.participants.map((each) =>
        h("li", { class: "row slim" }, h("span", {}, each.name || "Somebody"), h("span", { class: "quiet" }, each.join_time ? `since ${clock(each.join_time)}` : "", each.sharing ? ", sharing" : "")),
      ),
    ),
    state.waiting.length > 0 && h("p", {}, `In the waiting room: ${state.waiting.map((each) => each.name || "somebody").join(", ")}`),
  ];
}

/** Announces who joined and left since `before`. */
function tell(state: State | null, before: Set<string> | null): Set<string> {
  const people = new Map((state?.participants ?? []).map((each) => [each.user_id, each.name || "Somebody"]));
  if (before === null) return new Set(people.keys());
  const came = [...people].filter(([user]) => !before.has(user)).map(([, name]) => `${name} came`);
  const left = before.size - [...before].filter((user) => people.has(user)).length;
  const said = [...came, ...(left > 0 ? [`${left} left`] : [])];
  if (said.length > 0 && said.length < 5) announce(said.join(", "));
  return new Set(people.keys());
}
