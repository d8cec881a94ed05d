/** One subscription: its health, its deliveries with their results, and sending again. */
import "../subscriptions/subscriptions.css";
import type { Page } from "../app";
import { announce, h, keyed, replace, type Child } from "../dom";
import { watch } from "../follow";
import { STATES, healthOf, outcome, targetOf, type Attempt, type Delivery, type Subscription } from "../subscriptions/model";
import { clock, fromInput, moment, relative } from "../time";
import { badge, busy, button, confirmed, empty, failure, heading, isSessionEnd, link, notice, section } from "../ui";
import { facts } from "./connections";
import { secretOf } from "./subscription-form";

const LOOK_EVERY = 4_000;
const PAGE = 30;
const MOST = 300;
const STATUSES = { "": "All", failed: "Failed", retrying: "Tried again", delivered: "Arrived" };
const BADGES: Record<Delivery["status"], [string, "good" | "bad" | "warn"]> = { delivered: ["Arrived", "good"], retrying: ["Tried again", "warn"], failed: ["Failed", "bad"] };

interface Deliveries {
  deliveries: Delivery[];
  next_page_token?: string;
}
interface Redelivered {
  redelivered: number;
  next_page_token?: string;
}

export const subscription: Page = (place) => {
  const { app, view, params, signal } = place;
  const path = `/subscriptions/${params.id}`;
  const [status, state, trouble, about, health] = [h("div"), h("span"), h("div"), h("div"), h("div")];
  const body = h("div", { class: "list", hidden: true });
  const showError = (error: unknown): void => {
    if (!signal.aborted && !isSessionEnd(error)) replace(trouble, failure(error));
  };
  const act = (text: string, doing: string, work: () => Promise<Child | void>, kind = ""): HTMLButtonElement => {
    const made = button(text, () => {
      replace(trouble);
      void busy(made, doing, async () => {
        const said = await work();
        if (said) replace(trouble, said);
        if (!signal.aborted) await Promise.all([again(), listed.again()]);
      }).catch(showError);
    }, kind);
    return made;
  };
  const post = (name: string, sent?: unknown): Promise<Subscription> => app.api.send<Subscription>("POST", `${path}/${name}`, sent);
  const done = (text: string): Child => notice("good", text);
  const pause = act("Pause", "Pausing …", async () => void (await post("pause")));
  const resume = act("Resume", "Resuming …", async () => void (await post("resume")), "primary");
  const verify = act("Ask the target again", "Asking …", async () => {
    await post("verify");
    return done("The target is asked now.");
  }, "primary");
  const test = act("Send a test event", "Sending …", async () => {
    await post("test");
    return done("A test event is on its way. It is in the list below in a moment.");
  });
  const rotate = act("New secret", "Making one …", async () => {
    const sure = await confirmed("Make a new secret?", "For 24 hours events are signed with both, so that the receiver can change to the new one.", "Make it");
    return sure ? secretOf(await post("rotate", {})) : undefined;
  });
  const remove = act("Delete", "Deleting …", async () => {
    if (!(await confirmed("Delete this subscription?", "Nothing more is sent but what is on its way. Its secret and its deliveries go with it.", "Delete"))) return;
    await app.api.send("DELETE", path);
    announce("Deleted");
    app.go("subscriptions", { replace: true });
  }, "danger");
  const listed = deliveries();
  const edit = link(`subscriptions/${params.id}/edit`, "Change", "button");
  replace(view, heading("Subscription", state, link("subscriptions", "All subscriptions", "button")), status, body);
  replace(
    body,
    section("Health", "health", health, h("div", { class: "actions" }, resume, verify, pause, test, edit, rotate, remove), trouble),
    listed.element,
    section("About it", "about", about),
  );

  function show(found: Subscription): void {
    body.hidden = false;
    const title = found.description || targetOf(found);
    const place = view.querySelector("h1");
    if (place && place.textContent !== title) place.textContent = title;
    document.title = `${title} · Zoom gateway`;
    const [name, kind, meaning] = STATES[found.state];
    replace(state, badge(name, kind));
    replace(health, h("p", {}, `${meaning} ${found.state === "pending" && found.verification ? "" : healthOf(found.health)}`), found.state === "pending" && found.verification && attempt(found.verification, "It was asked"), found.health.retry_at && h("p", { class: "quiet" }, `It is left alone until ${clock(found.health.retry_at)}.`));
    replace(about, describe(found));
    const sends = found.state === "active" || found.state === "paused";
    pause.hidden = found.state !== "active";
    resume.hidden = !["paused", "disabled", "unsubscribed"].includes(found.state);
    verify.hidden = found.state !== "pending";
    test.hidden = !sends;
    listed.sends(sends);
  }

  function deliveries(): { element: HTMLElement; again: () => Promise<void>; sends: (may: boolean) => void } {
    const [list, wait, below] = [h("div"), h("div"), h("div")];
    const choice = h("select", { id: "status", onchange: () => void look() }, Object.entries(STATUSES).map(([each, text]) => h("option", { value: each }, text)));
    const fill = keyed<Delivery>(list, (each) => each.event_id, (each) => deliveryOf(each, () => act("Send it again", "Sending …", async () => {
      await post("redeliver", { id: each.event_id });
      return done("It is sent again.");
    }, "small")));
    let size = PAGE;
    const load = (): Promise<Deliveries> => app.api.get<Deliveries>(`${path}/deliveries?${new URLSearchParams({ page_size: String(size), ...(choice.value && { status: choice.value }) })}`, signal);
    const showList = (found: Deliveries): void => {
      fill(found.deliveries);
      const more = button("Show more", () => {
        size = Math.min(MOST, size + 2 * PAGE);
        void busy(more, "Loading …", look);
      });
      replace(below, found.deliveries.length === 0 && empty(choice.value ? "There is none of these." : "Nothing was sent yet."), found.next_page_token && size < MOST && more);
    };
    const again = act("Send all failed again", "Sending …", async () => done(sentAgain(await every({ failed: true }))));
    const span = h("details", {}, h("summary", {}, "Send a span of time again"), spanForm());
    const look = watch(place, wait, { what: "deliveries", load, show: showList, every: LOOK_EVERY });
    const actions = h("div", { class: "actions" }, again);
    const sends = (may: boolean): void => {
      actions.hidden = span.hidden = !may;
    };
    return { element: section("Deliveries", "deliveries", h("div", { class: "field narrow" }, h("label", { for: "status" }, "Show"), choice), wait, list, below, actions, span), again: look, sends };
  }

  function spanForm(): HTMLElement {
    const send = h("button", { type: "submit" }, "Send it again");
    const element: HTMLFormElement = h(
      "form",
      {
        onsubmit: (event: Event) => {
          event.preventDefault();
          const data = new FormData(element);
          const at = (name: string): string => fromInput(String(data.get(name))).toISOString();
          const type = String(data.get("type") ?? "").trim();
          replace(trouble);
          void busy(send, "Sending …", async () => {
            replace(trouble, done(sentAgain(await every({ from: at("from"), to: at("to"), ...(type && { type }) }))));
            await listed.again();
          }).catch(showError);
        },
      },
      h(
        "div",
        { class: "pair" },
        [["from", "From"], ["to", "Until"]].map(([name, label]) => h("div", { class: "field" }, h("label", { for: name as string }, label as string), h("input", { id: name, name, type: "datetime-local", required: true }))),
      ),
      h("div", { class: "field" }, h("label", { for: "type" }, "Only this type"), h("input", { id: "type", name: "type", autocomplete: "off", spellcheck: "false", placeholder: "meeting.started" })),
      send,
    );
    return element;
  }

  /** Asks page by page until nothing is left. */
  async function every(asked: Record<string, unknown>): Promise<number> {
    let sent = 0;
    let token = "";
    do {
      const found = await app.api.send<Redelivered>("POST", `${path}/redeliver`, { ...asked, ...(token && { next_page_token: token }) });
      sent += found.redelivered;
      token = found.next_page_token ?? "";
    } while (token && !signal.aborted);
    return sent;
  }

  const again = watch(place, status, { what: "the subscription", load: () => app.api.get<Subscription>(path, signal), show, every: LOOK_EVERY });
};

function sentAgain(count: number): string {
  return count === 0 ? "There was nothing to send again." : count === 1 ? "One event is sent again." : `${count} events are sent again.`;
}

function describe(found: Subscription): Child {
  const { meeting, host, connection, kind } = found.filters;
  const only = [meeting?.length && `meetings ${meeting.join(", ")}`, host?.length && `hosts ${host.join(", ")}`, connection?.length && `connections ${connection.join(", ")}`, kind && `${kind}s`].filter(Boolean).join("; ");
  return facts([
    ["Target", h("code", {}, targetOf(found))],
    ["Events", h("code", {}, found.types.join(", "))],
    ["Only", only || "no filter"],
    ["Sent", `${found.payload === "thin" ? "only where to read it" : "the whole event"}${found.ordered ? ", in order" : ""}${found.rate ? `, at most ${found.rate} a second` : ""}`],
    ["In this state", `since ${moment(found.state_changed_at)}${found.reason ? ` (${found.reason.replaceAll("_", " ")})` : ""}`],
    ["Made", moment(found.created_at)],
    ...(found.previous_secret_until ? [["Former secret", `valid until ${moment(found.previous_secret_until)}`] as [string, Child]] : []),
    ["Id", h("code", {}, found.id)],
  ]);
}

function deliveryOf(each: Delivery, again: () => HTMLElement): HTMLElement {
  const [name, kind] = BADGES[each.status];
  const next = each.next_attempt_at ? `next try ${relative(each.next_attempt_at)}` : "";
  const tries = each.attempts.length === 1 ? "1 attempt" : `${each.attempts.length} attempts`;
  return h(
    "details",
    { class: "delivery" },
    h("summary", {}, h("span", { class: "two" }, each.type, h("span", { class: "quiet" }, [moment(each.time), tries, next].filter(Boolean).join(" · "))), badge(name, kind)),
    h("ol", { class: "attempts" }, each.attempts.map((one) => h("li", {}, attempt(one)))),
    h("div", { class: "actions attempts" }, again(), h("code", {}, each.event_id)),
  );
}

function attempt(one: Attempt, before = ""): Child {
  return [
    h("span", {}, before && `${before} `, h("span", { class: "strong" }, outcome(one)), h("span", { class: "quiet" }, ` · ${moment(one.at)}, ${one.duration_ms.toLocaleString()} ms`)),
    one.answer && h("pre", { tabindex: "0", role: "group", "aria-label": "What was answered" }, one.answer),
  ];
}
