import type { Meeting } from "../api";
import type { Page, Place } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { describe } from "../recurrence";
import { minutes, moment, relative, ZONE } from "../time";
import { button, confirmed, failure, heading, isSessionEnd, link, section, shown } from "../ui";
import { facts } from "./connections";
import { live } from "./live";
import { recordings } from "./recordings";
import { registrants } from "./registrants";

/** One meeting: what it is, who is there now, who was there, what was recorded, who registered. */
export const meeting: Page = async (place) => {
  const { app, view, params, signal } = place;
  const id = params.id ?? "";
  const content = h("div");
  replace(view, heading("Meeting"), content);
  await shown(content, "the meeting", signal, () => app.api.get<Meeting>(`/v2/meetings/${id}`, signal), (found) => {
    const trouble = h("div");
    const title = heading(
      found.topic || "Meeting without a topic",
      link(`meetings/${id}/join`, "Join", "button primary"),
      link(`meetings/${id}/edit`, "Edit", "button"),
      button("Delete", () => void remove(place, found, null, trouble), "danger"),
    );
    view.querySelector(".heading")?.replaceWith(title);
    title.querySelector("h1")?.focus({ preventScroll: true });
    return [
      trouble,
      h(
        "div",
        { class: "halves" },
        h("div", {}, details(place, found, trouble), recordings(place, id)),
        h("div", {}, live(place, id), registrants(place, id, found)),
      ),
    ];
  });
};

function details(place: Place, meeting: Meeting, trouble: HTMLElement): HTMLElement {
  const start = meeting.start_time;
  const rows: [string, Child][] = [
    ["Number", h("code", {}, String(meeting.id).replace(/^(\d{3})(\d{3,4})(\d{4})$/, "$1 $2 $3"))],
    ["When", start ? [h("time", { datetime: start }, moment(start)), h("span", { class: "quiet" }, ` ${relative(start)}`)] : "No fixed time"],
    ["Zone", ZONE === meeting.timezone || !meeting.timezone ? ZONE : `${ZONE}; planned in ${meeting.timezone}`],
    ["Duration", meeting.duration ? minutes(meeting.duration) : "open"],
  ];
  if (meeting.recurrence) rows.push(["Repeats", describe(meeting.recurrence)]);
  if (meeting.agenda) rows.push(["Agenda", meeting.agenda]);
  if (meeting.password) rows.push(["Passcode", h("code", {}, meeting.password)]);
  if (meeting.join_url) rows.push(["For guests", guests(meeting.join_url)]);
  const occurrences = (meeting.occurrences ?? []).filter((each) => each.status !== "deleted");
  return section(
    "Details",
    "details",
    facts(rows),
    occurrences.length > 0 &&
      h(
        "details",
        {},
        h("summary", {}, `${occurrences.length} times`),
        h(
          "ol",
          { class: "plain" },
          occurrences.map((each) =>
            h(
              "li",
              { class: "row slim" },
              h("time", { datetime: each.start_time }, moment(each.start_time)),
              button("Cancel this one", () => void remove(place, meeting, each.occurrence_id, trouble), "link", {
                "aria-label": `Cancel the meeting of ${moment(each.start_time)}`,
              }),
            ),
          ),
        ),
      ),
  );
}

function guests(url: string): Child {
  const copy = button("Copy the link", () => {
    navigator.clipboard.writeText(url).then(
      () => told("Copied"),
      () => told("Your browser does not allow it"),
    );
  }, "link");
  const told = (text: string): void => {
    copy.textContent = text;
    announce(text);
  };
  return [h("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, "Open in Zoom"), " ", copy];
}

async function remove(place: Place, meeting: Meeting, occurrence: string | null, trouble: HTMLElement): Promise<void> {
  const what = occurrence ? "this one meeting of the series" : meeting.type === 8 ? "the whole series" : "this meeting";
  if (!(await confirmed(`Delete ${what}?`, `“${meeting.topic}” can not be brought back from here.`, "Delete"))) return;
  try {
    const query = occurrence ? `?occurrence_id=${encodeURIComponent(occurrence)}` : "";
    await place.app.api.send("DELETE", `/v2/meetings/${meeting.id}${query}`);
    announce("Deleted");
    place.app.go(occurrence ? `meetings/${meeting.id}` : "", { replace: Boolean(occurrence) });
  } catch (error) {
    if (!isSessionEnd(error)) replace(trouble, failure(error));
  }
}
