import { ApiError, type Attendance, type Attended, type Meeting, type Recordings, type Registrant, type Registrants, type State } from "../api";
import { repeat, type Page, type Place } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { describe } from "../recurrence";
import { clock, hour, minutes, moment, relative, ZONE } from "../time";
import { badge, busy, button, confirmed, failure, heading, isSessionEnd, link, notice, section, shown } from "../ui";
import { facts } from "./connections";

/** Events arrive within seconds; this is how often the page looks. */
const LOOK_EVERY = 3000;
/** Recordings and registrants change less often. */
const FOLLOW_EVERY = 10_000;

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

/** Who is there and who was, kept up to date by itself. */
function live(place: Place, id: string): HTMLElement {
  const { app, signal } = place;
  const status = h("div", {}, h("span", { class: "quiet" }, "Looking …"));
  const roster = h("div");
  // It scrolls on a phone, so it takes the focus; only what is in it changes, or the focus would be lost.
  const attendance = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-labelledby": "attendance", hidden: true });
  const stale = h("p", { class: "quiet" });
  let known = "";
  let last = new Set<string>();
  let updated = new Date();

  async function look(): Promise<boolean> {
    try {
      const state = await orNone(app.api.get<State>(`/meetings/${id}/state`, signal));
      const held = state?.instance ? await orNone(app.api.get<Attendance>(`/meetings/${id}/attendance`, signal)) : null;
      if (signal.aborted) return true;
      updated = new Date();
      stale.textContent = `Updates by itself. Last looked at ${clock(updated)}.`;
      const seen = JSON.stringify([state, held]);
      showAttendance(attendance, held); // minutes go on while nothing else happens
      if (seen !== known) {
        known = seen;
        replace(status, statusBadge(state));
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
  const whole = section("Live", "live", roster, attendance, stale);
  const title = whole.querySelector("h2") as HTMLElement;
  const top = h("div", { class: "heading" });
  title.replaceWith(top);
  top.append(title, status);
  return whole;
}

function statusBadge(state: State | null): HTMLElement {
  if (state?.status === "live") return badge(`Live, ${state.participants_count} present`, "good");
  if (state?.status === "ended") return badge("Ended", "plain");
  return badge("Not started", "plain");
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

function showAttendance(place: HTMLElement, held: Attendance | null): void {
  place.hidden = !held || held.participants.length === 0;
  if (!held) return;
  replace(
    place,
    h("h3", { id: "attendance" }, "Attendance"),
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, ["Name", "Came", "Left", "Minutes"].map((name) => h("th", { scope: "col" }, name)))),
      h(
        "tbody",
        {},
        held.participants.map((each) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, each.name || "Somebody", each.guest && h("span", { class: "quiet" }, " (guest)")),
            h("td", {}, each.join_time ? hour(each.join_time) : "?"),
            h("td", {}, each.present ? "still there" : each.leave_time ? hour(each.leave_time) : "?"),
            h("td", { class: "number" }, attended(each).toFixed(1)),
          ),
        ),
      ),
    ),
  );
}

/** Minutes so far: what is counted, and for who is still there the stay that has no end yet. */
function attended(person: Attended): number {
  const open = person.present ? person.sessions.find((each) => each.join_time && !each.leave_time) : undefined;
  const since = open?.join_time ? (Date.now() - new Date(open.join_time).getTime()) / 60_000 : 0;
  return person.minutes + Math.max(0, since);
}

/** Says who came and went, so that nobody has to look. */
function tell(state: State | null, before: Set<string>): Set<string> {
  const people = new Map((state?.participants ?? []).map((each) => [each.user_id, each.name || "Somebody"]));
  const came = [...people].filter(([user]) => !before.has(user)).map(([, name]) => `${name} came`);
  const left = before.size - [...before].filter((user) => people.has(user)).length;
  const said = [...came, ...(left > 0 ? [`${left} left`] : [])];
  if (said.length > 0 && said.length < 5) announce(said.join(", "));
  return new Set(people.keys());
}

/** Loads again when the gateway's own record of events has changed: looking there costs no call to Zoom. */
function follow(place: Place, path: string, load: (again: boolean) => Promise<void>): void {
  let known: string | null = null;
  repeat(place.signal, FOLLOW_EVERY, async () => {
    try {
      const seen = JSON.stringify(await orNone(place.app.api.get(path, place.signal)));
      if (seen !== known) await load(known !== null);
      known = seen;
      return true;
    } catch {
      if (known === null && !place.signal.aborted) await load(false); // the events cannot be read; Zoom may answer
      known ??= "";
      return false;
    }
  });
}

function recordings(place: Place, id: string): HTMLElement {
  const { app, signal } = place;
  const list = h("div");
  const load = (again: boolean): Promise<void> =>
    shown(list, "recordings", signal, () => orNone(app.api.get<Recordings>(`/v2/meetings/${id}/recordings`, signal)), recorded, { again });
  follow(place, `/meetings/${id}/recordings`, load);
  return section("Recordings", "recordings", list);
}

function recorded(found: Recordings | null): Child {
  const files = (found?.recording_files ?? []).filter((file) => file.status !== "processing");
  if (files.length === 0) return h("p", { class: "quiet" }, "There is no recording. Zoom may take a while after a meeting.");
  return [
    h(
      "ul",
      { class: "plain" },
      files.map((file) =>
        h(
          "li",
          { class: "row slim" },
          h(
            "span",
            { class: "two" },
            recordingName(file.recording_type ?? file.file_type ?? "file"),
            h("span", { class: "quiet" }, [file.recording_start && moment(file.recording_start), size(file.file_size)].filter(Boolean).join(" · ")),
          ),
          file.play_url && h("a", { href: file.play_url, target: "_blank", rel: "noopener noreferrer", "aria-label": `Open ${file.file_type ?? "recording"} at Zoom` }, "Open at Zoom"),
        ),
      ),
    ),
    found?.password && h("p", { class: "quiet" }, "Zoom asks viewers for a passcode: ", h("code", {}, found.password)),
  ];
}

function registrants(place: Place, id: string, meeting: Meeting): HTMLElement {
  const { app, signal } = place;
  const list = h("div");
  const whole = section("Registrants", "registrants", list);
  if (meeting.settings?.approval_type === 2 || meeting.settings?.approval_type === undefined) {
    replace(list, h("p", { class: "quiet" }, "This meeting takes no registrations."));
    return whole;
  }
  const page = (status: string): Promise<Registrants | null> =>
    orNone(app.api.get<Registrants>(`/v2/meetings/${id}/registrants?status=${status}&page_size=300`, signal));
  const decide = async (action: string, who: Registrant): Promise<void> => {
    const registrants = [{ id: who.id, email: who.email }];
    try {
      await app.api.send("PUT", `/v2/meetings/${id}/registrants/status`, { action, registrants });
      announce(action === "approve" ? "Approved" : "Declined");
      await load(true);
    } catch (error) {
      if (!isSessionEnd(error)) list.prepend(failure(error));
    }
  };
  const show = ([waiting, approved]: (Registrants | null)[]): Child => {
    const all = [...(waiting?.registrants ?? []), ...(approved?.registrants ?? [])];
    if (all.length === 0) return h("p", { class: "quiet" }, "Nobody has registered yet.");
    const more = Boolean(waiting?.next_page_token || approved?.next_page_token);
    return [
      h("p", { class: "quiet" }, `${approved?.registrants.length ?? 0} may join, ${waiting?.registrants.length ?? 0} wait for an answer${more ? "; there are more at Zoom" : ""}.`),
      h("ul", { class: "plain" }, all.map((each) => registered(each, decide))),
    ];
  };
  const load = (again: boolean): Promise<void> =>
    shown(list, "registrants", signal, () => Promise.all([page("pending"), page("approved")]), show, { again });
  follow(place, `/meetings/${id}/registrations`, load);
  return whole;
}

function registered(who: Registrant, decide: (action: string, who: Registrant) => Promise<void>): HTMLElement {
  const name = `${who.first_name} ${who.last_name ?? ""}`.trim();
  const choice = (action: string, text: string): HTMLElement =>
    button(text, (event) => void busy(event.currentTarget as HTMLButtonElement, text, () => decide(action, who)), "small", { "aria-label": `${text} ${name}` });
  return h(
    "li",
    { class: "row slim" },
    h("span", { class: "two" }, name, h("span", { class: "quiet" }, who.email)),
    who.status === "pending" ? h("span", { class: "actions" }, choice("approve", "Approve"), choice("deny", "Decline")) : badge(who.status, "plain"),
  );
}

/** Nothing there is an answer, not an error. */
async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}

function recordingName(kind: string): string {
  const words = kind.replaceAll("_", " ");
  return words === words.toUpperCase() ? words : words.charAt(0).toUpperCase() + words.slice(1);
}

function size(bytes: number | undefined): string {
  if (bytes === undefined) return "";
  return bytes < 1_048_576 ? `${Math.ceil(bytes / 1024)} kB` : `${(bytes / 1_048_576).toFixed(1)} MB`;
}
