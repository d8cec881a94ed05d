import { ApiError, type Meeting } from "../api";
import type { Page, Place } from "../app";
import { h, replace, type Child } from "../dom";
import { Drafts, restore } from "../drafts";
import { describeWeek, fromForm, LONGEST, WEEKDAYS, weeksOfMonth } from "../recurrence";
import { nextHour, toInput, ZONE } from "../time";
import { busy, button, failure, heading, isSessionEnd, link, notice, shown } from "../ui";

/** Everything that says when: Zoom takes these together, and only when one of them has changed. */
const TIMING = ["start", "repeats", "interval", "weekday", "month", "ends", "times", "until"];
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

/** One form for new and old. */
function form(place: Place, meeting: Meeting | null): HTMLElement {
  const { app, signal } = place;
  const drafts = new Drafts(String(meeting?.id ?? "new"));
  const trouble = h("div");
  const submit = h("button", { type: "submit", class: "primary" }, meeting ? "Save" : "Create the meeting");
  const cancel = link(meeting ? `meetings/${meeting.id}` : "", "Cancel", "button");
  cancel.addEventListener("click", () => drafts.forget());
  const element = h(
    "form",
    { class: "card narrow", novalidate: true },
    field("topic", "Topic", h("input", { name: "topic", required: true, maxlength: 200, value: meeting?.topic, autocomplete: "off" })),
    meeting?.type === NO_FIXED_TIME
      ? h("p", { class: "quiet" }, "This series has no fixed time.")
      : timing(meeting),
    field("agenda", "Agenda (optional)", h("textarea", { name: "agenda", maxlength: 2000, rows: 3 }, meeting?.agenda)),
    trouble,
    h("div", { class: "actions" }, submit, cancel),
  );

  follow(element);
  const before = new FormData(element);
  const draft = drafts.read();
  if (draft) {
    restore(element, draft);
    follow(element);
    restore(element, draft); // what depends on the start is there only now
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
    if (!valid(element, trouble)) return;
    void busy(submit, "Saving …", async () => {
      const id = meeting
        ? await change(place, meeting, before, new FormData(element))
        : await create(place, new FormData(element), drafts.key(element));
      drafts.forget();
      if (!signal.aborted) app.go(`meetings/${id}`);
    }).catch((error: unknown) => {
      if (isSessionEnd(error) || signal.aborted) return;
      replace(trouble, failure(error));
      const wrong = error instanceof ApiError ? error.fields[0]?.field : undefined;
      const control = element.elements.namedItem(wrong === "start_time" ? "start" : (wrong ?? ""));
      if (control instanceof HTMLElement) control.focus();
    });
  });
  return element;
}

function timing(meeting: Meeting | null): Child {
  const start = meeting?.occurrences?.find((each) => each.status !== "deleted")?.start_time ?? meeting?.start_time;
  const startsAt = start ? new Date(start) : nextHour();
  const repeats = meeting?.recurrence;
  const until = repeats?.end_date_time ? toInput(new Date(repeats.end_date_time)).slice(0, 10) : null;
  const elsewhere = meeting?.timezone && meeting.timezone !== ZONE ? meeting.timezone : null;
  const month = h("select", { name: "month", "data-chosen": repeats?.monthly_week ?? 0 });
  const days = repeats?.weekly_days?.split(",") ?? [];
  return [
    h(
      "div",
      { class: "pair" },
      field("start", `Starts (${ZONE})`, h("input", { name: "start", type: "datetime-local", required: true, value: toInput(startsAt) })),
      field("duration", "Minutes", h("input", { name: "duration", type: "number", min: 1, max: 1440, required: true, value: meeting?.duration ?? 30, inputmode: "numeric" })),
    ),
    elsewhere && h("p", { class: "quiet" }, `This was planned in ${elsewhere}. If you change when it is, it follows the clocks of ${ZONE} from then on.`),
    h(
      "fieldset",
      { "data-days": days.length > 0 ? "chosen" : null },
      h("legend", {}, "Repetition"),
      field("repeats", "Repeats", select("repeats", [["0", "never"], ["1", "daily"], ["2", "weekly"], ["3", "monthly"]], String(repeats?.type ?? 0))),
      h(
        "div",
        { "data-for": "1 2 3" },
        field("interval", "Every so many days", h("input", { name: "interval", type: "number", min: 1, required: true, value: repeats?.repeat_interval || 1, inputmode: "numeric" })),
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
          field("ends", "Ends", select("ends", [["times", "after so many times"], ["until", "on a day"]], until ? "until" : "times")),
          h("div", { "data-ends": "times" }, field("times", "How many times", h("input", { name: "times", type: "number", min: 1, max: 60, required: true, value: repeats?.end_times ?? 10, inputmode: "numeric" }))),
          h("div", { "data-ends": "until" }, field("until", "Last day", h("input", { name: "until", type: "date", required: true, value: until }))),
        ),
      ),
    ),
  ];
}

/** What follows from the start: the weekday until somebody chose some, and what "monthly" can mean. Then arranges. */
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

/** Shows what belongs to the chosen repetition and end. */
function arrange(element: HTMLFormElement): void {
  const data = new FormData(element);
  const type = Number(data.get("repeats")) as 0 | 1 | 2 | 3;
  toggle(element, "for", String(type));
  toggle(element, "ends", String(data.get("ends")));
  const interval = element.elements.namedItem("interval");
  if (interval instanceof HTMLInputElement && type !== 0) {
    interval.max = String(LONGEST[type]);
    const label = element.querySelector("label[for=field-interval]"); // `labels` knows none outside of a document
    if (label) label.textContent = `Every so many ${UNITS[type]}`;
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

async function create({ app }: Place, data: FormData, idempotencyKey: string): Promise<number> {
  const body = { topic: String(data.get("topic")), agenda: String(data.get("agenda")), duration: Number(data.get("duration")), ...when(data) };
  // Not given up when the page is left: whether it was made would be unknown.
  return (await app.api.send<Meeting>("POST", "/v2/users/me/meetings", body, { idempotencyKey })).id;
}

/** Sends what was changed and nothing else: this form does not know all that a meeting can be. */
async function change({ app }: Place, meeting: Meeting, before: FormData, data: FormData): Promise<number> {
  const differs = (name: string): boolean => data.has(name) && String(before.getAll(name)) !== String(data.getAll(name));
  const body = {
    ...(differs("topic") && { topic: String(data.get("topic")) }),
    ...(differs("agenda") && { agenda: String(data.get("agenda")) }),
    ...(differs("duration") && { duration: Number(data.get("duration")) }),
    ...(TIMING.some(differs) && when(data)),
  };
  if (Object.keys(body).length > 0) await app.api.send("PATCH", `/v2/meetings/${meeting.id}`, body);
  return meeting.id;
}

function when(data: FormData): Record<string, unknown> {
  const startsAt = new Date(String(data.get("start")));
  const recurrence = fromForm(data, startsAt);
  return {
    type: recurrence ? 8 : 2,
    // The moment, in UTC; and the zone it is meant in, so that a series keeps its hour when clocks change.
    start_time: startsAt.toISOString().replace(/\.\d+Z$/, "Z"),
    timezone: ZONE,
    ...(recurrence && { recurrence }),
  };
}

/** The browser's own rules, said in the page where every screen reader finds them. */
function valid(element: HTMLFormElement, trouble: HTMLElement): boolean {
  const wrong = [...element.elements].filter(
    (each): each is HTMLInputElement => each instanceof HTMLInputElement && !each.closest("[hidden]") && !each.checkValidity(),
  );
  for (const each of element.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  for (const each of wrong) each.setAttribute("aria-invalid", "true");
  const messages = wrong.map((each) => h("li", {}, `${each.labels?.[0]?.textContent ?? each.name}: ${each.validationMessage}`));
  replace(trouble, wrong.length > 0 && notice("bad", "Something is missing or not right.", h("ul", {}, messages)));
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
