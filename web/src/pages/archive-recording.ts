/** One recording of the archive: the player with the transcript, the chat, and the state of its files. */
import "../archive/archive.css";
import { ApiError } from "../api";
import type { Page, Place } from "../app";
import { STATES, fileName, isOpen, partsOf, reasonOf, type ArchivedFile, type ArchivedRecording, type Chats, type Transcripts } from "../archive/model";
import { player } from "../archive/player";
import { transcript, type TranscriptPanel } from "../archive/transcript";
import { announce, h, isWebAddress, keyed, replace, type Child } from "../dom";
import { bytes } from "../files";
import { orNone, watch } from "../follow";
import { minutes, moment } from "../time";
import { badge, busy, button, confirmed, failure, heading, isSessionEnd, link, section } from "../ui";
import { facts } from "./connections";

const WHILE_MOVING = 4_000;
/** Links expire after five minutes, so this page renews them earlier. */
const RENEWED_EVERY = 240_000;

export const archivedRecording: Page = (place) => {
  const { app, view, params, signal } = place;
  const id = params.id ?? "";
  const path = `/archive/recordings/${id}`;
  const [status, trouble] = [h("div"), h("div")];
  const [about, files, said, chat] = [h("div"), h("div"), h("div"), h("div")];
  const body = h("div", { hidden: true });
  let panel: TranscriptPanel | null = null;
  let latest: ArchivedRecording | null = null;
  let texts = "";
  const showError = (error: unknown): void => {
    if (!signal.aborted && !isSessionEnd(error)) replace(trouble, failure(error));
  };
  const load = (): Promise<ArchivedRecording> => app.api.get<ArchivedRecording>(path, signal);
  const watched = player({
    renew: async () => {
      const found = await load();
      return new Map(found.files.flatMap((file): [string, string][] => (file.url ? [[file.id, file.url]] : [])));
    },
    onTime: (part, at) => panel?.mark(part, at),
    unplayable: "The storage may not answer, or this browser may not know the format. The file itself is below.",
  });
  const playing = h("section", { class: "card", "aria-label": "Player" }, watched.element);
  const nothing = h("p", { class: "quiet" });
  const list = h("ul", { class: "plain" });
  const fill = keyed<ArchivedFile>(list, (file) => file.id, fileRow);
  const retry = button("Try the failed files again", () => {
    void busy(retry, "Asking …", async () => {
      await app.api.send("POST", `${path}/retry`);
      await again();
    }).catch(showError);
  });
  replace(files, list, h("div", { class: "actions" }, retry));
  const remove = button("Delete", () => void end(place, path, latest, showError), "danger");
  replace(view, heading("Recording", link("archive", "All recordings", "button"), remove), trouble, status, body);
  replace(
    body,
    h("div", { class: "watching" }, h("div", {}, playing, nothing, section("Files", "files", files)), h("div", {}, section("Transcript", "transcript", said), section("Chat", "chat", chat))),
    section("About it", "about", about),
  );

  function show(found: ArchivedRecording): void {
    latest = found;
    body.hidden = false;
    titled(view, found.topic || "Recording without a topic");
    replace(about, describe(found));
    fill(found.files.map((file) => ({ ...file, url: null })));
    for (const file of found.files) {
      const anchor = list.querySelector<HTMLAnchorElement>(`a[data-file="${CSS.escape(file.id)}"]`);
      if (anchor && file.url && isWebAddress(file.url)) anchor.href = file.url;
    }
    retry.hidden = !found.files.some((file) => file.state === "failed");
    const parts = partsOf(found.files);
    playing.hidden = parts.length === 0;
    nothing.hidden = parts.length > 0;
    nothing.textContent = parts.length > 0 ? "" : found.files.some((file) => isOpen(file.state)) ? "Nothing can be played yet: the files are on their way." : "The archive has neither video nor sound of it.";
    if (parts.length > 0) watched.update(parts);
    const there = found.files.filter((file) => file.url && ["transcript", "chat"].includes(file.kind)).map((file) => file.id).join();
    if (there !== texts || !said.hasChildNodes()) void showTexts(found);
    texts = there;
  }

  async function showTexts(found: ArchivedRecording): Promise<void> {
    const parts = partsOf(found.files);
    const lines = await text<Transcripts>("transcript", said);
    panel = null;
    if (lines?.transcripts.some(({ turns }) => turns.length > 0)) {
      panel = transcript(lines, parts, (part, at) => watched.seek(part, at));
      replace(said, panel.element);
    } else if (lines) replace(said, h("p", { class: "quiet" }, "Nothing was said, as far as Zoom understood."));
    const written = await text<Chats>("chat", chat);
    if (written) replace(chat, messages(written));
  }

  /** Reads a text of the recording. If that fails, `area` shows why. */
  async function text<T>(kind: "transcript" | "chat", area: HTMLElement): Promise<T | null> {
    try {
      const found = await orNone(app.api.get<T>(`${path}/${kind}`, signal));
      if (!found) replace(area, h("p", { class: "quiet" }, `The archive has no ${kind} of it.`));
      return signal.aborted ? null : found;
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return null;
      if (error instanceof ApiError && error.reason === "too_large") replace(area, h("p", {}, "It is too large for this page: open its file."));
      else replace(area, failure(error, () => void showTexts(latest as ArchivedRecording)));
      return null;
    }
  }

  const every = (): number => (latest && latest.files.some((file) => isOpen(file.state)) ? WHILE_MOVING : RENEWED_EVERY);
  const again = watch(place, status, { what: "the recording", load, show, every });
};

/** Shows the recording's topic as the page's name. The focus stays. */
function titled(view: HTMLElement, title: string): void {
  const place = view.querySelector("h1");
  if (!place || place.textContent === title) return;
  place.textContent = title;
  document.title = `${title} · Zoom gateway`;
}

function describe(found: ArchivedRecording): Child {
  const rows: [string, Child][] = [
    ["Recorded", h("time", { datetime: found.start_time }, moment(found.start_time))],
    ["Duration", found.duration ? minutes(found.duration) : "unknown"],
    ["Host", found.host_email || h("code", {}, found.host_id)],
    ["Meeting", /^\d+$/.test(found.meeting_id) ? link(`meetings/${found.meeting_id}`, found.meeting_id) : found.meeting_id || "unknown"],
    ["In the archive", found.finished_at ? `since ${moment(found.finished_at)}` : "not whole yet"],
    ["At Zoom", found.at_zoom.deleted_at ? `deleted ${moment(found.at_zoom.deleted_at)}` : found.at_zoom.trashed_at ? `in the trash since ${moment(found.at_zoom.trashed_at)}` : "the archive has not deleted it"],
  ];
  return facts(rows);
}

function fileRow(file: ArchivedFile): HTMLElement {
  const [name, kind, meaning] = STATES[file.state];
  const whole = file.size ?? file.declared_size;
  const title = fileName(file);
  const inArchive = file.state === "kept" || file.state === "doubtful";
  return h(
    "li",
    { class: "file" },
    h(
      "div",
      { class: "row" },
      h("span", { class: "two" }, title, h("span", { class: "quiet" }, [file.extension, whole ? bytes(whole) : ""].filter(Boolean).join(" · "))),
      h("span", { class: "actions" }, inArchive && h("a", { href: location.href, target: "_blank", rel: "noopener noreferrer", "data-file": file.id, "aria-label": `Open ${title}` }, "Open"), badge(name, kind)),
    ),
    file.state === "moving" && progress(title, file.moved, whole),
    file.state !== "kept" && h("p", { class: "quiet" }, file.reason ? reasonOf(file.reason) : meaning),
  );
}

function progress(title: string, moved: number, whole: number | null): Child {
  const bar = h("progress", { "aria-label": `${title}, moved`, ...(whole ? { max: whole, value: Math.min(moved, whole) } : { max: 1, value: 0 }) });
  return [bar, h("p", { class: "quiet" }, whole ? `${bytes(moved)} of ${bytes(whole)}` : `${bytes(moved)} so far`)];
}

function messages(found: Chats): Child {
  const all = found.chats.flatMap((each) => each.messages);
  if (all.length === 0) return h("p", { class: "quiet" }, "Nobody wrote anything.");
  return h(
    "ol",
    { class: "plain chat", tabindex: "0", "aria-label": "Messages" },
    all.map((each) => h("li", {}, h("p", {}, h("span", { class: "strong" }, each.sender), " ", h("span", { class: "quiet" }, each.time)), h("p", {}, each.text))),
  );
}

async function end({ app }: Place, path: string, found: ArchivedRecording | null, showError: (error: unknown) => void): Promise<void> {
  if (!found) return;
  const atZoom = found.at_zoom.trashed_at || found.at_zoom.deleted_at ? "Zoom has it no more, or only in its trash: this may be the last copy." : "The recording at Zoom stays as it is.";
  if (!(await confirmed("Delete this recording from the archive?", `Every version of its ${found.files.length} files is deleted here. ${atZoom}`, "Delete"))) return;
  try {
    await app.api.send("DELETE", path);
    announce("Deleted");
    app.go("archive", { replace: true });
  } catch (error) {
    showError(error);
  }
}
