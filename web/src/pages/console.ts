/** The operator's console: the whole stack at a glance. */
import "../console/console.css";
import { ApiError } from "../api";
import { repeat, type Place } from "../app";
import type { Answer } from "../console/answers";
import { calls } from "../console/calls";
import { connections } from "../console/connections";
import { deadLetters } from "../console/dead-letters";
import { events } from "../console/events";
import { refreshes, webhooks } from "../console/health";
import { keys } from "../console/keys";
import { LOST, OperatorApi } from "../console/operator-api";
import { PanelView, type Context, type Finding } from "../console/panel";
import { h, replace, type Child } from "../dom";
import { clock } from "../time";
import { busy, button, failure, heading, isSessionEnd, notice } from "../ui";

const EVERY = 60_000;
const SPANS: [number, string][] = [[1, "Today"], [7, "7 days"], [31, "31 days"]];
/** These need the width of the page. */
const WHOLE = ["dead-letters", "connections", "keys"];

export async function operatorsConsole(place: Place): Promise<void> {
  const api = new OperatorApi(place.app.api);
  if (!api.withKey && !place.app.sessions.current()) return gate(place, api, "");
  const asked = Number(place.query.get("days"));
  const days = SPANS.some(([span]) => span === asked) ? asked : 7;
  const views = [new PanelView(deadLetters), new PanelView(connections), new PanelView(calls), new PanelView(events), new PanelView(webhooks), new PanelView(refreshes), new PanelView(keys)];
  const context: Context = { api, place, days, writes: api.writes };
  const updated = h("span", { class: "quiet" }, "Looking …");
  const findings = h("div", { "aria-live": "polite" });
  const tiles = h("ul", { class: "tiles", "aria-label": "At a glance" });
  for (const view of views) view.element.classList.toggle("whole", WHOLE.includes(view.id));
  const refresh = button("Refresh", () => void busy(refresh, "Looking …", async () => void (await look(true))), "small");
  replace(
    place.view,
    heading("Console", updated, refresh, span(place, days), api.withKey && button("Leave", () => leave(), "small")),
    findings,
    tiles,
    h("div", { class: "panels" }, views.map((view) => view.element)),
  );

  let closed = false; // by the sign-in, which replaces it
  async function look(redraw = false): Promise<boolean> {
    if (closed) return true;
    const results = await Promise.all(
      views.map(async (view) => {
        const worked = await view.refresh(context);
        if (worked && redraw) view.draw(context);
        summarize();
        return worked;
      }),
    ).catch((error: unknown) => {
      if (!place.signal.aborted && !closed && !isSessionEnd(error)) gate(place, api, said(error));
      closed = true;
      return null;
    });
    if (!results || place.signal.aborted) return true;
    if (results.some(Boolean)) updated.textContent = `Updated ${clock(new Date())}`;
    return results.every(Boolean);
  }

  function summarize(): void {
    replace(tiles, views.map((view) => view.seen && h("li", {}, tile(view))));
    const found = views.flatMap((view) => view.seen?.findings ?? []).sort((one, other) => Number(one.level === "warn") - Number(other.level === "warn"));
    const unknown = views.filter((view) => view.trouble !== null).map((view) => view.title);
    const said = h("div", {}, wanted(found, unknown, views.every((view) => view.seen !== null || view.trouble !== null)));
    if (said.textContent !== findings.textContent) replace(findings, said); // what has not changed is not announced again
  }

  function leave(): void {
    api.signOut();
    place.app.go("console");
  }

  repeat(place.signal, EVERY, () => look());
}

function wanted(found: Finding[], unknown: string[], whole: boolean): Child {
  const missing = unknown.length > 0 && h("li", { class: "warn" }, `Not known at the moment: ${unknown.join(", ")}.`);
  if (found.length || missing) {
    return h("ul", { class: "findings", "aria-label": "What wants somebody" }, found.map((each) => h("li", { class: each.level }, h("a", { href: `#${each.part}` }, each.text))), missing);
  }
  return whole && h("ul", { class: "findings" }, h("li", { class: "good" }, "Nothing wants you: every part works."));
}

function tile({ seen, id }: Pick<PanelView<Answer>, "seen" | "id">): HTMLElement | null {
  if (!seen) return null;
  const { name, value, about, level } = seen.tile;
  return h("a", { href: `#${id}`, class: level }, h("span", {}, name), h("strong", {}, value), h("span", { class: "quiet" }, about));
}

function span({ app }: Place, days: number): Child {
  const choose = (event: Event): void => app.go(`console?days=${(event.target as HTMLSelectElement).value}`);
  return [h("label", { for: "span", class: "unseen" }, "Days to show"), h("select", { id: "span", class: "short", onchange: choose }, SPANS.map(([value, name]) => h("option", { value, selected: value === days }, name)))];
}

function said(error: unknown): string {
  if (!(error instanceof ApiError) || !LOST.includes(error.reason)) return "The console could not be opened.";
  return error.reason === "missing_scope" ? "You are signed in, and this page is for who operates the stack: the scope operator:read is missing." : "The operator's hour is over. Sign in again.";
}

/** Asks the operator to sign in, at the identity provider or with an operator's key. */
function gate({ app, view }: Place, api: OperatorApi, why: string): void {
  const trouble = h("div");
  const input = h("input", { id: "operator-key", type: "password", autocomplete: "off", spellcheck: "false", required: true, "aria-describedby": "operator-key-hint" });
  const submit = h("button", { type: "submit", class: "primary" }, "Open the console");
  const open = (event: Event): void => {
    event.preventDefault();
    replace(trouble);
    void busy(submit, "Opening …", async () => {
      await api.signIn(input.value);
      input.value = "";
      app.go("console");
    }).catch((error: unknown) => replace(trouble, failure(error)));
  };
  const person = app.sessions.current();
  replace(
    view,
    heading("Console"),
    why && notice("warn", why),
    h(
      "div",
      { class: "halves" },
      h("section", { class: "card", "aria-labelledby": "by-key" }, h("h2", { id: "by-key" }, "With an operator's key"), h("form", { onsubmit: open }, h("div", { class: "field" }, h("label", { for: "operator-key" }, "API key"), input, h("p", { class: "quiet", id: "operator-key-hint" }, "It is changed for a token of an hour that stays in this tab. The key itself is not kept. ", h("code", {}, "make api-key ARGS=\"create --name console --operator\""), " makes one.")), submit, trouble)),
      app.sessions.canSignIn && h("section", { class: "card", "aria-labelledby": "by-name" }, h("h2", { id: "by-name" }, person ? `You are ${person.person.name}` : "With your own name"), h("p", {}, person ? "Ask whoever runs your identity provider for the scope operator:read, then sign in again." : "Your identity provider has to give you the scope operator:read."), !person && h("p", {}, button("Sign in", () => void app.sessions.signIn(location.pathname).catch(() => replace(trouble, notice("bad", "Signing in does not work right now."))))), person && h("p", {}, button("Sign out", () => void app.sessions.signOut()))),
    ),
  );
}
