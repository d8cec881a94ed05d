/** API keys of every tenant: made and revoked by day, with limits and revoking. */
import { h, replace } from "../dom";
import { relative, utcDay } from "../time";
import { badge, busy, button, confirmed, empty, failure, isSessionEnd } from "../ui";
import type { Key, Keys } from "./answers";
import { bars, count, sum } from "./charts";
import { headings, plural } from "./connections";
import { pages } from "./more";
import type { Context, Panel } from "./panel";

const STATES = { active: "good", expired: "plain", revoked: "bad" } as const;

export const keys: Panel<Keys> = {
  id: "keys",
  title: "API keys",
  path: (days) => `keys?days=${days}&page_size=20`,
  seen: (found) => ({
    tile: { name: "API keys", value: count(found.states.active), about: `${count(found.limited)} limited, ${count(found.states.revoked)} revoked`, level: "plain" },
    findings: [],
  }),
  show(found, context) {
    if (found.total === 0) return empty("No API key was made yet.", h("p", { class: "quiet" }, "make api-key makes one."));
    const { list, below } = pages("keys", found, (page) => page.keys.map((each) => row(each, context)), context);
    const changes = sum(found.days.map((each) => each.made + each.revoked));
    return [
      changes > 0 &&
        bars(
          {
            label: `Keys by day: ${count(sum(found.days.map((each) => each.made)))} made, ${count(sum(found.days.map((each) => each.revoked)))} revoked.`,
            rows: found.days.map((each) => utcDay(each.date)),
            series: [
              { name: "Made", colour: "accent", values: found.days.map((each) => each.made) },
              { name: "Revoked", colour: "bad", values: found.days.map((each) => each.revoked) },
            ],
          },
          context.place.signal,
        ),
      h("p", { class: "quiet" }, `${plural(found.total, "key", "keys")}: ${count(found.states.active)} active, ${count(found.states.expired)} expired, ${count(found.states.revoked)} revoked; ${count(found.limited)} with a limit of their own.`),
      h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "API keys, the newest first" }, h("table", { class: "rows" }, headings("Key", "Tenant", "State", "Scopes", "A minute", "Made", ...(context.writes ? ["Do"] : [])), list)),
      below,
    ];
  },
};

function row(key: Key, context: Context): HTMLElement {
  const element = h("tr");
  const fill = (now: Key): void =>
    replace(
      element,
      h("th", { scope: "row" }, h("code", {}, now.id), h("span", { class: "quiet block" }, now.name)),
      h("td", {}, now.tenant),
      h("td", {}, badge(now.state, STATES[now.state])),
      h("td", { class: "wide" }, now.scopes.length > 3 ? h("details", {}, h("summary", {}, plural(now.scopes.length, "scope", "scopes")), now.scopes.join(", ")) : now.scopes.join(", ")),
      h("td", { class: "number" }, now.requests_per_minute ?? "–"),
      h("td", {}, relative(now.created_at)),
      context.writes && h("td", {}, now.state === "active" && actions(now, context, fill)),
    );
  fill(key);
  return element;
}

function actions(key: Key, context: Context, fill: (now: Key) => void): HTMLElement {
  const trouble = h("div");
  const change = (on: HTMLButtonElement, work: () => Promise<Key>): Promise<void> =>
    busy(on, "Working …", async () => fill(await work())).catch((error: unknown) => {
      if (!isSessionEnd(error)) replace(trouble, failure(error));
    });
  const end = button("Revoke", () => void revoke(), "small danger", { "aria-label": `Revoke key ${key.id}` });
  async function revoke(): Promise<void> {
    const sure = await confirmed(`Revoke key ${key.id}?`, `Programs of ${key.tenant} that use it are refused within a minute, for good.`, "Revoke");
    if (sure) await change(end, () => context.api.send<Key>("POST", `keys/${key.id}/revoke`, {}));
  }
  const limit = button("Limit", () => void ask(), "small", { "aria-label": `Limit key ${key.id}` });
  async function ask(): Promise<void> {
    const wanted = await limitOf(key);
    if (wanted !== undefined) await change(limit, () => context.api.send<Key>("PATCH", `keys/${key.id}`, { requests_per_minute: wanted }));
  }
  return h("div", { class: "actions" }, limit, end, trouble);
}

/** A number, null for the gateway's default, or undefined for no change. */
function limitOf(key: Key): Promise<number | null | undefined> {
  return new Promise((resolve) => {
    const input = h("input", { id: "limit", type: "number", min: 1, max: 600_000, step: 1, inputmode: "numeric", value: key.requests_per_minute, "aria-describedby": "limit-hint" });
    const form = h(
      "form",
      { method: "dialog", onsubmit: () => dialog.close("yes") },
      h("h2", { id: "limit-title" }, `How often may key ${key.id} ask?`),
      h("div", { class: "field" }, h("label", { for: "limit" }, "Requests a minute"), input, h("p", { class: "quiet", id: "limit-hint" }, "Leave it empty for the gateway's default. It holds within a minute.")),
      h("div", { class: "actions end" }, button("Keep", () => dialog.close("no")), h("button", { type: "submit", class: "primary" }, "Set the limit")),
    );
    const dialog = h("dialog", { "aria-labelledby": "limit-title" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? (input.value ? Number(input.value) : null) : undefined);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
