import type { Page } from "../app";
import { BASE } from "../app";
import { h, replace } from "../dom";
import { SignInFailed } from "../session";
import { button, heading, loading, notice } from "../ui";

/** Asks the person to sign in, and returns to this address. */
export const signIn =
  (ended: boolean): Page =>
  ({ app, view }) => {
    const trouble = h("div");
    const go = async (): Promise<void> => {
      try {
        await app.sessions.signIn(location.pathname + location.search);
      } catch (error) {
        replace(trouble, notice("bad", error instanceof SignInFailed ? error.message : "Signing in does not work right now."));
      }
    };
    replace(
      view,
      heading(ended ? "Your session has ended" : "Welcome"),
      h(
        "div",
        { class: "card narrow" },
        h("p", {}, ended ? "Sign in again to go on where you were. What you typed is kept." : "Connect your Zoom account, plan meetings, see who is there, and join from this browser."),
        h("p", {}, button(ended ? "Sign in again" : "Sign in", () => void go(), "primary")),
        trouble,
      ),
    );
  };

/** Handles the return from the identity provider. */
export const signedIn: Page = async ({ app, view, query }) => {
  replace(view, loading("your session"));
  history.replaceState(null, "", location.pathname); // the code is used up and need not stay in the address
  try {
    const target = await app.sessions.complete(query);
    app.api.recall();
    app.go(target.slice(BASE.length), { replace: true });
  } catch (error) {
    replace(
      view,
      heading("You are not signed in"),
      notice("bad", error instanceof SignInFailed ? error.message : "The identity provider does not answer."),
      h("p", {}, button("Sign in", () => app.go("", { replace: true }), "primary")),
    );
  }
};
