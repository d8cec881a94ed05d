import type { Connection } from "../api";
import type { App, Page } from "../app";
import { h, replace, type Child } from "../dom";
import { moment, relative } from "../time";
import { badge, button, busy, confirmed, empty, failure, heading, isSessionEnd, link, notice, shown } from "../ui";
import { leaveForZoom } from "./connect";

const STATES: Record<Connection["state"], [string, "good" | "bad" | "warn" | "plain", string]> = {
  connected: ["Healthy", "good", "Calls and events work."],
  refresh_failing: ["Trouble", "warn", "Zoom's tokens could not be renewed lately. It is tried again by itself; nothing to do."],
  reauthorization_required: ["Reconnect", "bad", "Zoom no longer accepts what you agreed to. Only you can give it again."],
  pending: ["Not finished", "plain", "The way back from Zoom was not completed."],
  disconnected: ["Disconnected", "plain", "It is being removed."],
};

/** How the Zoom accounts are that this person may see. */
export const connections: Page = async (place) => {
  const { app, view, signal } = place;
  const list = h("div", { class: "list" });
  replace(view, heading("Connections", link("connect", "Connect a Zoom account", "button primary")), list);
  await shown(
    list,
    "connections",
    signal,
    () => app.api.get<{ connections: Connection[] }>("/connections?page_size=100", signal),
    ({ connections: all }) =>
      all.length === 0
        ? empty("No Zoom account is connected yet.", h("p", {}, link("connect", "Connect a Zoom account", "button primary")))
        : all.map((each) => card(app, each)),
  );
};

function card(app: App, connection: Connection): HTMLElement {
  const [name, kind, meaning] = STATES[connection.state];
  const trouble = h("div");
  const showError = (error: unknown): void => {
    if (!isSessionEnd(error)) replace(trouble, failure(error));
  };
  const reconnect = button("Reconnect", () => {
    void busy(reconnect, "Asking for a link …", () => leaveForZoom(app, connection.id)).catch(showError);
  }, kind === "bad" ? "primary" : "");
  const disconnect = button("Disconnect", () => void end(), "danger");
  async function end(): Promise<void> {
    const sure = await confirmed("Disconnect this Zoom account?", "Calls for it stop at once, Zoom is told, and its tokens are deleted.", "Disconnect");
    if (!sure) return;
    await busy(disconnect, "Disconnecting …", async () => {
      const done = await app.api.send<{ revoked_at_zoom: boolean }>("DELETE", `/connections/${encodeURIComponent(connection.id)}`);
      if (app.api.connection === connection.id) app.api.use(null);
      element.removeAttribute("aria-labelledby");
      replace(
        element,
        notice(
          "good",
          "The Zoom account is disconnected.",
          !done.revoked_at_zoom && h("p", {}, "Zoom could not be told. To be sure, remove the app under your Zoom account's installed apps."),
        ),
      );
    }).catch(showError);
  }
  const element = h(
    "article",
    { class: "card", "aria-labelledby": connection.id },
    h("div", { class: "heading" }, h("h2", { id: connection.id }, connection.kind === "user" ? "Zoom user" : "Zoom account"), badge(name, kind)),
    h("p", {}, meaning, connection.reason && ` (${connection.reason.replaceAll("_", " ")})`),
    facts([
      ["Zoom id", h("code", {}, connection.zoom_user_id ?? connection.zoom_account_id)],
      ["Owner", h("code", {}, connection.owner)],
      ["Connected", moment(connection.authorized_at)],
      ["Last used", connection.last_used_at ? relative(connection.last_used_at) : "never"],
      ["In this state", `since ${moment(connection.state_changed_at)}`],
      ["Consent ends", `${relative(connection.grant_expires_at)} if unused (${moment(connection.grant_expires_at)})`],
    ]),
    h("details", {}, h("summary", {}, `${connection.scopes.length} permissions at Zoom`), h("ul", { class: "columns" }, connection.scopes.map((scope) => h("li", {}, h("code", {}, scope))))),
    h("div", { class: "actions" }, reconnect, disconnect),
    trouble,
  );
  return element;
}

export function facts(rows: [string, Child][]): HTMLElement {
  return h("dl", {}, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}
