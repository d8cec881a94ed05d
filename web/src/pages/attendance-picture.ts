/** Attendance as pictures: one meeting as a timeline, a series as a matrix. Loaded when the page is opened. */
import "../attendance/attendance.css";
import type { Attendance, Instance, Matrix } from "../api";
import { repeat, to, type Place } from "../app";
import { figures, stayRows, type Figures, type Line, type Span } from "../attendance/figures";
import { drawMatrix, matrixRows, matrixTable } from "../attendance/series";
import { fileOf, svg } from "../attendance/svg";
import { countsOverTime, drawTimeline, time } from "../attendance/timeline";
import { h, replace, type Child } from "../dom";
import { orNone } from "../follow";
import { csv, saveFile } from "../save";
import { minutes, moment, ZONE } from "../time";
import { button, empty, failure, isSessionEnd, link, loading, section } from "../ui";

/** How often the picture of a running meeting is drawn again. */
const LOOK_EVERY = 15_000;
const FILE_WIDTH = 1000;

/** `meetings/{id}/attendance`: the last meeting, or the one of `?occurrence=` or `?uuid=`. */
export function attendancePicture(place: Place): void {
  const { app, view, params, query, signal } = place;
  const id = params.id ?? "";
  const content = h("div", { class: "list" }, loading("the attendance"));
  view.append(tabs(id, "one"), content);
  openForPrint(content, signal);
  const which = new URLSearchParams([...query].filter(([name]) => name === "occurrence" || name === "uuid"));
  let drawn: string | null = null;
  const look = async (): Promise<boolean> => {
    try {
      const held = await orNone(app.api.get<Attendance>(`/meetings/${id}/attendance${which.size ? `?${which}` : ""}`, signal));
      const seen = JSON.stringify(held);
      if (signal.aborted || (seen === drawn && held?.status !== "live")) return true;
      if (drawn !== null && content.contains(document.activeElement)) return true; // do not replace what the person is using
      drawn = seen;
      const open = content.querySelector("details")?.open ?? false;
      replace(content, held ? timeline(place, id, held) : nothing());
      const details = content.querySelector("details");
      if (details) details.open = open;
      return true;
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return true;
      if (drawn === null) replace(content, failure(error, () => void look()));
      return false;
    }
  };
  repeat(signal, LOOK_EVERY, look);
}

/** `meetings/{id}/attendance/matrix`: the series. */
export function seriesPicture(place: Place): void {
  const { app, view, params, signal } = place;
  const id = params.id ?? "";
  const content = h("div", { class: "list" });
  view.append(tabs(id, "series"), content);
  openForPrint(content, signal);
  const load = async (): Promise<void> => {
    replace(content, loading("the series"));
    try {
      const matrix = await orNone(app.api.get<Matrix>(`/meetings/${id}/attendance/matrix`, signal));
      if (!signal.aborted) replace(content, matrix && matrix.participants.length > 0 ? series(id, matrix) : nothing());
    } catch (error) {
      if (!signal.aborted && !isSessionEnd(error)) replace(content, failure(error, () => void load()));
    }
  };
  void load();
}

function tabs(id: string, which: "one" | "series"): HTMLElement {
  const tab = (path: string, text: string, current: boolean): HTMLElement => h("a", { href: to(path), "aria-current": current ? "page" : null }, text);
  return h(
    "nav",
    { class: "tabs", "aria-label": "Which attendance" },
    tab(`meetings/${id}/attendance`, "One meeting", which === "one"),
    tab(`meetings/${id}/attendance/matrix`, "The series", which === "series"),
  );
}

function nothing(): HTMLElement {
  return empty("Nobody was seen in this meeting yet.", h("p", {}, "Who comes and goes is known from Zoom's events, from the time on that the account is connected."));
}

/** The tables are printed even when they are closed on the screen. */
function openForPrint(content: HTMLElement, signal: AbortSignal): void {
  const open = (): void => content.querySelectorAll("details").forEach((each) => (each.open = true));
  window.addEventListener("beforeprint", open, { signal });
}

function timeline(place: Place, id: string, held: Attendance): Child {
  const shown = figures(held, Date.now());
  if (!shown || held.participants.length === 0) return [chooser(place, id, held), nothing()];
  const summary = describe(shown);
  const frame = h("div");
  const draw = (): void => {
    if (!frame.isConnected) return sized.disconnect(); // another picture has replaced it
    const width = Math.max(300, Math.floor(frame.clientWidth));
    if (frame.firstElementChild?.getAttribute("width") !== String(width)) replace(frame, drawTimeline(shown, width, `${summary} The table below says the same.`));
  };
  const sized = new ResizeObserver(draw);
  sized.observe(frame);
  place.signal.addEventListener("abort", () => sized.disconnect());
  const name = `attendance-${id}-${new Date(shown.from).toISOString().slice(0, 10)}`;
  return [
    chooser(place, id, held),
    section(
      held.topic || "Meeting without a topic",
      "picture",
      h("p", { class: "quiet" }, `${moment(new Date(shown.from).toISOString())} – ${shown.live ? "now" : time(shown.to)}. Times are in your zone, ${ZONE}.`),
      totals(shown),
      h("figure", { style: "margin: 0" }, frame),
      key(shown),
      h(
        "div",
        { class: "actions" },
        button("Print", () => window.print()),
        button("Save as SVG", () => saveFile(`${name}.svg`, "image/svg+xml", fileOf(drawTimeline(shown, FILE_WIDTH, summary)))),
        button("Save as CSV", () => saveFile(`${name}.csv`, "text/csv", csv(stayRows(shown)))),
      ),
    ),
    h("section", { class: "card", "aria-labelledby": "as-table" }, h("h2", { id: "as-table" }, "The same as a table"), h("details", {}, h("summary", {}, "Show the table"), staysTable(shown), peopleTable(shown))),
  ];
}

/** Chooses the meeting where there were several: planned ones once each, others by their uuid. */
function chooser(place: Place, id: string, held: Attendance): Child {
  const instances = held.instances ?? [];
  const used = new Set(held.instances_used ?? []);
  const choices = new Map<string, Instance[]>();
  for (const each of instances) {
    const query = each.occurrence ? `occurrence=${encodeURIComponent(each.occurrence)}` : `uuid=${encodeURIComponent(each.uuid)}`;
    choices.set(query, [...(choices.get(query) ?? []), each]);
  }
  if (choices.size < 2) return null;
  const ordered = [...choices].sort(([, [one]], [, [other]]) => String(other?.start_time).localeCompare(String(one?.start_time)));
  return h(
    "div",
    { class: "field narrow" },
    h("label", { for: "which" }, "Which meeting"),
    h(
      "select",
      { id: "which", onchange: (event: Event) => place.app.go(`meetings/${id}/attendance?${(event.target as HTMLSelectElement).value}`) },
      ordered.map(([query, [first, ...more]]) =>
        h(
          "option",
          { value: query, selected: [first, ...more].some((each) => each && used.has(each.uuid)) },
          `${first?.start_time ? moment(first.start_time) : "at an unknown time"}${first?.unplanned ? ", unplanned" : ""}`,
        ),
      ),
    ),
  );
}

function totals(shown: Figures): HTMLElement {
  const guests = shown.lines.filter((each) => each.guest).length;
  const count = shown.lines.length;
  const rows: [string, string][] = [
    [guests ? `${persons(count)}, guests: ${guests}` : persons(count), String(count)],
    [shown.peak.count ? `at most at once, from ${time(shown.peak.from)} to ${time(shown.peak.to)}` : "at most at once", String(shown.peak.count)],
    ["of all people together", minutes(shown.minutes)],
    ["on average for each", minutes(shown.minutes / Math.max(1, count))],
    [shown.live ? "so far" : "from the first to the last moment", minutes((shown.to - shown.from) / 60_000)],
  ];
  return h("dl", { class: "totals" }, rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

function persons(count: number): string {
  return count === 1 ? "person" : "people";
}

function describe(shown: Figures): string {
  const { lines, peak } = shown;
  return `Timeline of ${lines.length} ${persons(lines.length)} from ${time(shown.from)} to ${time(shown.to)}, at most ${peak.count} at once.`;
}

/** Explains the marks that occur. */
function key(shown: Figures): HTMLElement {
  const spans = shown.lines.flatMap((each) => [...each.devices.flat(), ...each.waiting]);
  const occurring: [boolean, string, string][] = [
    [true, "stay", "in the meeting"],
    [shown.lines.some((each) => each.devices.length > 1), "device", "on another device at the same time"],
    [shown.lines.some((each) => each.waiting.length > 0), "wait", "in the waiting room"],
    [spans.some((each) => each.assumed) || shown.lines.some((each) => each.leaves.length > 0), "cut", "not seen: a leave at the end of a stay, or when somebody came"],
  ];
  const mark = (kind: string): SVGElement =>
    svg(
      "svg",
      { class: "picture", style: "display: inline-block", width: 18, height: 14, viewBox: "0 0 18 14", "aria-hidden": "true" },
      kind === "cut" ? svg("line", { class: kind, x1: 9, x2: 9, y1: 1, y2: 13 }) : svg("rect", { class: kind, x: 1, y: 2, width: 16, height: 10, rx: 2 }),
    );
  return h("ul", { class: "key quiet" }, occurring.filter(([there]) => there).map(([, kind, text]) => h("li", {}, mark(kind), text)));
}

function staysTable(shown: Figures): HTMLElement {
  const waiting = shown.lines.some((each) => each.waiting.length > 0);
  const head = ["Name", "In the meeting", ...(waiting ? ["In the waiting room"] : []), "Devices at once", "Minutes"];
  return h(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "People and their stays" },
    h(
      "table",
      { class: "wrap" },
      h("caption", {}, "People and when they were there"),
      h("thead", {}, h("tr", {}, head.map((name) => h("th", { scope: "col" }, name)))),
      h("tbody", {}, shown.lines.map((each) => staysRow(each, waiting))),
    ),
  );
}

function staysRow(line: Line, waiting: boolean): HTMLElement {
  const said = (span: Span): string => `${time(span.from)} – ${span.open ? "still there" : time(span.to)}${span.assumed ? " (leave not seen)" : ""}`;
  const stays = line.devices.flat().sort((one, other) => one.from - other.from);
  const here = [...stays.map(said), ...line.leaves.map((at) => `? – ${time(at)}`)];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, line.name, line.guest && h("span", { class: "quiet" }, " (guest)")),
    h("td", {}, here.join(", ")),
    waiting && h("td", {}, line.waiting.map(said).join(", ") || "no"),
    h("td", {}, String(Math.max(1, line.devices.length))),
    h("td", {}, line.minutes.toFixed(1)),
  );
}

function peopleTable(shown: Figures): HTMLElement {
  return h(
    "table",
    {},
    h("caption", {}, `People over time; at most ${shown.peak.count}, first at ${time(shown.peak.from)}`),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "At"), h("th", { scope: "col" }, "People there"))),
    h("tbody", {}, countsOverTime(shown).map(([at, count]) => h("tr", {}, h("th", { scope: "row" }, at), h("td", {}, count)))),
  );
}

function series(id: string, matrix: Matrix): Child {
  const held = matrix.occurrences.filter((each) => each.start_time !== null);
  const summary = `Matrix of ${matrix.participants.length} ${persons(matrix.participants.length)} by ${matrix.occurrences.length} planned meetings, ${held.length} of them held.`;
  const picture = (): SVGElement => drawMatrix(matrix, `${summary} The table below says the same.`);
  const days = matrix.occurrences.map((each) => each.occurrence);
  const name = `attendance-${id}-series-${(days[0] ?? "").slice(0, 10)}`;
  return [
    section(
      matrix.topic || "Meeting without a topic",
      "picture",
      h("p", { class: "quiet" }, `${held.length} of ${matrix.occurrences.length} planned meetings were held. A number is a person's minutes; the darker, the more of the meeting.`),
      (matrix.unplanned ?? []).length > 0 && h("p", { class: "quiet" }, `Not counted: ${matrix.unplanned?.length} unplanned ${matrix.unplanned?.length === 1 ? "meeting" : "meetings"}.`),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "The matrix" }, picture()),
      h(
        "div",
        { class: "actions" },
        button("Print", () => window.print()),
        button("Save as SVG", () => saveFile(`${name}.svg`, "image/svg+xml", fileOf(picture()))),
        button("Save as CSV", () => saveFile(`${name}.csv`, "text/csv", csv(matrixRows(matrix)))),
      ),
      held.length > 0 && h("h3", {}, "One by one"),
      h("ul", { class: "plain" }, held.map((each) => h("li", {}, link(`meetings/${id}/attendance?occurrence=${encodeURIComponent(each.occurrence)}`, moment(each.occurrence)), ` ${each.participants_count} ${persons(each.participants_count)}`))),
    ),
    h(
      "section",
      { class: "card", "aria-labelledby": "as-table" },
      h("h2", { id: "as-table" }, "The same as a table"),
      h("details", {}, h("summary", {}, "Show the table"), h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Minutes by person and day" }, matrixTable(matrix))),
    ),
  ];
}
