/** The state of Zoom's deliveries, and of token refreshes. */
import { h } from "../dom";
import { relative, utcDay } from "../time";
import { badge, empty } from "../ui";
import type { Refreshes, Webhooks } from "./answers";
import { bars, count, sum } from "./charts";
import { headings, plural, row } from "./connections";
import type { Panel } from "./panel";

const DAY = 86_400;
const HOUR = 3_600;
/** Zoom sends a challenge every 72 hours. A day without any delivery shows a warning. */
const QUIET = DAY;
const OLD_SECRET = 365 * DAY;

export const webhooks: Panel<Webhooks> = {
  id: "webhooks",
  title: "Webhooks",
  path: () => "webhooks",
  seen(found) {
    const ages = found.apps.map((each) => each.last_verified_age_seconds).filter((each) => each !== null);
    const last = ages.length ? Math.min(...ages) : null;
    const overdue = found.apps.filter((each) => each.challenge_overdue);
    const refused = found.rejections.filter((each) => each.last_rejected_age_seconds < HOUR);
    const level = overdue.length ? "bad" : last === null || last > QUIET ? "warn" : "good";
    return {
      tile: { name: "Last webhook", value: last === null ? "never" : ago(last), about: overdue.length ? "Zoom's check is overdue" : last === null ? "none was ever verified" : "verified", level },
      findings: [
        ...overdue.map((each) => ({ level: "bad", text: `Zoom has not checked the endpoint of app ${each.zoom_client_id} for three days: it may have turned the subscription off.`, part: "webhooks" }) as const),
        ...(last !== null && last > QUIET ? [{ level: "warn", text: `No webhook was verified for ${ago(last).replace(" ago", "")}.`, part: "webhooks" } as const] : []),
        ...(refused.length ? [{ level: "warn", text: `Deliveries were refused within the last hour: ${refused.map((each) => each.reason.replaceAll("_", " ")).join(", ")}.`, part: "webhooks" } as const] : []),
      ],
    };
  },
  show(found) {
    if (!found.apps.length) return empty("No Zoom app has delivered anything yet.", h("p", { class: "quiet" }, "Set the app's event notification endpoint at Zoom to the webhook URL of this stack."));
    return [
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Zoom apps and their deliveries" },
        h(
          "table",
          { class: "rows" },
          headings("Zoom app", "Last delivery", "Zoom's check", "Secrets"),
          h(
            "tbody",
            {},
            found.apps.map((each) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, h("code", {}, each.zoom_client_id)),
                h("td", {}, each.last_verified_at ? relative(each.last_verified_at) : "never"),
                h("td", {}, each.last_challenge_at ? relative(each.last_challenge_at) : "never seen", " ", each.challenge_overdue && badge("overdue", "bad")),
                h("td", {}, each.secrets.length ? each.secrets.map((secret) => h("span", { class: "block" }, h("code", {}, secret.fingerprint), ` in use ${relative(secret.in_use_since)} `, secret.age_seconds > OLD_SECRET && badge("rotate", "warn"))) : "not looked at yet"),
              ),
            ),
          ),
        ),
      ),
      found.rejections.length > 0 && [
        h("h3", {}, "Refused deliveries"),
        h("ul", {}, found.rejections.map((each) => h("li", {}, `${each.reason.replaceAll("_", " ")}: last ${relative(each.last_rejected_at)}`))),
      ],
    ];
  },
};

const OUTCOMES = [
  { key: "refreshed", name: "Refreshed", colour: "accent" },
  { key: "refresh_failing", name: "Did not work, tried again", colour: "warn" },
  { key: "reauthorization_required", name: "Needs the person", colour: "bad" },
  { key: "unavailable", name: "App or gateway at fault", colour: "c3" },
] as const;

export const refreshes: Panel<Refreshes> = {
  id: "refreshes",
  title: "Token refreshes",
  path: (days) => `refreshes?days=${days}`,
  seen(found) {
    const today = found.days.at(-1);
    const fault = today?.unavailable ?? 0;
    const late = found.sweep_age_seconds !== null && found.sweep_age_seconds > HOUR;
    return {
      tile: { name: "Refresh failing", value: count(found.failing), about: found.failing ? "tried again by themselves" : "every token is renewed", level: fault || late ? "bad" : found.failing ? "warn" : "good" },
      findings: [
        ...(fault ? [{ level: "bad", text: `${plural(fault, "refresh", "refreshes")} today failed by a fault of the Zoom app or the gateway: check the app's client id and secret.`, part: "refreshes" } as const] : []),
        ...(found.failing ? [{ level: "warn", text: `Tokens of ${plural(found.failing, "connection", "connections")} cannot be renewed at the moment.`, part: "refreshes" } as const] : []),
        ...(late ? [{ level: "bad", text: `The sweep that renews tokens last ran ${ago(found.sweep_age_seconds ?? 0)}.`, part: "refreshes" } as const] : []),
      ],
    };
  },
  show(found, { place }) {
    const all = sum(OUTCOMES.map(({ key }) => sum(found.days.map((each) => each[key]))));
    return [
      all === 0
        ? empty("No refresh in these days.", h("p", { class: "quiet" }, "Tokens are renewed when they are used, and before they die."))
        : bars(
            {
              label: `Refreshes by day: ${OUTCOMES.map(({ key, name }) => `${count(sum(found.days.map((each) => each[key])))} ${name.toLowerCase()}`).join(", ")}.`,
              rows: found.days.map((each) => utcDay(each.date)),
              series: OUTCOMES.map(({ key, name, colour }) => ({ name, colour, values: found.days.map((each) => each[key]) })),
            },
            place.signal,
          ),
      h("p", { class: "quiet" }, `The sweep ran ${found.sweep_age_seconds === null ? "never" : ago(found.sweep_age_seconds)}, the daily roll-up ${found.rollup_age_seconds === null ? "never" : ago(found.rollup_age_seconds)}.`),
      found.connections.length > 0 && [
        h("h3", {}, "Failing now"),
        h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Connections whose tokens cannot be renewed" }, h("table", { class: "rows" }, headings("Connection", "Tenant", "State", "Since", "What to do"), h("tbody", {}, found.connections.map(row)))),
      ],
    ];
  },
};

function ago(seconds: number): string {
  return relative(new Date(Date.now() - seconds * 1000).toISOString());
}
