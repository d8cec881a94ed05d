/** Events by day and type, duplicates, unrouted events, and deliveries to subscriptions. */
import { h } from "../dom";
import { utcDay } from "../time";
import { empty } from "../ui";
import type { Events } from "./answers";
import { bars, count, sum, type Series } from "./charts";
import { plural } from "./connections";
import type { Panel } from "./panel";

const COLOURS: Series["colour"][] = ["accent", "c1", "c2", "c3", "c4"];
const DELIVERIES = [
  { key: "delivered", name: "Delivered", colour: "accent" },
  { key: "retried", name: "To be tried again", colour: "warn" },
  { key: "failed", name: "Given up", colour: "bad" },
  { key: "dropped", name: "Dropped", colour: "quiet" },
] as const;

export const events: Panel<Events> = {
  id: "events",
  title: "Events from Zoom",
  path: (days) => `events?days=${days}`,
  seen(found) {
    const today = found.days.at(-1);
    const nobody = (today?.unrouted ?? 0) + (today?.malformed ?? 0);
    const given = found.deliveries.at(-1)?.failed ?? 0;
    return {
      tile: { name: "Events today (UTC)", value: count(today?.published ?? 0), about: nobody ? `${count(nobody)} belong to nobody` : "all have a tenant", level: nobody ? "warn" : "good" },
      findings: [
        ...(nobody ? [{ level: "warn", text: `${plural(nobody, "event of today belongs", "events of today belong")} to no tenant: somebody who is not connected, or an app of a whole account.`, part: "events" } as const] : []),
        ...(given ? [{ level: "warn", text: `${plural(given, "delivery", "deliveries")} to subscriptions were given up today.`, part: "events" } as const] : []),
      ],
    };
  },
  show(found, { place }) {
    const rows = found.days.map((each) => utcDay(each.date));
    const total = sum(found.days.map((each) => each.published + each.unrouted + each.malformed));
    if (total === 0) return empty("No event in these days.", h("p", { class: "quiet" }, "If people do meet, look at the webhooks below."));
    const shown = found.types.slice(0, COLOURS.length);
    const others = found.types.slice(COLOURS.length);
    const series: Series[] = shown.map((each, at) => ({ name: each.type, colour: COLOURS[at] ?? "quiet", values: each.by_day }));
    if (others.length) series.push({ name: plural(others.length, "other type", "other types"), colour: "c5", values: rows.map((_, at) => sum(others.map((each) => each.by_day[at] ?? 0))) });
    const numbers = (key: "duplicates" | "unrouted" | "malformed"): number => sum(found.days.map((each) => each[key]));
    return [
      bars({ label: `Events by day and type: ${plural(sum(found.types.map((each) => each.events)), "event", "events")} of ${plural(found.types.length, "type", "types")}.`, rows, series }, place.signal),
      h(
        "dl",
        { class: "figures" },
        ([["Came twice", "duplicates", "acknowledged, and published once"], ["Belong to nobody", "unrouted", "make unrouted lists them"], ["Not readable", "malformed", "signed by Zoom, and kept"]] as const).map(([name, key, about]) =>
          h("div", {}, h("dt", {}, name), h("dd", {}, count(numbers(key)), h("span", { class: "quiet block" }, about))),
        ),
      ),
      h("h3", {}, "Deliveries to subscriptions"),
      sum(found.deliveries.map((each) => each.delivered + each.retried + each.failed + each.dropped)) === 0
        ? h("p", { class: "quiet" }, "None in these days. The events queue and the bus are not counted here.")
        : bars(
            {
              label: `Deliveries by day: ${DELIVERIES.map(({ key, name }) => `${count(sum(found.deliveries.map((each) => each[key])))} ${name.toLowerCase()}`).join(", ")}.`,
              rows,
              series: DELIVERIES.map(({ key, name, colour }) => ({ name, colour, values: found.deliveries.map((each) => each[key]) })),
            },
            place.signal,
          ),
    ];
  },
};
