import type { Admission, Meeting } from "../api";
import { to, type Page } from "../app";
import { announce, h, replace, type Child } from "../dom";
import { moment, relative } from "../time";
import { busy, failure, heading, isSessionEnd, link, notice } from "../ui";
import { joinWith, loadSdk, SdkRefused } from "../zoom-sdk";

/** Joins in this browser. The SDK is loaded while the name is typed; the signature only when the person joins. */
export const join: Page = ({ app, view, params, query, signal }) => {
  const id = params.id ?? "";
  const trouble = h("div");
  const sdk = h("p", { class: "quiet", "data-testid": "sdk" }, "Loading Zoom's meeting client …");
  const root = h("div", { id: "zoom", class: "zoom" });
  const submit = h("button", { type: "submit", class: "primary" }, "Join");
  const person = app.sessions.current()?.person.name ?? "";
  const about = h("div", { class: "about" });
  const passcode = h("div", { class: "field", hidden: true }, h("label", { for: "passcode" }, "Passcode, if there is one"), h("input", { id: "passcode", name: "passcode", maxlength: 32, autocomplete: "off" }));
  const host = h("label", { class: "check", hidden: true }, h("input", { type: "checkbox", name: "host" }), " Start the meeting as its host");
  // The person's own meeting has a name and needs no passcode. Of another one, only the number is known here.
  app.api.get<Meeting>(`/v2/meetings/${id}`, signal).then(
    (meeting) => {
      replace(about, h("p", { class: "strong" }, meeting.topic), meeting.start_time && h("p", { class: "quiet" }, `${moment(meeting.start_time)} · ${relative(meeting.start_time)}`));
      host.hidden = false;
    },
    () => {
      passcode.hidden = false;
    },
  );
  const form = h(
    "form",
    { class: "card narrow" },
    about,
    h("div", { class: "field" }, h("label", { for: "name" }, "Your name in the meeting"), h("input", { id: "name", name: "name", required: true, maxlength: 64, value: sessionStorage.getItem("name") ?? person, autocomplete: "name" })),
    passcode,
    host,
    h("p", { class: "quiet" }, "Zoom asks for camera and microphone in the meeting; you can stay silent and unseen."),
    trouble,
    h("div", { class: "actions" }, submit, link(`meetings/${id}`, "Back to the meeting", "button")),
    sdk,
  );
  replace(view, heading("Join in this browser"), app.settings.simulated_zoom && simulated(`${app.settings.simulated_zoom}/`, id), form, root);
  if (query.has("host")) (host.querySelector("input") as HTMLInputElement).checked = true;

  loadSdk().then(
    () => (sdk.textContent = "Zoom's meeting client is ready."),
    () => (sdk.textContent = "Zoom's meeting client could not be loaded. It is tried again when you join."),
  );

  form.addEventListener("input", () => sessionStorage.setItem("name", String(new FormData(form).get("name"))));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const data = new FormData(form);
    const name = String(data.get("name")).trim();
    replace(trouble);
    void busy(submit, "Joining …", async () => {
      const admission = await app.api.send<Admission>("POST", `/meetings/${id}/sdk-signature`, { role: data.get("host") ? 1 : 0 }, { signal });
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

/** The simulated Zoom has no media, so Zoom's client cannot join. Its own pages let people join. */
function simulated(zoom: string, id: string): HTMLElement {
  const door = (letter: "j" | "s", text: string): HTMLElement =>
    h("a", { href: `${zoom}${letter}/${encodeURIComponent(id)}`, class: "button", target: "_blank", rel: "noopener noreferrer" }, text);
  return h(
    "div",
    { class: "notice plain narrow", "data-testid": "simulated" },
    h("p", { class: "strong" }, "This is the simulated Zoom."),
    h("p", {}, "It has no audio and no video, so Zoom's meeting client below cannot enter its meetings. It has pages of its own to join; whoever joins there shows up here."),
    h("div", { class: "actions" }, door("j", "Join at the simulated Zoom"), door("s", "Start there as the host")),
  );
}

function missing(why: NonNullable<Admission["token_missing"]>): Child {
  return notice(
    "warn",
    "Zoom gave no token for this meeting. Meetings of other companies will not open.",
    h("p", {}, why.message),
    why.missing_scopes && h("p", {}, h("a", { href: why.reconnect_url ?? to("connections") }, "Reconnect Zoom to give the missing permission")),
  );
}
