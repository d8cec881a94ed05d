/** The stack's connections: how many are in each state, and what to do about those that do not work. */
import { h } from "../dom";
import { relative } from "../time";
import { badge, empty } from "../ui";
import type { ConnectionState, Connections, OperatorConnection } from "./answers";
import { count, sum } from "./charts";
import { pages } from "./more";
import type { Panel } from "./panel";

export const STATES: Record<ConnectionState, [string, "good" | "bad" | "warn" | "plain"]> = {
  connected: ["Connected", "good"],
  refresh_failing: ["Refresh failing", "warn"],
  reauthorization_required: ["Needs the person", "bad"],
  pending: ["Not finished", "plain"],
  disconnected: ["Going away", "plain"],
};
/** From this many at once, the cause is not with single people. */
const MANY = 5;
const SHARE = 0.1;

export const connections: Panel<Connections> = {
  id: "connections",
  title: "Connections",
  path: () => "connections?page_size=20",
  seen(found) {
    const all = sum(Object.values(found.states));
    const lost = found.states.reauthorization_required;
    const failing = found.states.refresh_failing;
    const widely = lost >= MANY && lost / all >= SHARE;
    return {
      tile: {
        name: "Connections",
        value: count(all),
        about: all === 0 ? "none yet" : lost + failing === 0 ? "all work" : `${count(lost)} need the person, ${count(failing)} fail to refresh`,
        level: widely ? "bad" : lost + failing > 0 ? "warn" : all ? "good" : "plain",
      },
      findings: [
        ...(widely ? [{ level: "bad" as const, text: `${count(lost)} of ${count(all)} connections need their person: so many at once are Zoom's or the app's fault.`, part: "connections" }] : []),
        ...(lost > 0 && !widely ? [{ level: "warn" as const, text: `${plural(lost, "connection needs its person", "connections need their person")} to connect Zoom again.`, part: "connections" }] : []),
      ],
    };
  },
  show(found, context) {
    const states = Object.entries(found.states) as [ConnectionState, number][];
    const all = sum(states.map(([, number]) => number));
    if (all === 0) return empty("Nobody has connected Zoom yet.", h("p", { class: "quiet" }, "Connections of every tenant appear here."));
    const { list, below } = pages("connections", found, (page) => page.connections.map(row), context);
    return [
      h("ul", { class: "states", "aria-label": "Connections by state" }, states.map(([state, number]) => h("li", {}, badge(STATES[state][0], number ? STATES[state][1] : "plain"), " ", h("span", { class: "number" }, count(number))))),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Connections, those that want somebody first" }, h("table", { class: "rows" }, headings("Connection", "Tenant", "State", "Since", "What to do"), list)),
      below,
    ];
  },
};

export function row(connection: OperatorConnection): HTMLElement {
  const [name, kind] = STATES[connection.state];
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("code", {}, connection.id)),
    h("td", {}, connection.tenant),
    h("td", {}, badge(name, kind), connection.reason && h("span", { class: "quiet block" }, connection.reason.replaceAll("_", " "))),
    h("td", {}, relative(connection.state_changed_at)),
    h("td", { class: "wide" }, connection.advice || "–"),
  );
}

export function headings(...names: string[]): HTMLElement {
  return h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, name))));
}

export function plural(number: number, one: string, several: string): string {
  return `${count(number)} ${number === 1 ? one : several}`;
}

