/** The archive of recordings, as the gateway answers. */
import { kindName } from "../files";

export type FileState = "pending" | "moving" | "kept" | "doubtful" | "failed";

export interface Archived {
  id: string;
  uuid: string;
  meeting_id: string;
  topic: string;
  host_id: string;
  host_email: string;
  start_time: string;
  state: FileState;
  file_count: number;
  size: number;
}
export interface ArchivedFile {
  id: string;
  type: string;
  recording_type: string;
  kind: string;
  extension: string;
  size: number | null;
  declared_size: number | null;
  state: FileState;
  /** Bytes that have arrived. */
  moved: number;
  begins: string;
  ends: string;
  content_type: string;
  /** Expires minutes after it was issued. */
  url: string | null;
  reason?: string;
}
export interface ArchivedRecording extends Archived {
  duration: number | null;
  found_at: string | null;
  finished_at: string | null;
  at_zoom: { trashed_at?: string; deleted_at?: string };
  files: ArchivedFile[];
}
export interface Turn {
  /** Milliseconds since the recording began. */
  start: number;
  end: number;
  speaker: string;
  text: string;
}
export interface Transcripts {
  transcripts: { file_id: string; begins: string; turns: Turn[] }[];
}
export interface Chats {
  chats: { file_id: string; begins: string; messages: { time: string; sender: string; text: string }[] }[];
}
export interface Policy {
  enabled: boolean;
  kinds: string[];
  key_template: string;
  storage_class: string;
  lifecycle: { cold_after_days: number } | null;
  retention_days: number | null;
  at_zoom: { keep: boolean; trash_after_days?: number; delete_after_days?: number };
  source: "connection" | "tenant" | "default";
}

/** The name, colour and meaning of each state. */
export const STATES: Record<FileState, [name: string, kind: "good" | "bad" | "warn" | "plain", meaning: string]> = {
  pending: ["Pending", "plain", "It waits for its turn."],
  moving: ["Moving", "plain", "It is on its way from Zoom."],
  kept: ["Kept", "good", "It is in the archive, and its bytes were checked."],
  doubtful: ["Doubtful", "warn", "It is in the archive, but something about it is not as Zoom states it."],
  failed: ["Failed", "bad", "It was given up after many tries."],
};

const REASONS: Record<string, string> = {
  missing_scopes: "The Zoom app lacks a permission: add it there, then reconnect.",
  no_connection: "No connection that reported it is in use.",
  not_at_zoom: "Zoom does not have it, or still processes it.",
  no_answer: "Zoom's storage does not answer.",
  cut: "Zoom's storage ends the transfer half-way.",
  not_a_film: "Zoom sends something that is no film.",
  a_page: "Zoom sends a page instead of the file.",
  declared_size: "Zoom states another size than it sends.",
};

export function reasonOf(reason: string): string {
  return REASONS[reason] ?? `${reason.charAt(0).toUpperCase()}${reason.slice(1).replaceAll("_", " ")}.`;
}

export function isOpen(state: FileState): boolean {
  return state === "pending" || state === "moving";
}

export function fileName(file: Pick<ArchivedFile, "recording_type" | "type">): string {
  return kindName(file.recording_type || file.type);
}

/** Milliseconds since the begin as a clock: 1:02, 1:02:03. */
export function elapsed(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  const [hours, rest] = [Math.floor(seconds / 3600), seconds % 3600];
  const two = (value: number): string => String(value).padStart(2, "0");
  const [minutes, last] = [Math.floor(rest / 60), two(rest % 60)];
  return hours ? `${hours}:${two(minutes)}:${last}` : `${minutes}:${last}`;
}

/** Files that were recorded together: a recording that was stopped and started again has several parts. */
export interface Part {
  begins: string;
  /** The files that can be played, videos first. */
  media: ArchivedFile[];
}

export function partsOf(files: readonly ArchivedFile[]): Part[] {
  const playable = files.filter((file) => file.url && (file.kind === "video" || file.kind === "audio"));
  const begins = [...new Set(playable.map((file) => file.begins))].sort();
  const rank = (file: ArchivedFile): string => `${file.kind === "video" ? 0 : 1}${file.recording_type}`;
  return begins.map((begin) => ({
    begins: begin,
    media: playable.filter((file) => file.begins === begin).sort((one, other) => rank(one).localeCompare(rank(other))),
  }));
}

/** Returns the part for something that began at `begins`: the last part begun by then, else the first. */
export function partOf(parts: readonly Part[], begins: string): number {
  const at = Date.parse(begins);
  const after = parts.findIndex((part) => Date.parse(part.begins) > at + 1000);
  return after < 0 ? Math.max(0, parts.length - 1) : Math.max(0, after - 1);
}

/** Returns the turn at `at` milliseconds. Between two turns it is the one before, and -1 before the first. */
export function currentTurn(turns: readonly Turn[], at: number): number {
  let [low, high] = [0, turns.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((turns[middle] as Turn).start <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Splits a text at each occurrence of `wanted`, so that every second piece is one. Without any, it is one piece. */
export function pieces(text: string, wanted: string): string[] {
  if (!wanted) return [text];
  const pattern = new RegExp(`(${wanted.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")})`, "giu");
  return text.split(pattern);
}
