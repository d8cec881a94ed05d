import { ApiError, type Meeting } from "../api";
import type { Page, Place } from "../app";
import { h, replace, type Child } from "../dom";
import { Drafts, restore } from "../drafts";
import { describeWeek, fromForm, LONGEST, WEEKDAYS, weeksOfMonth } from "../recurrence";
import { fromInput, moment, nextHour, relative, toInput, usableZone, ZONE, zones } from "../time";
import { busy, button, confirmed, failure, heading, isSessionEnd, link, notice, shown } from "../ui";

/** The fields of the time. Zoom needs all of them, and only when one of them has changed. */
const TIMING = ["start", "timezone", "repeats", "interval", "weekday", "month", "ends", "times", "until"];
const INSTANT = 1;
const NO_FIXED_TIME = 3;
const UNITS = ["", "days", "weeks", "months"];

export const newMeeting: Page = (place) => {
  replace(place.view, heading("New meeting"), form(place, null));
};

export const editMeeting: Page = async (place) => {
  const { app, view, params, signal } = place;
  const content = h("div");
  replace(view, heading("Edit meeting"), content);
  await shown(content, "the meeting", signal, () => app.api.get<Meeting>(`/v2/meetings/${params.id}`, signal), (meeting) => form(place, meeting));
};

/** One form for new and existing meetings. */
function form(place: Place, meeting: Meeting | null): HTMLElement {
  const { app, signal } = place;
  const drafts = new Drafts(String(meeting?.id ?? "new"));
  const trouble = h("div");
  const submit = h("button", { type: "submit", class: "primary" }, meeting ? "Save" : "Create the meeting");
  const now = meeting ? null : button("Start it now", () => void save(true));
  const cancel = link(meeting ? `meetings/${meeting.id}` : "", "Cancel", "button");
  cancel.addEventListener("click", () => drafts.forget());
  const element = h(
    "form",
    { class: "card narrow", novalidate: true },
    field("topic", "Topic", h("input", { name: "topic", required: true, maxlength: 200, value: meeting?.topic, autocomplete: "off" })),
    meeting?.type === NO_FIXED_TIME
      ? h("p", { class: "quiet" }, "This series has no fixed time.")
      : timing(meeting),
    admission(meeting),
    field("agenda", "Agenda (optional)", h("textarea", { name: "agenda", maxlength: 2000, rows: 3 }, meeting?.agenda)),
    trouble,
    h("div", { class: "actions" }, submit, now, cancel),
  );

  follow(element);
  const before = new FormData(element);
  const draft = drafts.read();
  if (draft) {
    restore(element, draft);
    follow(element);
    restore(element, draft); // fields that depend on the start exist only now
    arrange(element);
    const again = (): void => {
      drafts.forget();
      element.replaceWith(form(place, meeting));
    };
    element.prepend(h("div", { class: "notice plain row" }, h("span", {}, "What you typed before is still here."), button("Start over", again)));
  }
  element.addEventListener("input", (event) => {
    if ((event.target as HTMLInputElement).name === "start") follow(element);
    arrange(element);
    drafts.keep(element);
  });

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    void save(false);
  });

  /** Sends the form. `atOnce` makes a meeting that begins now, whatever time the form has. */
  async function save(atOnce: boolean): Promise<void> {
    if (!valid(element, trouble, atOnce)) return;
    const data = new FormData(element);
    if (!atOnce && (!meeting || TIMING.some((name) => differs(before, data, name))) && !(await pastIsMeant(element, data))) return;
    const pressed = atOnce && now ? now : submit;
    await busy(pressed, atOnce ? "Starting …" : "Saving …", async () => {
      const id = meeting ? await change(place, meeting, before, data) : await create(place, data, drafts.key(element), atOnce);
      drafts.forget();
      if (!signal.aborted) app.go(atOnce ? `meetings/${id}/join?host=1` : `meetings/${id}`);
    }).catch((error: unknown) => {
      if (isSessionEnd(error) || signal.aborted) return;
      replace(trouble, failure(error));
      const wrong = error instanceof ApiError ? error.fields[0]?.field : undefined;
      const control = element.elements.namedItem(wrong === "start_time" ? "start" : (wrong ?? "").replace("settings.", ""));
      if (control instanceof HTMLElement) control.focus();
    });
  }
  return element;
}

function timing(meeting: Meeting | null): Child {
  const start = meeting?.occurrences?.find((each) => each.status !== "deleted")?.start_time ?? meeting?.start_time;
  const startsAt = start ? new Date(start) : nextHour();
  const zone = usableZone(meeting?.timezone);
  const repeats = meeting?.recurrence;
  const until = repeats?.end_date_time ? toInput(new Date(repeats.end_date_time), zone).slice(0, 10) : null;
  const month = h("select", { name: "month", "data-chosen": repeats?.monthly_week ?? 0 });
  const days = repeats?.weekly_days?.split(",") ?? [];
  return [
    h(
      "div",
      { class: "pair" },
      field("start", "Starts", h("input", { name: "start", type: "datetime-local", required: true, value: toInput(startsAt, zone), "aria-describedby": "elsewhere" })),
      field("duration", "Minutes", h("input", { name: "duration", type: "number", min: 1, max: 1440, required: true, value: meeting?.duration ?? 30, inputmode: "numeric" })),
    ),
    field("timezone", "Zone", select("timezone", zones(zone).map((each): [string, string] => [each, each.replaceAll("_", " ")]), zone)),
    h("p", { class: "quiet", id: "elsewhere", "aria-live": "polite" }),
    h(
      "fieldset",
      { "data-days": days.length > 0 ? "chosen" : null },
      h("legend", {}, "Repetition"),
      field("repeats", "Repeats", select("repeats", [["0", "never"], ["1", "daily"], ["2", "weekly"], ["3", "monthly"]], String(repeats?.type ?? 0))),
      h(
        "div",
        { "data-for": "1 2 3" },
        field("interval", "Repeat every N days", h("input", { name: "interval", type: "number", min: 1, required: true, value: repeats?.repeat_interval || 1, inputmode: "numeric" })),
        h(
          "fieldset",
          { "data-for": "2", class: "days" },
          h("legend", {}, "On"),
          WEEKDAYS.map((day, index) =>
            h("label", {}, h("input", { type: "checkbox", name: "weekday", value: index + 1, checked: days.includes(String(index + 1)) }), ` ${day}`),
          ),
        ),
        h("div", { "data-for": "3" }, field("month", "On", month)),
        h(
          "div",
          { class: "pair" },
          field("ends", "Ends", select("ends", [["times", "after a number of meetings"], ["until", "on a day"]], until ? "until" : "times")),
          h("div", { "data-ends": "times" }, field("times", "Number of meetings", h("input", { name: "times", type: "number", min: 1, max: 60, required: true, value: repeats?.end_times ?? 10, inputmode: "numeric" }))),
          h("div", { "data-ends": "until" }, field("until", "Last day", h("input", { name: "until", type: "date", required: true, value: until }))),
        ),
      ),
    ),
  ];
}

/** Sets what depends on the start: the weekday unless the person chose some, and the choices for "monthly". */
function follow(element: HTMLFormElement): void {
  const startsAt = new Date(String(new FormData(element).get("start")));
  const choices = element.querySelector<HTMLElement>("fieldset");
  const month = element.elements.namedItem("month");
  if (!Number.isNaN(startsAt.getTime()) && choices && month instanceof HTMLSelectElement) {
    if (choices.dataset.days !== "chosen") {
      for (const box of weekdays(element)) box.checked = Number(box.value) === startsAt.getDay() + 1;
    }
    const chosen = month.value || month.dataset.chosen || "0";
    const weeks = weeksOfMonth(startsAt).map((week): [string, string] => [String(week), describeWeek(week, startsAt.getDay())]);
    replace(month, options([["0", `on day ${startsAt.getDate()}`], ...weeks], chosen));
  }
  arrange(element);
}

/** Shows the viewer's time of a start in another zone. */
function sayElsewhere(element: HTMLFormElement): void {
  const place = element.querySelector("#elsewhere");
  if (!place) return;
  const data = new FormData(element);
  const startsAt = startOf(data);
  const other = data.get("timezone") !== ZONE && !Number.isNaN(startsAt.getTime());
  place.textContent = other ? `In your zone, ${ZONE}, that is ${moment(startsAt.toISOString())}.` : "";
}

/** Returns the start in the form. */
function startOf(data: FormData): Date {
  return fromInput(String(data.get("start")), String(data.get("timezone")));
}

/** Shows the fields of the chosen repetition and end. */
function arrange(element: HTMLFormElement): void {
  sayElsewhere(element);
  const data = new FormData(element);
  const type = Number(data.get("repeats")) as 0 | 1 | 2 | 3;
  toggle(element, "for", String(type));
  toggle(element, "ends", String(data.get("ends")));
  const interval = element.elements.namedItem("interval");
  if (interval instanceof HTMLInputElement && type !== 0) {
    interval.max = String(LONGEST[type]);
    const label = element.querySelector("label[for=field-interval]"); // `labels` is empty outside of a document
    if (label) label.textContent = `Repeat every N ${UNITS[type]}`;
  }
  const startsAt = new Date(String(data.get("start")));
  const boxes = weekdays(element).filter((box) => box.checked).map((box) => Number(box.value));
  const choices = element.querySelector<HTMLElement>("fieldset");
  const asStarted = boxes.length === 1 && boxes[0] === startsAt.getDay() + 1;
  if (choices && boxes.length > 0 && !asStarted) choices.dataset.days = "chosen";
}

function weekdays(element: HTMLFormElement): HTMLInputElement[] {
  return [...element.querySelectorAll<HTMLInputElement>("input[name=weekday]")];
}

/** Who may join and how, and what is recorded. For a new meeting, the Zoom account decides what is not chosen. */
function admission(meeting: Meeting | null): HTMLElement {
  const settings = meeting?.settings ?? {};
  const usual: [string, string][] = meeting ? [] : [["", "as my Zoom account has it"]];
  const waiting = settings.waiting_room === undefined ? "" : String(settings.waiting_room);
  const unknown = (value: string): [string, string][] => (meeting && value === "" ? [["", "not known"]] : usual);
  const invitees = (settings.meeting_invitees ?? []).map((each) => each.email).join("\n");
  return h(
    "details",
    {},
    h("summary", {}, "Passcode, waiting room, registration, recording, invitees"),
    field("password", "Passcode (empty: as Zoom has it)", h("input", { name: "password", maxlength: 10, value: meeting?.password, autocomplete: "off" })),
    field("waiting_room", "Waiting room", select("waiting_room", [...unknown(waiting), ["true", "everybody waits until let in"], ["false", "nobody waits"]], waiting)),
    field(
      "approval_type",
      "Registration",
      select("approval_type", [["2", "not needed"], ["0", "needed, everybody is approved"], ["1", "needed, I approve each"]], String(settings.approval_type ?? 2)),
    ),
    field(
      "auto_recording",
      "Recording",
      select("auto_recording", [...unknown(settings.auto_recording ?? ""), ["none", "does not begin by itself"], ["cloud", "in Zoom's cloud"], ["local", "on the host's computer"]], settings.auto_recording ?? ""),
    ),
    field("invitees", "Invitees (e-mail addresses, one a line)", h("textarea", { name: "invitees", rows: 3, "aria-describedby": "about-invitees", autocomplete: "off" }, invitees)),
    h("p", { class: "quiet", id: "about-invitees" }, "Zoom keeps them with the meeting. It may not write to them: send them the invitation from the meeting's page."),
  );
}

/** Returns the settings among the fields in `wanted`, by Zoom's names. */
function settingsOf(data: FormData, wanted: (name: string) => boolean): Record<string, unknown> {
  const text = (name: string): string => String(data.get(name) ?? "");
  return {
    ...(wanted("waiting_room") && text("waiting_room") && { waiting_room: text("waiting_room") === "true" }),
    ...(wanted("approval_type") && { approval_type: Number(text("approval_type")) }),
    ...(wanted("auto_recording") && text("auto_recording") && { auto_recording: text("auto_recording") }),
    ...(wanted("invitees") && { meeting_invitees: addresses(text("invitees")).map((email) => ({ email })) }),
  };
}

function addresses(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

function differs(before: FormData, data: FormData, name: string): boolean {
  return data.has(name) && String(before.getAll(name)) !== String(data.getAll(name));
}

async function create({ app }: Place, data: FormData, idempotencyKey: string, atOnce: boolean): Promise<number> {
  const chosen = (name: string): boolean => !["", "2"].includes(String(data.get(name) ?? "")); // 2 is "no registration"
  const settings = settingsOf(data, chosen);
  const password = String(data.get("password"));
  const body = {
    topic: String(data.get("topic")),
    agenda: String(data.get("agenda")),
    duration: Number(data.get("duration")),
    ...(password && { password }),
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(atOnce ? { type: INSTANT } : when(data)),
  };
  // Not aborted when the page is left, because it would not be known whether the meeting was made.
  return (await app.api.send<Meeting>("POST", "/v2/users/me/meetings", body, { idempotencyKey: atOnce ? `${idempotencyKey}-now` : idempotencyKey })).id;
}

/** Sends only what was changed, because this form does not have all settings of a meeting. */
async function change({ app }: Place, meeting: Meeting, before: FormData, data: FormData): Promise<number> {
  const changed = (name: string): boolean => differs(before, data, name);
  const settings = settingsOf(data, changed);
  const body = {
    ...(changed("topic") && { topic: String(data.get("topic")) }),
    ...(changed("agenda") && { agenda: String(data.get("agenda")) }),
    ...(changed("duration") && { duration: Number(data.get("duration")) }),
    ...(changed("password") && { password: String(data.get("password")) }),
    ...(Object.keys(settings).length > 0 && { settings }),
    ...(TIMING.some(changed) && when(data)),
  };
  if (Object.keys(body).length > 0) await app.api.send("PATCH", `/v2/meetings/${meeting.id}`, body);
  return meeting.id;
}

function when(data: FormData): Record<string, unknown> {
  const zone = String(data.get("timezone"));
  const recurrence = fromForm(data, new Date(String(data.get("start"))), zone);
  return {
    type: recurrence ? 8 : 2,
    // The time in UTC, and its zone, so that a series keeps its hour when clocks change.
    start_time: startOf(data).toISOString().replace(/\.\d+Z$/, "Z"),
    timezone: zone,
    ...(recurrence && { recurrence }),
  };
}

/** Asks about a start in the past. Returns whether to go on. */
async function pastIsMeant(element: HTMLFormElement, data: FormData): Promise<boolean> {
  if (!data.has("start") || startOf(data).getTime() >= Date.now() - 60_000) return true;
  const start = startOf(data).toISOString();
  const text = `${moment(start)} was ${relative(start)}. Zoom may take another time for it. Is that what you want?`;
  if (await confirmed("This start is in the past", text, "Plan it all the same", { keep: "Change the time" })) return true;
  (element.elements.namedItem("start") as HTMLElement).focus();
  return false;
}

/** Checks what the browser cannot: Zoom's alphabet of passcodes, and whether each invitee is an e-mail address. */
function check(element: HTMLFormElement): void {
  const password = element.elements.namedItem("password") as HTMLInputElement;
  const changed = password.value !== password.defaultValue;
  password.setCustomValidity(changed && !/^[A-Za-z0-9@_*-]{0,10}$/.test(password.value) ? "At most 10 letters, digits, and @ - _ *." : "");
  const invitees = element.elements.namedItem("invitees") as HTMLTextAreaElement;
  const wrong = addresses(invitees.value).find((each) => !/^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(each));
  invitees.setCustomValidity(wrong ? `“${wrong}” is not an e-mail address.` : "");
}

/** Shows the browser's own messages in the page, where every screen reader finds them. */
function valid(element: HTMLFormElement, trouble: HTMLElement, atOnce = false): boolean {
  check(element);
  const wrong = [...element.elements].filter(
    (each): each is HTMLInputElement | HTMLTextAreaElement =>
      (each instanceof HTMLInputElement || each instanceof HTMLTextAreaElement) &&
      !each.closest("[hidden]") &&
      !(atOnce && [...TIMING, "duration"].includes(each.name)) &&
      !each.checkValidity(),
  );
  for (const each of element.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  for (const each of wrong) each.setAttribute("aria-invalid", "true");
  const messages = wrong.map((each) => h("li", {}, `${each.labels?.[0]?.textContent ?? each.name}: ${each.validationMessage}`));
  replace(trouble, wrong.length > 0 && notice("bad", "Something is missing or not right.", h("ul", {}, messages)));
  const within = wrong[0]?.closest("details");
  if (within) within.open = true;
  wrong[0]?.focus();
  return wrong.length === 0;
}

function toggle(element: HTMLElement, name: "for" | "ends", value: string): void {
  for (const part of element.querySelectorAll<HTMLElement>(`[data-${name}]`)) {
    part.hidden = !(part.dataset[name] ?? "").split(" ").includes(value);
  }
}

function field(id: string, label: string, control: HTMLElement): HTMLElement {
  control.id = `field-${id}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

function select(name: string, choices: [string, string][], chosen: string): HTMLElement {
  return h("select", { name }, options(choices, chosen));
}

function options(choices: [string, string][], chosen: string): Child {
  return choices.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
}
