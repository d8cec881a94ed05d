import type { Connection } from "../api";
import { ApiError } from "../api";
import { BASE, type App, type Page } from "../app";
import { h, replace } from "../dom";
import { failure, button, busy, heading, isSessionEnd, link, loading, notice } from "../ui";

/** Redirects to Zoom through the gateway, which makes the link and checks the return. */
export async function leaveForZoom(app: App, connection: string | null): Promise<void> {
  const path = connection ? `/connections/${encodeURIComponent(connection)}/reconnect` : "/auth/zoom/authorize";
  const { authorize_url: url } = await app.api.send<{ authorize_url: string }>("POST", path, {
    return_url: `${location.origin}${BASE}connected`,
  });
  location.assign(url);
}

export const connect: Page = ({ app, view, query }) => {
  const former = query.get("connection");
  const trouble = h("div");
  const text = former ? "Reconnect Zoom" : "Connect Zoom";
  const go = button(text, () => {
    void busy(go, "Asking for a link …", () => leaveForZoom(app, former)).catch((error: unknown) => {
      if (!isSessionEnd(error)) replace(trouble, failure(error));
    });
  }, "primary");
  replace(
    view,
    heading(former ? "Reconnect your Zoom account" : "Connect your Zoom account"),
    h(
      "div",
      { class: "card narrow" },
      h("p", {}, "You go to Zoom, sign in there, and see what access is asked for. Then you come back here."),
      h("ul", {}, h("li", {}, "Your Zoom password stays with Zoom."), h("li", {}, "You can disconnect at any time.")),
      h("p", {}, go),
      trouble,
    ),
  );
};

/** Handles the return. Only the session that asked can redeem the connection, and it does so here. */
export const connected: Page = async ({ app, view, query, signal }) => {
  const code = query.get("code") ?? "";
  if (!code) {
    app.go("connections", { replace: true }); // reloaded, or opened from a bookmark: that page shows the result
    return;
  }
  replace(view, heading("Connecting …"), loading("the connection"));
  history.replaceState(null, "", location.pathname); // the code works once and need not stay in the address
  try {
    const connection = await app.api.send<Connection>("POST", "/auth/zoom/redeem", { code });
    if (signal.aborted) return;
    app.api.use(connection.id);
    replace(
      view,
      heading("Zoom is connected"),
      notice("good", "Your Zoom account works here now.", h("p", {}, link("", "Go to your meetings", "button primary"))),
    );
    view.querySelector("h1")?.focus();
  } catch (error) {
    if (signal.aborted) return;
    if (isSessionEnd(error)) {
      history.replaceState(null, "", `${location.pathname}?${query}`);
      return;
    }
    const spent = error instanceof ApiError && error.status === 404;
    replace(
      view,
      heading("Zoom is not connected"),
      spent
        ? notice("bad", "This step was done already, took too long, or was started by somebody else.")
        : failure(error),
      h("p", {}, link("connect", "Start again", "button primary")),
    );
  }
};
