/** A new subscription, or a changed one. The secret of a new one is shown once. */
import "../subscriptions/subscriptions.css";
import type { Connection } from "../api";
import type { Page, Place } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { asked, targetOf, type Subscription } from "../subscriptions/model";
import { busy, copying, failure, heading, isSessionEnd, link, notice, section, shown } from "../ui";

const FAMILIES = { "meeting.*": "Meetings", "webinar.*": "Webinars", "recording.*": "Recordings", "user.*": "People of the account", "connection.*": "Connections of this gateway", "*": "Everything" };

export const newSubscription: Page = (place) => {
  replace(place.view, heading("New subscription"), form(place, null));
};

export const editSubscription: Page = async (place) => {
  const { app, view, params, signal } = place;
  const content = h("div");
  replace(view, heading("Change the subscription"), content);
  await shown(content, "the subscription", signal, () => app.api.get<Subscription>(`/subscriptions/${params.id}`, signal), (found) => form(place, found));
};

function form(place: Place, known: Subscription | null): HTMLElement {
  const { app, view, signal } = place;
  const trouble = h("div");
  const field = (name: string, label: string, more: Record<string, unknown>, hint = ""): HTMLElement =>
    h("div", { class: "field" }, h("label", { for: name }, label), h("input", { id: name, name, autocomplete: "off", "aria-describedby": hint ? `${name}-hint` : null, ...more }), hint && h("p", { class: "quiet", id: `${name}-hint` }, hint));
  const choice = (name: string, label: string, options: Record<string, string>, value: string, onchange: () => void = () => undefined): HTMLElement =>
    h("div", { class: "field" }, h("label", { for: name }, label), h("select", { id: name, name, onchange }, Object.entries(options).map(([each, text]) => h("option", { value: each, selected: each === value }, text))));
  const own = (known?.types ?? []).filter((each) => !(each in FAMILIES));
  const filters = known?.filters ?? {};
  const save = h("button", { type: "submit", class: "primary" }, known ? "Save" : "Subscribe");
  const address = h("label", { for: "address" });
  const target = choice("target", "Send events to", { url: "A URL", queue: "An SQS queue" }, known?.queue ? "queue" : "url", () => named());
  const named = (): void => {
    const queue = target.querySelector("select")?.value === "queue";
    address.textContent = queue ? "The queue's URL" : "Its URL";
  };
  named();
  const connections = h("select", { id: "connection", name: "connection" }, h("option", { value: "" }, "Every one"), (filters.connection ?? []).map((each) => h("option", { value: each, selected: true }, each)));
  void app.api
    .get<{ connections: Connection[] }>("/connections?page_size=100", signal)
    .then(({ connections: found }) => connections.append(...found.filter((each) => each.state !== "disconnected" && !filters.connection?.includes(each.id)).map((each) => h("option", { value: each.id }, each.zoom_user_id ?? each.zoom_account_id))))
    .catch(() => undefined);
  const element: HTMLFormElement = h(
    "form",
    { class: "list narrow", onsubmit: submit },
    section(
      "Where",
      "where",
      target,
      h("div", { class: "field" }, address, h("input", { id: "address", name: "address", required: true, type: "text", inputmode: "url", autocomplete: "off", spellcheck: "false", value: known ? targetOf(known) : "", "aria-describedby": "address-hint" }), h("p", { class: "quiet", id: "address-hint" }, "A URL begins with https:// and answers a signed question before it gets any event.")),
      field("description", "What it is for", { maxlength: 500, value: known?.description ?? "" }),
    ),
    section(
      "Which events",
      "which",
      h("fieldset", {}, h("legend", {}, "About"), Object.entries(FAMILIES).map(([type, name]) => h("label", { class: "check" }, h("input", { type: "checkbox", name: "family", value: type, checked: known ? known.types.includes(type) : type === "meeting.*" }), name))),
      field("types", "Or these, by Zoom's names", { value: own.join(", "), spellcheck: "false", placeholder: "meeting.started, recording.*" }, "A star at the end stands for any rest."),
      h(
        "details",
        { open: Object.values(filters).some((each) => each && each.length > 0) },
        h("summary", {}, "Only some of them"),
        field("meeting", "Meetings or webinars", { value: (filters.meeting ?? []).join(", "), placeholder: "85123456789" }, "Their numbers, between commas."),
        field("host", "Hosts", { value: (filters.host ?? []).join(", ") }, "Ids of Zoom users, between commas."),
        h("div", { class: "field" }, h("label", { for: "connection" }, "Connection"), connections),
        choice("kind", "Kind", { "": "Meetings and webinars", meeting: "Meetings", webinar: "Webinars" }, filters.kind ?? ""),
      ),
    ),
    section(
      "How",
      "how",
      choice("payload", "What is sent", { full: "The whole event", thin: "Only where to read it" }, known?.payload ?? "full"),
      field("rate", "At most a second", { type: "number", min: 1, max: 1000, step: 1, value: known?.rate ?? "" }, "Empty sends as fast as the target answers."),
      h("label", { class: "check" }, h("input", { type: "checkbox", name: "ordered", checked: known?.ordered ?? false }), "In order within each meeting (some eleven seconds later)"),
    ),
    trouble,
    h("div", { class: "actions" }, save, link(known ? `subscriptions/${known.id}` : "subscriptions", "Cancel", "button")),
  );

  function submit(event: Event): void {
    event.preventDefault();
    const body = asked(new FormData(element), known);
    if (Array.isArray(body.types) && body.types.length === 0) return replace(trouble, notice("bad", "Choose at least one kind of events."));
    void busy(save, "Saving …", async () => {
      if (known) {
        if (Object.keys(body).length > 0) await app.api.send("PATCH", `/subscriptions/${known.id}`, body);
        app.go(`subscriptions/${known.id}`);
        return;
      }
      const made = await app.api.send<Subscription>("POST", "/subscriptions", body);
      if (signal.aborted) return;
      replace(view, heading("The subscription is made"), secretOf(made), h("p", {}, link(`subscriptions/${made.id}`, "Go to the subscription", "button primary")));
      view.querySelector("h1")?.focus();
    }).catch((error: unknown) => {
      if (!signal.aborted && !isSessionEnd(error)) replace(trouble, failure(error));
    });
  }
  return element;
}

/** The secret, which is shown here and never again. */
export function secretOf(made: Subscription): Child {
  announce("This is the only time that the secret is shown.");
  return notice(
    "warn",
    "Copy the secret now: it is not shown again.",
    h("p", {}, "With it, the receiver checks that events come from here (Standard Webhooks)."),
    h("div", { class: "secret" }, h("code", { "data-testid": "secret" }, made.secret ?? ""), copying("Copy the secret", made.secret ?? "", "primary")),
  );
}
