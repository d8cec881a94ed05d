/** The recordings in the archive, and those on their way into it. */
import "../archive/archive.css";
import { ApiError } from "../api";
import type { Page, Place } from "../app";
import { STATES, type Archived, type Policy } from "../archive/model";
import { append, h, keyed, replace } from "../dom";
import { bytes } from "../files";
import { watch } from "../follow";
import { fromInput, hour, day, ZONE } from "../time";
import { badge, busy, button, empty, failure, heading, isSessionEnd, link } from "../ui";

interface List {
  recordings: Archived[];
  next_page_token?: string;
}
const FILTERS = ["from", "to", "topic", "host", "meeting", "state"] as const;
const LOOK_EVERY = 10_000;
const PAGE = 30;
const MOST = 300;

export const archive: Page = (place) => {
  const { app, view, query, signal } = place;
  const list = h("div", { class: "agenda" });
  const status = h("div");
  const below = h("div");
  replace(
    view,
    heading("Recordings", link("archive/policy", "What is archived", "button")),
    filters(place),
    status,
    list,
    below,
    h("p", { class: "quiet" }, `Times are in your zone, ${ZONE}.`),
  );
  const asked = wanted(query);
  const fill = keyed<[string, Archived[]]>(list, ([name]) => name, ([name, found]) => dayOf(name, found));
  let size = PAGE;
  const load = async (): Promise<List | null> => {
    try {
      const page = new URLSearchParams({ ...asked, page_size: String(Math.min(size, MOST)) });
      return await app.api.get<List>(`/archive/recordings?${page}`, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null; // its routes are not deployed
      throw error;
    }
  };
  const show = (found: List | null): void => {
    if (!found) return replace(below, empty("This installation keeps no archive of recordings: its parameter RecordingArchive is off."));
    fill(byDay(found.recordings));
    if (found.recordings.length === 0) void showNothing(place, below, Object.keys(asked).length > 0, again);
    else replace(below, found.next_page_token && more());
  };
  const more = (): HTMLElement =>
    size < MOST
      ? button("Show more", (event) => {
          size += 2 * PAGE;
          void busy(event.currentTarget as HTMLButtonElement, "Loading …", again);
        })
      : h("p", { class: "quiet" }, `These are the newest ${MOST}. Choose a time or a topic to see others.`);
  const again = watch(place, status, { what: "recordings", load, show, every: LOOK_EVERY, settled: (found) => found === null });
};

/** Returns the query's members that the API has, with days as times. */
function wanted(query: URLSearchParams): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of FILTERS) {
    const value = (query.get(name) ?? "").trim();
    if (!value) continue;
    if (name !== "from" && name !== "to") found[name] = name === "meeting" ? value.replace(/\D/g, "") || value : value;
    else {
      const at = fromInput(`${value}T00:00`);
      if (Number.isNaN(at.getTime())) continue;
      if (name === "to") at.setDate(at.getDate() + 1); // until the end of that day
      found[name] = at.toISOString().replace(".000", "");
    }
  }
  return found;
}

function filters({ app, query }: Place): HTMLElement {
  const field = (name: string, label: string, control: HTMLElement): HTMLElement => h("div", {}, h("label", { for: `filter-${name}` }, label), control);
  const input = (name: string, label: string, type = "search", more: object = {}): HTMLElement =>
    field(name, label, h("input", { id: `filter-${name}`, name, type, value: query.get(name) ?? "", autocomplete: "off", maxlength: 200, ...more }));
  const states = Object.entries(STATES).map(([state, [name]]) => h("option", { value: state, selected: state === query.get("state") }, name));
  const choose = (event: Event): void => {
    event.preventDefault();
    const chosen = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (String(value).trim()) chosen.set(name, String(value).trim());
    app.go(`archive${chosen.size ? `?${chosen}` : ""}`);
  };
  const form = h(
    "form",
    { class: "card filters", role: "search", "aria-label": "Recordings", onsubmit: choose },
    input("topic", "Topic"),
    input("host", "Host (e-mail or id)"),
    input("meeting", "Meeting number", "search", { inputmode: "numeric" }),
    field("state", "State", h("select", { id: "filter-state", name: "state" }, h("option", { value: "" }, "Any"), states)),
    input("from", "From", "date"),
    input("to", "Until", "date"),
    h("div", { class: "actions" }, h("button", { type: "submit" }, "Search"), FILTERS.some((name) => query.get(name)) && link("archive", "Show all")),
  );
  return form;
}

function byDay(found: Archived[]): [string, Archived[]][] {
  const days = new Map<string, Archived[]>();
  for (const each of found) {
    const name = day(each.start_time);
    days.set(name, [...(days.get(name) ?? []), each]);
  }
  return [...days];
}

function dayOf(name: string, found: Archived[]): HTMLElement {
  const element = h("section", {}, h("h2", { class: "day" }, name));
  append(element, [h("ol", { class: "card flat plain" }, found.map(row))]);
  return element;
}

function row(each: Archived): HTMLElement {
  const [name, kind] = STATES[each.state];
  const files = each.file_count === 1 ? "1 file" : `${each.file_count} files`;
  return h(
    "li",
    { class: "entry" },
    h("div", { class: "entry-time" }, h("time", { datetime: each.start_time }, hour(each.start_time))),
    h(
      "div",
      { class: "two" },
      h("h3", {}, link(`archive/${each.id}`, each.topic || "Without a topic")),
      h("p", { class: "quiet" }, [each.host_email || each.host_id, each.meeting_id, files, each.size ? bytes(each.size) : ""].filter(Boolean).join(" · ")),
    ),
    h("div", { class: "actions" }, badge(name, kind)),
  );
}

/** Shows why the list is empty, and offers to start where nothing is archived yet. */
async function showNothing({ app, signal }: Place, below: HTMLElement, filtered: boolean, again: () => Promise<void>): Promise<void> {
  if (filtered) return replace(below, empty("No recording matches.", h("p", {}, link("archive", "Show all recordings"))));
  const nothing = empty("The archive has no recording yet.", h("p", {}, "Cloud recordings come here by themselves when Zoom has processed them."));
  const policy = await app.api.get<Policy>("/archive/policy", signal).catch(() => null);
  if (signal.aborted) return;
  if (!policy || policy.enabled) return replace(below, nothing);
  const trouble = h("div");
  const start = button("Archive all recordings from now on", () => {
    void busy(start, "Turning it on …", async () => {
      await app.api.send("PUT", "/archive/policy", {});
      await again();
    }).catch((error: unknown) => {
      if (!isSessionEnd(error)) replace(trouble, failure(error));
    });
  }, "primary");
  replace(below, empty("Nothing is archived.", h("p", {}, "Every cloud recording can be copied here, checked, and kept."), h("p", {}, start), trouble));
}
