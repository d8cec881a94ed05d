import type { Connection } from "../api";
import type { App, Page } from "../app";
import { append, h, replace, type Child } from "../dom";
import { zoomPerson } from "../people";
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

const OTHER_APP: (typeof STATES)[Connection["state"]] = ["Not in use", "bad", "It was made with another Zoom app than this service uses now. Reconnect to use it."];

interface List {
  connections: Connection[];
  next_page_token?: string;
}

/** The states of the Zoom accounts that this person may see. */
export const connections: Page = async ({ app, view, signal }) => {
  const list = h("div", { class: "list" });
  const below = h("div");
  replace(view, heading("Connections", link("connect", "Connect a Zoom account", "button primary")), list, below);
  const page = (token: string): Promise<List> => {
    const query = new URLSearchParams({ page_size: "50", ...(token && { next_page_token: token }) });
    return app.api.get<List>(`/connections?${query}`, signal);
  };
  const show = ({ connections: found, next_page_token: next }: List): Child => {
    append(list, found.map((each) => card(app, each)));
    if (list.childElementCount === 0) return empty("No Zoom account is connected yet.", h("p", {}, link("connect", "Connect a Zoom account", "button primary")));
    return next && button("Show more", () => void more(next));
  };
  const more = (token: string): Promise<void> => shown(below, "connections", signal, () => page(token), show);
  await more("");
};

function card(app: App, connection: Connection): HTMLElement {
  const [name, kind, usual] = connection.of_another_app ? OTHER_APP : STATES[connection.state];
  const refused = connection.kind === "account" && connection.state === "reauthorization_required";
  const meaning = refused ? "Zoom no longer accepts the credentials of its app. Whoever runs this service gives new ones." : usual;
  const trouble = h("div");
  const showError = (error: unknown): void => {
    if (!isSessionEnd(error)) replace(trouble, failure(error));
  };
  const reconnect = button("Reconnect", () => {
    void busy(reconnect, "Asking for a link …", () => leaveForZoom(app, connection.id)).catch(showError);
  }, kind === "bad" ? "primary" : "");
  const disconnect = button("Disconnect", () => void end(), "danger");
  async function end(): Promise<void> {
    const sure = await confirmed("Disconnect this Zoom account?", "Calls for it stop at once, its tokens are revoked at Zoom and deleted.", "Disconnect");
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
          !done.revoked_at_zoom && h("p", {}, "Zoom did not answer. To be sure, remove the app under your Zoom account's installed apps."),
        ),
      );
    }).catch(showError);
  }
  const title = h("h2", { id: connection.id }, connection.kind === "user" ? "Zoom user" : "Zoom account");
  const email = h("p", { class: "quiet" });
  void zoomPerson(app.api, connection).then((person) => {
    if (!person) return;
    title.textContent = person.name;
    email.textContent = person.email;
  });
  const lacking = connection.missing_scopes ?? [];
  const element = h(
    "article",
    { class: "card", "aria-labelledby": connection.id },
    h("div", { class: "heading" }, h("div", {}, title, email), badge(name, kind)),
    h("p", {}, meaning, connection.reason && ` (${connection.reason.replaceAll("_", " ")})`),
    facts([
      ["Zoom id", h("code", {}, connection.zoom_user_id ?? connection.zoom_account_id)],
      ["Owner", h("code", {}, connection.owner)],
      ["Connected", moment(connection.authorized_at)],
      ["Last used", connection.last_used_at ? relative(connection.last_used_at) : "never"],
      ["Last event", connection.last_webhook_at ? relative(connection.last_webhook_at) : "none yet"],
      ["In this state", `since ${moment(connection.state_changed_at)}`],
      ["Consent ends", connection.grant_expires_at ? `${relative(connection.grant_expires_at)} if unused (${moment(connection.grant_expires_at)})` : "never by itself"],
    ]),
    permissions(`${connection.scopes.length} permissions at Zoom`, connection.scopes),
    lacking.length > 0 && permissions(`${lacking.length} that Zoom did not give`, lacking),
    h("div", { class: "actions" }, connection.kind === "user" && reconnect, disconnect),
    trouble,
  );
  return element;
}

function permissions(title: string, scopes: string[]): HTMLElement {
  return h("details", {}, h("summary", {}, title), h("ul", { class: "columns" }, scopes.map((scope) => h("li", {}, h("code", {}, scope)))));
}

export function facts(rows: [string, Child][]): HTMLElement {
  return h("dl", {}, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}
