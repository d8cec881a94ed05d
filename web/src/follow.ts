/** Keeps a part of a page up to date with what the gateway knows from Zoom's events: looking there costs no call to Zoom. */
import { ApiError } from "./api";
import { repeat, type Place } from "./app";

/** Recordings and registrants change less often than who is there. */
const FOLLOW_EVERY = 10_000;

/** Loads once, and again whenever the answer at `path` has changed. `again` says that there is something to keep. */
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

/** Nothing there is an answer, not an error. */
export async function orNone<T>(asked: Promise<T>): Promise<T | null> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return null;
    throw error;
  }
}
