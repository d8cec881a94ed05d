/** Jobs as the gateway answers them, and their texts. */
import { moment, relative } from "../time";
import OPERATIONS from "./operations.json" with { type: "json" };

export type JobState = "waiting" | "running" | "paused" | "done" | "cancelled" | "failed";

export interface Job {
  id: string;
  operation: string;
  state: JobState;
  reason: string | null;
  dry_run: boolean;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  resumes_at: string | null;
  expires_at: string;
  progress: { rows: number | null; succeeded: number; failed: number; left: number | null };
  rate: { rows_per_second: number | null };
  errors: { kind: string; rows: number }[];
  forecast: { done_at: string | null; seconds_left: number | null; limited_by: string } | null;
  notes?: { failure?: string };
  upload?: { url: string };
}
export interface Operation {
  name: string;
  title: string;
  members: string[];
  destroys?: boolean;
}

export const BACKFILL = "backfill";
export const SYNC = "registrants.sync";
/** The most frequent operations. Any other can be typed. */
export const KNOWN = OPERATIONS as Operation[];

export const STATES: Record<JobState, [name: string, kind: "good" | "bad" | "warn" | "plain"]> = {
  waiting: ["Waiting", "plain"],
  running: ["Running", "good"],
  paused: ["Paused", "warn"],
  done: ["Done", "good"],
  cancelled: ["Cancelled", "plain"],
  failed: ["Failed", "bad"],
};

const REASONS: Record<string, string> = {
  by_request: "Somebody paused it.",
  waiting_for_file: "Its file has not arrived yet.",
  user_daily_limit: "Zoom takes 100 creates and updates a day for each user. It goes on at 00:00 UTC.",
  account_closed_for_the_day: "Zoom takes nothing more of the account today.",
  backfill_budget: "It has used its share of the account's day. It goes on at 00:00 UTC.",
  connection_lost: "The Zoom account is no longer connected: reconnect it, then resume.",
  missing_zoom_scopes: "The Zoom app lacks a permission: add it there and reconnect, then resume.",
  key_revoked: "The key that made it was revoked. Make the job anew.",
  file_unreadable: "Its file cannot be read.",
  file_empty: "Its file has no rows.",
  too_many_rows: "Its file has too many rows.",
};

export function ended(job: Job): boolean {
  return job.state === "done" || job.state === "cancelled" || job.state === "failed";
}

export function titleOf(operation: string): string {
  if (operation === BACKFILL) return "Fetch the past from Zoom";
  return KNOWN.find((each) => each.name === operation)?.title ?? operation;
}

/** Returns why the job is paused, or null where it is not. */
export function reasonOf(job: Job): string | null {
  if (job.notes?.failure) return job.notes.failure;
  return job.reason ? (REASONS[job.reason] ?? `${job.reason.replaceAll("_", " ")}.`) : null;
}

/** Returns the forecast as one sentence, or null where there is none. */
export function forecastOf(job: Job, now = Date.now()): string | null {
  if (!job.forecast || ended(job)) return null;
  const { done_at: at, limited_by: by } = job.forecast;
  if (!at) return "It is done some time after it is resumed.";
  const near = Date.parse(at) - now < 60_000;
  const why = by === "user_daily_limit" ? " Zoom's daily limit for each user decides." : by === "backfill_budget" ? " Its share of the account's day decides." : "";
  return `${near ? "Done within a minute." : `Done ${relative(at, now)}, about ${moment(at)}.`}${why}`;
}

export function words(kind: string): string {
  const text = kind.replaceAll("_", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function count(rows: number): string {
  return rows === 1 ? "1 row" : `${rows.toLocaleString()} rows`;
}
