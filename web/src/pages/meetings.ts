import { ApiError, type Meeting } from "../api";
import { to, type Page } from "../app";
import { append, h, replace } from "../dom";
import { minutes, moment, relative, ZONE } from "../time";
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
  const list = h("ul", { class: "list plain", "aria-label": `${KINDS[kind]} meetings` });
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
      append(list, found.map(row));
      replace(below, next && button("Show more", () => void more(next)), !list.childElementCount && nothing(kind));
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return;
      if (error instanceof ApiError && error.reason === "no_connection") replace(below, unconnected());
      else replace(below, failure(error, () => void more(token)));
    }
  };
  await more("");
};

function row(meeting: Meeting): HTMLElement {
  const path = `meetings/${meeting.id}`;
  return h(
    "li",
    { class: "card row" },
    h(
      "div",
      {},
      h("h2", {}, link(path, meeting.topic || "Meeting without a topic")),
      h(
        "p",
        { class: "quiet" },
        meeting.start_time ? [h("time", { datetime: meeting.start_time }, moment(meeting.start_time)), ` · ${relative(meeting.start_time)}`] : "No fixed time",
        meeting.duration ? ` · ${minutes(meeting.duration)}` : "",
      ),
    ),
    h("div", { class: "actions" }, meeting.type === 8 || meeting.type === 3 ? badge("Repeats", "plain") : null, link(`${path}/join`, "Join", "button")),
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

