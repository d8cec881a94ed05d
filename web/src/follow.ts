/** Keeps a part of a page up to date from the gateway's events, which costs no call to Zoom. */
import { ApiError } from "./api";
import { repeat, type Place } from "./app";
import { h, replace } from "./dom";
import { clock } from "./time";
import { failure, isSessionEnd, loading, notice } from "./ui";

/** Recordings and registrants change less often than participants. */
const FOLLOW_EVERY = 10_000;

/** Loads once, and again whenever the answer at `path` has changed. `again` means that there is content to keep. */
export function follow(place: Place, path: string, load: (again: boolean) => Promise<void>): void {
  let known: string | null = null;
  repeat(place.signal, FOLLOW_EVERY, async () => {
    try {
      const seen = JSON.stringify(await orNone(place.app.api.get(path, place.signal)));
      if (seen !== known) await load(known !== null);
      known = seen;
      return true;
    } catch {
      if (known === null && !place.signal.aborted) await load(false); // the events cannot be read; Zoom may answer
      known ??= "";
      return false;
    }
  });
}

export interface Watched<T> {
  /** The name of the content, as in "Loading recordings …". */
  what: string;
  load: () => Promise<T>;
  show: (content: T) => void;
  /** Milliseconds until it is read again. */
  every: number | (() => number);
  /** Whether an answer will not change any more by itself. */
  settled?: (content: T) => boolean;
}

/**
 * Loads content and keeps it up to date. `status` shows that it loads, that it failed, or since when it is old; the former
 * content of `show` stays meanwhile. Returns a function that reads again at once.
 */
export function watch<T>(place: Place, status: HTMLElement, { what, load, show, every, settled }: Watched<T>): () => Promise<void> {
  const { signal } = place;
  let shown = false;
  let done = false;
  let updated = new Date();
  const look = async (): Promise<boolean> => {
    try {
      const found = await load();
      if (signal.aborted) return true;
      [shown, done, updated] = [true, settled?.(found) ?? false, new Date()];
      replace(status);
      show(found);
      return true;
    } catch (error) {
      if (signal.aborted || isSessionEnd(error)) return true;
      const reason = error instanceof ApiError ? error.message : "It could not be looked at.";
      if (shown) replace(status, notice("warn", `Not up to date since ${clock(updated)}.`, h("p", {}, `${reason} It is tried again by itself.`)));
      else replace(status, failure(error, () => void again()));
      return false;
    }
  };
  const again = async (): Promise<void> => {
    if (!shown) replace(status, loading(what));
    await look();
  };
  replace(status, loading(what));
  repeat(signal, every, () => (done ? Promise.resolve(true) : look()));
  return again;
}

/** A 404 is an answer here, not an error. */
export async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
