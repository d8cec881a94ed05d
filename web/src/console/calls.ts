/** Calls to Zoom by day, operation and outcome, and what is left of Zoom's daily limits. */
import { h, type Child } from "../dom";
import { hour, utcDay } from "../time";
import { badge, empty, notice } from "../ui";
import type { Budget, Calls, Outcomes } from "./answers";
import { bars, count, sum, type Series } from "./charts";
import { plural } from "./connections";
import type { Panel } from "./panel";

const OUTCOMES: { key: "ok" | "refused" | "limited" | "failed"; name: string; colour: Series["colour"] }[] = [
  { key: "ok", name: "Worked", colour: "accent" },
  { key: "refused", name: "Refused", colour: "quiet" },
  { key: "limited", name: "Over a limit", colour: "warn" },
  { key: "failed", name: "Failed", colour: "bad" },
];
const MOST_OPERATIONS = 8;
/** Shares of today's calls, and of a daily limit, from which the console shows a warning. */
const FAILING = { warn: 0.02, bad: 0.1 };
const LEFT = { warn: 0.25, bad: 0.1 };
const FEW = 20;

export const calls: Panel<Calls> = {
  id: "calls",
  title: "Calls to Zoom",
  path: (days) => `calls?days=${days}`,
  seen(found) {
    const today = found.days.at(-1);
    const made = today?.calls ?? 0;
    const lost = (today?.failed ?? 0) + (today?.limited ?? 0);
    const share = made >= FEW ? lost / made : 0;
    const level = share >= FAILING.bad ? "bad" : share >= FAILING.warn ? "warn" : "good";
    const [least] = found.budgets.daily;
    const closed = found.budgets.closed;
    return {
      tile: { name: "Calls today (UTC)", value: count(made), about: lost ? `${count(lost)} failed or met a limit` : made ? "none failed" : "none yet", level: made ? level : "plain" },
      findings: [
        ...(level === "good" ? [] : [{ level, text: `${percent(share)} of today's calls failed or met a limit.`, part: "calls" } as const]),
        ...(least && least.left / least.calls < LEFT.warn
          ? [{ level: least.left / least.calls < LEFT.bad ? "bad" : "warn", text: `Account ${least.zoom_account_id} has ${percent(least.left / least.calls)} of its daily limit left.`, part: "calls" } as const]
          : []),
        ...(closed.length ? [{ level: "bad", text: `Zoom has closed ${plural(closed.length, "kind of call", "kinds of calls")} for now.`, part: "calls" } as const] : []),
      ],
    };
  },
  show(found, { place }) {
    const total = sum(found.days.map((each) => each.calls));
    return [
      total === 0
        ? empty("No call in these days.", h("p", { class: "quiet" }, "Calls appear here as programs make them."))
        : [
            bars({ label: summary(found), rows: found.days.map((each) => utcDay(each.date)), series: series(found.days) }, place.signal),
            h("h3", {}, "By operation"),
            bars(
              {
                label: `The ${Math.min(MOST_OPERATIONS, found.operations.length)} operations with the most calls.`,
                rows: found.operations.slice(0, MOST_OPERATIONS).map((each) => each.operation),
                series: series(found.operations.slice(0, MOST_OPERATIONS)),
                across: true,
              },
              place.signal,
            ),
          ],
      budgets(found),
    ];
  },
};

function series(rows: Outcomes[]): Series[] {
  return OUTCOMES.map(({ key, name, colour }) => ({ name, colour, values: rows.map((each) => each[key]) }));
}

function summary({ days }: Calls): string {
  const all = OUTCOMES.map(({ key, name }) => `${count(sum(days.map((each) => each[key])))} ${name.toLowerCase()}`);
  return `Calls by day, ${plural(days.length, "day", "days")}: ${all.join(", ")}.`;
}

function budgets({ budgets: { daily, closed, resets_at } }: Calls): Child {
  return [
    h("h3", {}, "Left of Zoom's daily limits"),
    closed.length > 0 &&
      notice("warn", "Closed for now", h("ul", {}, closed.map((each) => h("li", {}, `${each.label} calls of account ${each.zoom_account_id}, until ${hour(each.until)}: ${each.reason.replaceAll("_", " ")}`)))),
    daily.length === 0
      ? h("p", { class: "quiet" }, "No Zoom account is connected, so there is no limit yet.")
      : [h("ul", { class: "plain budgets" }, daily.map(budget)), h("p", { class: "quiet" }, `Zoom counts from ${hour(resets_at)} (midnight UTC) on. Shown is the gateway's share of each limit.`)],
  ];
}

function budget(each: Budget): HTMLElement {
  const share = each.left / Math.max(1, each.calls);
  const level = share < LEFT.bad ? "bad" : share < LEFT.warn ? "warn" : "good";
  const text = `${percent(share)} left: ${count(each.left)} of ${count(each.calls)}`;
  return h(
    "li",
    {},
    h("span", {}, h("code", {}, each.zoom_account_id), " ", h("span", { class: "quiet" }, `${each.limit}, plan ${each.plan}`)),
    h("meter", { min: 0, max: each.calls, value: each.left, low: each.calls * LEFT.bad, high: each.calls * LEFT.warn, optimum: each.calls, "aria-label": `Account ${each.zoom_account_id}, ${each.limit}: ${text}` }),
    badge(text, level),
  );
}

function percent(share: number): string {
  return new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: share < 0.1 ? 1 : 0 }).format(share);
}
