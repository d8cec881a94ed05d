/** The archive's policy, of everybody or of one connection. */
import "../archive/archive.css";
import { ApiError, type Connection } from "../api";
import type { Page, Place } from "../app";
import type { Policy } from "../archive/model";
import { announce, h, replace, type Child } from "../dom";
import { busy, button, confirmed, empty, failure, heading, isSessionEnd, link, loading, notice } from "../ui";

const KINDS = { video: "Video", audio: "Sound", transcript: "Transcripts", captions: "Captions", chat: "Chat", timeline: "Timelines", summary: "Summaries", other: "Everything else" };
const CLASSES = {
  INTELLIGENT_TIERING: "Intelligent tiering: S3 moves what nobody opens",
  STANDARD: "Standard: for what is opened often",
  STANDARD_IA: "Infrequent access: cheaper, each opening costs",
  GLACIER_IR: "Glacier instant retrieval: cheapest, each opening costs more",
};
const COLD = { "": "Never", 30: "After 30 days", 90: "After 90 days", 180: "After 180 days", 365: "After a year" };
const SOURCES = { connection: "This connection has a policy of its own.", tenant: "This is the policy of everybody.", default: "Nobody has set a policy: nothing is archived." };

export const archivePolicy: Page = async (place) => {
  const { app, view, query, signal } = place;
  const connection = query.get("connection") ?? "";
  const content = h("div", {}, loading("the policy"));
  replace(view, heading("What is archived", link("archive", "All recordings", "button")), chooser(place, connection), content);
  const path = `/archive/policy${connection ? `?connection=${encodeURIComponent(connection)}` : ""}`;
  const load = async (): Promise<void> => {
    try {
      const found = await app.api.get<Policy>(path, signal);
      if (!signal.aborted) replace(content, form(place, path, connection, found, load));
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return;
      if (error instanceof ApiError && error.status === 404 && !connection) replace(content, empty("This installation keeps no archive of recordings: its parameter RecordingArchive is off."));
      else replace(content, failure(error, () => void load()));
    }
  };
  await load();
};

/** Chooses whose policy is shown: everybody's, or that of one connection. */
function chooser({ app, signal }: Place, connection: string): HTMLElement {
  const select = h("select", { id: "whose", onchange: () => app.go(`archive/policy${select.value ? `?connection=${encodeURIComponent(select.value)}` : ""}`) }, h("option", { value: "" }, "Everybody"));
  void app.api
    .get<{ connections: Connection[] }>("/connections?page_size=100", signal)
    .then(({ connections }) => {
      const usable = connections.filter((each) => each.state !== "disconnected" && each.state !== "pending");
      select.append(...usable.map((each) => h("option", { value: each.id, selected: each.id === connection }, `Only ${each.kind === "user" ? "Zoom user" : "Zoom account"} ${each.zoom_user_id ?? each.zoom_account_id}`)));
    })
    .catch(() => undefined); // everybody's policy can be shown without it
  return h("div", { class: "field narrow" }, h("label", { for: "whose" }, "Whose recordings"), select);
}

function form(place: Place, path: string, connection: string, policy: Policy, load: () => Promise<void>): Child {
  const { app, signal } = place;
  const said = h("div");
  const showError = (error: unknown): void => {
    if (!signal.aborted && !isSessionEnd(error)) replace(said, failure(error));
  };
  const check = (name: string, label: string, checked: boolean, value = "on"): HTMLElement => h("label", { class: "check" }, h("input", { type: "checkbox", name, value, checked }), label);
  const field = (name: string, label: string, control: HTMLElement, hint = ""): HTMLElement =>
    h("div", { class: "field" }, h("label", { for: name }, label), control, hint && h("p", { class: "quiet", id: `${name}-hint` }, hint));
  const number = (name: string, label: string, value: number | null | undefined, hint: string): HTMLElement =>
    field(name, label, h("input", { id: name, name, type: "number", min: 1, max: 36_500, step: 1, value: value ?? "", "aria-describedby": `${name}-hint` }), hint);
  const select = (name: string, label: string, options: Record<string, string>, value: string): HTMLElement =>
    field(name, label, h("select", { id: name, name }, Object.entries(options).map(([each, text]) => h("option", { value: each, selected: each === value }, text))));
  const save = h("button", { type: "submit", class: "primary" }, "Save");
  const own = policy.source === "connection";
  const follow = button("Follow the policy of everybody", () => {
    void busy(follow, "Changing …", async () => {
      await app.api.send("DELETE", path);
      await load();
    }).catch(showError);
  });
  const element: HTMLFormElement = h(
    "form",
    { class: "card narrow", onsubmit: submit },
    h("p", { class: "quiet" }, SOURCES[policy.source]),
    check("enabled", "Archive recordings", policy.enabled),
    h("fieldset", {}, h("legend", {}, "Which files"), Object.entries(KINDS).map(([kind, name]) => check("kinds", name, policy.kinds.includes(kind), kind))),
    field("key_template", "Names in the bucket", h("input", { id: "key_template", name: "key_template", required: true, maxlength: 300, value: policy.key_template, "aria-describedby": "key_template-hint", spellcheck: "false" }), "Places: {year} {month} {day} {time} {topic} {host} {meeting_id} {connection} {tenant} {kind} {type} {id} {extension}. {id} is needed."),
    select("storage_class", "Storage class", CLASSES, policy.storage_class),
    select("cold", "Move to Glacier instant retrieval", COLD, String(policy.lifecycle?.cold_after_days ?? "")),
    number("retention_days", "Delete here after days", policy.retention_days, "Empty keeps them."),
    number("trash_after_days", "Move to Zoom's trash after days", policy.at_zoom.trash_after_days, "Empty changes nothing at Zoom. Only recordings whose every file is kept are moved; Zoom empties its trash after 30 days."),
    number("delete_after_days", "Then delete at Zoom for ever after days", policy.at_zoom.delete_after_days, "Empty leaves that to Zoom."),
    said,
    h("div", { class: "actions" }, save, own && follow),
  );

  function submit(event: Event): void {
    event.preventDefault();
    const wanted = read(new FormData(element));
    void (async () => {
      if (!(await sure(policy, wanted))) return;
      await busy(save, "Saving …", async () => {
        await app.api.send("PUT", path, wanted);
        announce("Saved");
        replace(said, notice("good", "Saved.", h("p", {}, "What is archived already follows within the hour.")));
        policy = { ...policy, ...wanted, source: connection ? "connection" : "tenant" };
      });
    })().catch(showError);
  }
  return element;
}

/** Returns the policy in a form. */
export function read(data: FormData): Omit<Policy, "source"> {
  const days = (name: string): number | null => (data.get(name) ? Number(data.get(name)) : null);
  const [trash, gone, cold] = [days("trash_after_days"), days("delete_after_days"), days("cold")];
  return {
    enabled: data.has("enabled"),
    kinds: data.getAll("kinds").map(String),
    key_template: String(data.get("key_template")),
    storage_class: String(data.get("storage_class")),
    lifecycle: cold ? { cold_after_days: cold } : null,
    retention_days: days("retention_days"),
    at_zoom: trash === null && gone === null ? { keep: true } : { keep: false, ...(trash !== null && { trash_after_days: trash }), ...(gone !== null && { delete_after_days: gone }) },
  };
}

/** Asks for confirmation before a policy deletes anything. */
async function sure(before: Policy, wanted: Omit<Policy, "source">): Promise<boolean> {
  const began = (now: number | null | undefined, former: number | null | undefined): boolean => now != null && (former == null || now < former);
  const deletes = [
    began(wanted.retention_days, before.retention_days) && `Copies here are deleted ${wanted.retention_days} days after they were archived, old ones too.`,
    began(wanted.at_zoom.trash_after_days, before.at_zoom.trash_after_days) && `Recordings go into Zoom's trash ${wanted.at_zoom.trash_after_days} days after they were archived.`,
    began(wanted.at_zoom.delete_after_days, before.at_zoom.delete_after_days) && "Zoom's trash is emptied of them for ever.",
  ].filter(Boolean);
  return deletes.length === 0 || confirmed("Delete recordings from now on?", deletes.join(" "), "Save", { keep: "Do not save" });
}
