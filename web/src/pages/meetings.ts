import { ApiError, type Meeting } from "../api";
import { to, type Page } from "../app";
import { h, replace } from "../dom";
import { day, hour, minutes, relative, ZONE } from "../time";
import { badge, button, empty, failure, heading, isSessionEnd, link, loading } from "../ui";

interface List {
  meetings: Meeting[];
  next_page_token?: string;
}
const KINDS = { upcoming: "Upcoming", live: "Live now", previous_meetings: "Past" } as const;
type Kind = keyof typeof KINDS;

/** The meetings of the connected Zoom account. */
export const meetings: Page = async ({ app, view, query, signal }) => {
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
      for (const each of found) sheet(list, each).append(row(each));
      replace(below, next && button("Show more", () => void more(next)), !list.childElementCount && nothing(kind));
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return;
      if (error instanceof ApiError && error.reason === "no_connection") replace(below, unconnected());
      else replace(below, failure(error, () => void more(token)));
    }
  };
  await more("");
};

/** The list of a meeting's day, begun where the day before ends. */
function sheet(days: HTMLElement, meeting: Meeting): HTMLElement {
  const name = meeting.start_time ? day(meeting.start_time) : "No fixed time";
  const last = days.lastElementChild;
  if (last instanceof HTMLElement && last.dataset.day === name) return last.querySelector("ul") as HTMLElement;
  const list = h("ul", { class: "plain card flat", "aria-label": name });
  days.append(h("section", { "data-day": name }, h("h2", { class: "day" }, name), list));
  return list;
}

function row(meeting: Meeting): HTMLElement {
  const path = `meetings/${meeting.id}`;
  const { start_time: start, duration } = meeting;
  const end = start && duration ? new Date(new Date(start).getTime() + duration * 60_000).toISOString() : null;
  const on = start !== undefined && end !== null && Date.now() >= Date.parse(start) && Date.now() < Date.parse(end);
  return h(
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
    h("div", { class: "actions" }, on && badge("Now", "good"), link(`${path}/join`, "Join", on ? "button primary" : "button", `Join ${meeting.topic}`)),
  );
}

function nothing(kind: Kind): HTMLElement {
  return kind === "upcoming"
    ? empty("Nothing is planned.", h("p", {}, link("meetings/new", "Plan a meeting", "button primary")))
    : empty(kind === "live" ? "No meeting is on." : "No meeting has ended yet.");
}

export function unconnected(): HTMLElement {
  return empty("No Zoom account is connected yet.", h("p", {}, link("connect", "Connect a Zoom account", "button primary")));
}

