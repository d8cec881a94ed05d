import { ApiError, type Meeting } from "../api";
import type { Page, Place } from "../app";
import { h, replace, type Child } from "../dom";
import { fromForm, WEEKDAYS } from "../recurrence";
import { nextHour, toInput, ZONE } from "../time";
import { busy, failure, heading, isSessionEnd, link, notice, shown } from "../ui";

export const newMeeting: Page = (place) => {
  replace(place.view, heading("New meeting"), form(place, null));
};

export const editMeeting: Page = async (place) => {
  const { app, view, params, signal } = place;
  const content = h("div");
  replace(view, heading("Edit meeting"), content);
  await shown(content, "the meeting", signal, () => app.api.get<Meeting>(`/v2/meetings/${params.id}`, signal), (meeting) => form(place, meeting));
};

/** One form for new and old. What is typed is kept in this tab until it is saved. */
function form(place: Place, meeting: Meeting | null): HTMLElement {
  const { app, signal } = place;
  const draft = `draft ${meeting?.id ?? "new"}`;
  const start = meeting?.occurrences?.find((each) => each.status !== "deleted")?.start_time ?? meeting?.start_time;
  const startsAt = start ? new Date(start) : nextHour();
  const repeats = meeting?.recurrence;
  const trouble = h("div");
  const submit = h("button", { type: "submit", class: "primary" }, meeting ? "Save" : "Create the meeting");
  const element = h(
    "form",
    { class: "card narrow", novalidate: true },
    field("topic", "Topic", h("input", { name: "topic", required: true, maxlength: 200, value: meeting?.topic, autocomplete: "off" })),
    field("start", `Starts (${ZONE})`, h("input", { name: "start", type: "datetime-local", required: true, value: toInput(startsAt) })),
    field("duration", "Duration in minutes", h("input", { name: "duration", type: "number", min: 1, max: 1440, required: true, value: meeting?.duration ?? 30, inputmode: "numeric" })),
    field("agenda", "Agenda (optional)", h("textarea", { name: "agenda", maxlength: 2000, rows: 3 }, meeting?.agenda)),
    h(
      "fieldset",
      {},
      h("legend", {}, "Repetition"),
      field("repeats", "Repeats", select("repeats", [["0", "never"], ["1", "daily"], ["2", "weekly"], ["3", "monthly, on the same day"]], String(repeats?.type ?? 0))),
      h(
        "div",
        { "data-for": "1 2 3" },
        field("interval", "Every so many days, weeks or months", h("input", { name: "interval", type: "number", min: 1, max: 90, value: repeats?.repeat_interval ?? 1, inputmode: "numeric" })),
        h(
          "fieldset",
          { "data-for": "2", class: "days" },
          h("legend", {}, "On"),
          WEEKDAYS.map((day, index) =>
            h("label", {}, h("input", { type: "checkbox", name: "weekday", value: index + 1, checked: chosenDay(repeats?.weekly_days, startsAt, index + 1) }), ` ${day}`),
          ),
        ),
        field("ends", "Ends", select("ends", [["times", "after so many times"], ["until", "on a day"]], repeats?.end_date_time ? "until" : "times")),
        h("div", { "data-ends": "times" }, field("times", "How many times", h("input", { name: "times", type: "number", min: 1, max: 60, value: repeats?.end_times ?? 10, inputmode: "numeric" }))),
        h("div", { "data-ends": "until" }, field("until", "Last day", h("input", { name: "until", type: "date", value: repeats?.end_date_time?.slice(0, 10) }))),
      ),
    ),
    trouble,
    h("div", { class: "actions" }, submit, link(meeting ? `meetings/${meeting.id}` : "", "Cancel", "button")),
  );

  restore(element, draft);
  const arrange = (): void => {
    const now = new FormData(element);
    toggle(element, "for", String(now.get("repeats")));
    toggle(element, "ends", String(now.get("ends")));
    sessionStorage.setItem(draft, JSON.stringify([...now.entries()]));
  };
  element.addEventListener("input", arrange);
  toggle(element, "for", String(new FormData(element).get("repeats")));
  toggle(element, "ends", String(new FormData(element).get("ends")));

  element.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!valid(element, trouble)) return;
    void busy(submit, "Saving …", async () => {
      const id = await save(place, meeting, new FormData(element));
      sessionStorage.removeItem(draft);
      if (!signal.aborted) app.go(`meetings/${id}`);
    }).catch((error: unknown) => {
      if (isSessionEnd(error)) return;
      replace(trouble, failure(error));
      const wrong = error instanceof ApiError ? error.fields[0]?.field : undefined;
      const control = element.elements.namedItem(wrong === "start_time" ? "start" : (wrong ?? ""));
      if (control instanceof HTMLElement) control.focus();
    });
  });
  return element;
}

async function save({ app, signal }: Place, meeting: Meeting | null, data: FormData): Promise<number> {
  const startsAt = new Date(String(data.get("start")));
  const recurrence = fromForm(data, startsAt);
  const body = {
    topic: String(data.get("topic")),
    agenda: String(data.get("agenda")),
    type: recurrence ? 8 : 2,
    // The moment, in UTC; and the zone it is meant in, so that a series keeps its hour when clocks change.
    start_time: startsAt.toISOString().replace(/\.\d+Z$/, "Z"),
    timezone: ZONE,
    duration: Number(data.get("duration")),
    ...(recurrence && { recurrence }),
  };
  if (meeting) {
    await app.api.send("PATCH", `/v2/meetings/${meeting.id}`, body, signal);
    return meeting.id;
  }
  return (await app.api.send<Meeting>("POST", "/v2/users/me/meetings", body, signal)).id;
}

/** The browser's own rules, said in the page where every screen reader finds them. */
function valid(element: HTMLFormElement, trouble: HTMLElement): boolean {
  const wrong = [...element.elements].filter(
    (each): each is HTMLInputElement => each instanceof HTMLInputElement && !each.closest("[hidden]") && !each.checkValidity(),
  );
  for (const each of element.querySelectorAll("[aria-invalid]")) each.removeAttribute("aria-invalid");
  for (const each of wrong) each.setAttribute("aria-invalid", "true");
  const messages = wrong.map((each) => h("li", {}, `${each.labels?.[0]?.textContent ?? each.name}: ${each.validationMessage}`));
  replace(trouble, wrong.length > 0 && notice("bad", "Something is missing.", h("ul", {}, messages)));
  wrong[0]?.focus();
  return wrong.length === 0;
}

function restore(element: HTMLFormElement, draft: string): void {
  const kept = JSON.parse(sessionStorage.getItem(draft) ?? "null") as [string, string][] | null;
  if (!kept) return;
  for (const box of element.querySelectorAll<HTMLInputElement>("input[type=checkbox]")) box.checked = false;
  for (const [name, value] of kept) {
    const control = element.elements.namedItem(name);
    if (control instanceof HTMLInputElement || control instanceof HTMLSelectElement || control instanceof HTMLTextAreaElement) {
      control.value = value;
    }
    const box = element.querySelector<HTMLInputElement>(`input[type=checkbox][name="${CSS.escape(name)}"][value="${CSS.escape(value)}"]`);
    if (box) box.checked = true;
  }
}

function toggle(element: HTMLElement, name: "for" | "ends", value: string): void {
  for (const part of element.querySelectorAll<HTMLElement>(`[data-${name}]`)) {
    part.hidden = !(part.dataset[name] ?? "").split(" ").includes(value);
  }
}

function chosenDay(days: string | undefined, startsAt: Date, day: number): boolean {
  return days ? days.split(",").includes(String(day)) : startsAt.getDay() + 1 === day;
}

function field(id: string, label: string, control: HTMLElement): HTMLElement {
  control.id = `field-${id}`;
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control);
}

function select(name: string, options: [string, string][], chosen: string): HTMLElement {
  const choices: Child = options.map(([value, text]) => h("option", { value, selected: value === chosen }, text));
  return h("select", { name }, choices);
}
