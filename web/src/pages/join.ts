import type { Admission } from "../api";
import type { Page } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { busy, failure, heading, isSessionEnd, link, notice } from "../ui";
import { joinWith, loadSdk, SdkRefused } from "../zoom-sdk";

/** Joins in this browser. The SDK is fetched while the name is typed; the signature only when it is asked for. */
export const join: Page = ({ app, view, params, signal }) => {
  const id = params.id ?? "";
  const trouble = h("div");
  const sdk = h("p", { class: "quiet", "data-testid": "sdk" }, "Loading Zoom's meeting client …");
  const root = h("div", { id: "zoom", class: "zoom" });
  const submit = h("button", { type: "submit", class: "primary" }, "Join");
  const person = app.sessions.current()?.person.name ?? "";
  const form = h(
    "form",
    { class: "card narrow" },
    h("div", { class: "field" }, h("label", { for: "name" }, "Your name in the meeting"), h("input", { id: "name", name: "name", required: true, maxlength: 64, value: sessionStorage.getItem("name") ?? person, autocomplete: "name" })),
    h("div", { class: "field" }, h("label", { for: "passcode" }, "Passcode (only for other people's meetings)"), h("input", { id: "passcode", name: "passcode", maxlength: 32, autocomplete: "off" })),
    h("label", { class: "check" }, h("input", { type: "checkbox", name: "host" }), " Start the meeting as its host"),
    h("p", { class: "quiet" }, "Zoom asks for camera and microphone in the meeting; you can stay silent and unseen."),
    trouble,
    h("div", { class: "actions" }, submit, link(`meetings/${id}`, "Back to the meeting", "button")),
    sdk,
  );
  replace(view, heading("Join in this browser"), form, root);

  loadSdk().then(
    () => (sdk.textContent = "Zoom's meeting client is ready."),
    () => (sdk.textContent = "Zoom's meeting client could not be loaded. It is tried again when you join."),
  );

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const name = String(data.get("name")).trim();
    sessionStorage.setItem("name", name);
    replace(trouble);
    void busy(submit, "Joining …", async () => {
      const admission = await app.api.send<Admission>("POST", `/meetings/${id}/sdk-signature`, { role: data.get("host") ? 1 : 0 }, signal);
      if (admission.token_missing) replace(trouble, missing(admission.token_missing));
      await joinWith(root, admission, { name, passcode: String(data.get("passcode")), signal });
      form.hidden = true;
      announce("You are in the meeting.");
    }).catch((error: unknown) => {
      if (signal.aborted || isSessionEnd(error)) return;
      replace(trouble, error instanceof SdkRefused ? notice("bad", error.message, h("p", {}, `Zoom's reason: ${error.reason}`)) : failure(error));
    });
  });
};

function missing(why: NonNullable<Admission["token_missing"]>): Child {
  return notice(
    "warn",
    "Zoom gave no token for this meeting. Meetings of other companies will not open.",
    h("p", {}, why.message),
    why.missing_scopes && h("p", {}, link("connections", "Reconnect Zoom to give the missing permission")),
  );
}
