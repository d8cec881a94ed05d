/** The subscriptions of this tenant. */
import "../subscriptions/subscriptions.css";
import { ApiError } from "../api";
import type { Page } from "../app";
import { h, keyed, replace } from "../dom";
import { watch } from "../follow";
import { STATES, targetOf, type Subscription } from "../subscriptions/model";
import { badge, empty, heading, link } from "../ui";

const LOOK_EVERY = 5_000;
const OFF = "This installation sends no events to addresses: its parameter Subscriptions is off.";
/** The scope of people who see every Zoom account. */
const EVERYBODY = "connections:all";
const NOT_YOURS = "Events of everybody go through subscriptions, so only people who see every Zoom account of the tenant manage them.";

export const subscriptions: Page = (place) => {
  const { app, view, signal } = place;
  const list = h("ol", { class: "card flat plain", hidden: true });
  const [status, below] = [h("div"), h("div")];
  replace(view, heading("Subscriptions", link("subscriptions/new", "New subscription", "button primary")), status, list, below);
  const fill = keyed<Subscription>(list, (each) => each.id, row);
  const load = async (): Promise<Subscription[] | string> => {
    try {
      return (await app.api.get<{ subscriptions: Subscription[] }>("/subscriptions", signal)).subscriptions;
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return OFF;
      if (error instanceof ApiError && error.message.includes(EVERYBODY)) return NOT_YOURS;
      throw error;
    }
  };
  const show = (found: Subscription[] | string): void => {
    list.hidden = typeof found === "string" || found.length === 0;
    if (typeof found === "string") return replace(below, empty(found));
    fill(found);
    replace(below, found.length === 0 && empty("Nobody has subscribed yet.", h("p", {}, "A subscription sends Zoom's events to a URL of yours, signed, a moment after they happen."), h("p", {}, link("subscriptions/new", "Make the first one", "button primary"))));
  };
  watch(place, status, { what: "subscriptions", load, show, every: LOOK_EVERY, settled: (found) => typeof found === "string" });
};

function row(each: Subscription): HTMLElement {
  const [name, kind, meaning] = STATES[each.state];
  const trouble = each.state === "active" ? (each.health.failures > 0 ? `${each.health.failures} failures in a row` : "") : meaning;
  return h(
    "li",
    { class: "entry wide" },
    h(
      "div",
      { class: "two" },
      h("h2", {}, link(`subscriptions/${each.id}`, each.description || targetOf(each))),
      h("p", { class: "quiet" }, [each.description && targetOf(each), each.types.join(", ")].filter(Boolean).join(" · ")),
      trouble && h("p", { class: "quiet" }, trouble),
    ),
    h("div", { class: "actions" }, badge(name, kind)),
  );
}
