/** What every page receives: the API, the session, a function to navigate, and a signal that is aborted with the page. */
import type { Api } from "./api";
import type { Sessions } from "./session";
import type { Settings } from "./settings";

export interface App {
  api: Api;
  sessions: Sessions;
  settings: Settings;
  /** Goes to a path below the base, such as `meetings/85123456789`. */
  go(path: string, options?: { replace?: boolean }): void;
}

export interface Place {
  app: App;
  view: HTMLElement;
  params: Record<string, string>;
  query: URLSearchParams;
  /** Aborted when the page is left. */
  signal: AbortSignal;
}

export type Page = (place: Place) => void | Promise<void>;

export const BASE = import.meta.env.BASE_URL;

/** The address of a path of this app. */
export function to(path: string): string {
  return BASE + path;
}

/** Runs `work` repeatedly while the page is open and visible; less often while it fails. */
export function repeat(signal: AbortSignal, milliseconds: number | (() => number), work: () => Promise<boolean>): void {
  let failures = 0;
  let timer = 0;
  let running = false;
  async function turn(): Promise<void> {
    if (signal.aborted || running) return;
    window.clearTimeout(timer);
    if (document.visibilityState === "visible") {
      running = true;
      failures = (await work()) ? 0 : failures + 1;
      running = false;
    }
    const pause = typeof milliseconds === "number" ? milliseconds : milliseconds();
    if (!signal.aborted) timer = window.setTimeout(() => void turn(), pause * Math.min(2 ** failures, 8));
  }
  const now = (): void => void turn();
  document.addEventListener("visibilitychange", now, { signal });
  window.addEventListener("online", now, { signal });
  signal.addEventListener("abort", () => window.clearTimeout(timer));
  now();
}
