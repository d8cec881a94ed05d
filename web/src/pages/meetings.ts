import { ApiError, type Meeting, type State } from "../api";
import { repeat, to, type Page, type Place } from "../app";
import { h, replace } from "../dom";
import { orNone } from "../follow";
import { isNear, standing, type Standing } from "../status";
import { day, hour, minutes, relative, ZONE } from "../time";
import { badge, button, empty, failure, heading, isSessionEnd, link, loading } from "../ui";

interface List {
  meetings: Meeting[];
  next_page_token?: string;
}
const KINDS = { upcoming: "Upcoming", live: "Live now", previous_meetings: "Past" } as const;
type Kind = keyof typeof KINDS;
/** How often the state of near meetings is read, and of how many. It costs no call to Zoom. */
const LOOK_EVERY = 15_000;
const LOOKED_AT = 12;

/** The meetings of the connected Zoom account. */
export const meetings: Page = async (place) => {
  const { app, view, query, signal } = place;
  const rows: Row[] = [];
  const kind: Kind = (query.get("show") as Kind) in KINDS ? (query.get("show") as Kind) : "upcoming";
  const list = h("div", { class: "agenda" });
  const below = h("div", {}, loading("meetings"));
  const tab = (each: Kind): HTMLElement =>
    h("a", { href: `${to("")}?show=${each}`, "aria-current": each === kind ? "true" : null }, KINDS[each]);
  replace(
    view,
    heading("My meetings", link("meetings/new", "New meeting", "button primary")),
    h("nav", { class: "tabs", "aria-label": "Which meetings" }, (Object.keys(KINDS) as Kind[]).map(tab)),
    list,
    below,
    h("p", { class: "quiet" }, `Times are in your zone, ${ZONE}.`),
  );
  const more = async (token: string): Promise<void> => {
    replace(below, loading("meetings"));
    try {
      const page = new URLSearchParams({ type: kind, page_size: "30", ...(token && { next_page_token: token }) });
      const { meetings: found, next_page_token: next } = await app.api.get<List>(`/v2/users/me/meetings?${page}`, signal);
      if (signal.aborted) return;
      for (const each of found) {
        const made = row(each, kind);
        rows.push(made);
        sheet(list, each).append(made.element);
      }
      replace(below, next && button("Show more", () => void more(next)), !list.childElementCount && nothing(kind));
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return;
      if (error instanceof ApiError && error.reason === "no_connection") replace(below, unconnected());
      else replace(below, failure(error, () => void more(token)));
    }
  };
  await more("");
  if (kind !== "previous_meetings") repeat(signal, LOOK_EVERY, () => lookAt(place, rows));
};

/** Shows the state of near meetings from their events. */
async function lookAt({ app, signal }: Place, rows: Row[]): Promise<boolean> {
  const states = new Map<number, Promise<State | null>>();
  const looks = rows
    .filter(({ meeting }) => isNear(meeting))
    .slice(0, LOOKED_AT)
    .map(async ({ meeting, show }) => {
      const asked = states.get(meeting.id) ?? orNone(app.api.get<State>(`/meetings/${meeting.id}/state`, signal));
      states.set(meeting.id, asked);
      show(await asked);
    });
  const done = await Promise.allSettled(looks);
  return done.every(({ status }) => status === "fulfilled");
}

/** Returns the list of a meeting's day, and begins one at the first meeting of a day. */
function sheet(days: HTMLElement, meeting: Meeting): HTMLElement {
  const name = meeting.start_time ? day(meeting.start_time) : "No fixed time";
  const last = days.lastElementChild;
  if (last instanceof HTMLElement && last.dataset.day === name) return last.querySelector("ul") as HTMLElement;
  const list = h("ul", { class: "plain card flat", "aria-label": name });
  days.append(h("section", { "data-day": name }, h("h2", { class: "day" }, name), list));
  return list;
}

interface Row {
  meeting: Meeting;
  element: HTMLElement;
  show: (state: State | null) => void;
}

/** Shows a status only where it is not obvious: not for a future meeting, nor in the list of past ones. */
function note({ what, text, kind }: Standing): HTMLElement | null {
  return what === "planned" ? null : badge(text, kind);
}

function row(meeting: Meeting, kind: Kind): Row {
  const path = `meetings/${meeting.id}`;
  const { start_time: start, duration } = meeting;
  const end = start && duration ? new Date(new Date(start).getTime() + duration * 60_000).toISOString() : null;
  const actions = h("div", { class: "actions" });
  const show = (state: State | null): void => {
    const now = standing(meeting, state);
    if (kind === "live" && now.what !== "live" && now.what !== "early") return; // Zoom reports that it is running
    const name = meeting.topic || "Meeting without a topic";
    const open = ["live", "early", "due"].includes(now.what);
    const over = now.what === "over" || now.what === "past";
    const join = link(`${path}/join`, "Join", open ? "button primary" : "button", `Join ${name}`);
    const attended = link(`${path}/attendance${attendanceOf(meeting)}`, "Attendance", "button", `Attendance of ${name}`);
    const content = h("div", {}, note(now), over ? attended : join);
    if (actions.textContent !== content.textContent) replace(actions, ...content.childNodes);
  };
  if (kind === "previous_meetings") replace(actions, link(`${path}/attendance${attendanceOf(meeting)}`, "Attendance", "button", `Attendance of ${meeting.topic}`));
  else if (kind === "live") replace(actions, badge("Live", "good"), link(`${path}/join`, "Join", "button primary", `Join ${meeting.topic}`));
  else if (isNear(meeting) && meeting.start_time && Date.now() >= Date.parse(meeting.start_time)) replace(actions, link(`${path}/join`, "Join", "button", `Join ${meeting.topic}`)); // events tell more in a moment
  else show(null);
  const element = h(
    "li",
    { class: "entry" },
    h(
      "div",
      { class: "entry-time" },
      start ? h("time", { datetime: start }, hour(start)) : "any time",
      end && h("span", { class: "quiet" }, ` – ${hour(end)}`),
    ),
    h(
      "div",
      { class: "entry-topic" },
      h("h3", {}, link(path, meeting.topic || "Meeting without a topic")),
      h("p", { class: "quiet" }, [start && relative(start), duration && minutes(duration), meeting.type === 8 || meeting.type === 3 ? "repeats" : ""].filter(Boolean).join(" · ")),
    ),
    actions,
  );
  return { meeting, element, show };
}

/** Returns the link: for a series with the planned time, for others to the last instance. */
function attendanceOf(meeting: Meeting): string {
  return meeting.type === 8 && meeting.start_time ? `?occurrence=${encodeURIComponent(meeting.start_time)}` : "";
}

function nothing(kind: Kind): HTMLElement {
  return kind === "upcoming"
    ? empty("Nothing is planned.", h("p", {}, link("meetings/new", "Plan a meeting", "button primary")))
    : empty(kind === "live" ? "No meeting is on." : "No meeting has ended yet.");
}

export function unconnected(): HTMLElement {
  return empty("No Zoom account is connected yet.", h("p", {}, link("connect", "Connect a Zoom account", "button primary")));
}

