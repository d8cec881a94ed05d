import type { Meeting, Occurrence } from "../api";
import type { Page, Place } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { describe } from "../recurrence";
import { calendarFile, guestLink, invitationText } from "../invitation";
import { saveFile } from "../save";
import { fromInput, minutes, moment, relative, toInput, ZONE } from "../time";
import { button, confirmed, copying, failure, heading, isSessionEnd, link, section, shown } from "../ui";
import { facts } from "./connections";
import { live } from "./live";
import { recordings } from "./recordings";
import { registrants } from "./registrants";

/** One meeting: its plan, who is present, who was, recordings and registrants. */
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
        h("div", {}, live(place, id, found), registrants(place, id, found)),
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
  const link = guestLink(meeting);
  if (link) rows.push(["For guests", guests(meeting, link)]);
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
              h("span", { class: "actions" }, button("Move", () => void move(place, meeting, each, trouble), "link", { "aria-label": `Move the meeting of ${moment(each.start_time)}` }),
              button("Cancel this one", () => void remove(place, meeting, each.occurrence_id, trouble), "link", {
                "aria-label": `Cancel the meeting of ${moment(each.start_time)}`,
              })),
            ),
          ),
        ),
      ),
  );
}

/** The link for guests, an invitation with it, and the times for their calendars. */
function guests(meeting: Meeting, { url, registration }: { url: string; registration: boolean }): Child {
  const calendar = calendarFile(meeting);
  return h(
    "div",
    { class: "actions" },
    h("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, registration ? "Open the registration" : "Open in Zoom"),
    copying(registration ? "Copy the registration link" : "Copy the link", url),
    copying("Copy the invitation", invitationText(meeting)),
    calendar && button("Save for a calendar (.ics)", () => saveFile(`meeting-${meeting.id}.ics`, "text/calendar", calendar), "link"),
  );
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

/** Moves one occurrence of a series. The others stay. */
async function move(place: Place, meeting: Meeting, occurrence: Occurrence, trouble: HTMLElement): Promise<void> {
  const start = await asked(occurrence);
  if (!start) return;
  try {
    const query = `?occurrence_id=${encodeURIComponent(occurrence.occurrence_id)}`;
    const start_time = start.toISOString().replace(/\.\d+Z$/, "Z");
    await place.app.api.send("PATCH", `/v2/meetings/${meeting.id}${query}`, { start_time, duration: occurrence.duration });
    announce("Moved");
    place.app.go(`meetings/${meeting.id}`, { replace: true });
  } catch (error) {
    if (!isSessionEnd(error)) replace(trouble, failure(error));
  }
}

/** Asks for the new time of an occurrence; null when it stays. */
function asked(occurrence: Occurrence): Promise<Date | null> {
  return new Promise((resolve) => {
    const input = h("input", { id: "move-to", type: "datetime-local", required: true, value: toInput(new Date(occurrence.start_time)) });
    const past = h("p", { class: "quiet", role: "status" });
    const chosen = (): Date => fromInput(input.value);
    input.addEventListener("input", () => (past.textContent = chosen().getTime() < Date.now() ? "This time is in the past." : ""));
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "dialog-title" }, "Move this one meeting"),
      h("div", { class: "field" }, h("label", { for: "move-to" }, `New start (${ZONE})`), input),
      past,
      h("div", { class: "actions end" }, button("Keep", () => dialog.close("")), h("button", { type: "submit", value: "move", class: "primary" }, "Move")),
    );
    const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "move" && !Number.isNaN(chosen().getTime()) ? chosen() : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
