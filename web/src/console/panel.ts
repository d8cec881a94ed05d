/** A part of the console with its own request and error. It keeps the last data while requests fail. */
import { ApiError } from "../api";
import type { Place } from "../app";
import { h, replace, type Child } from "../dom";
import { clock } from "../time";
import { button, failure, isSessionEnd, loading, section } from "../ui";
import type { Answer } from "./answers";
import { LOST, type OperatorApi } from "./operator-api";

/** A warning in one sentence, with a link to the part of the page that has more. */
export interface Finding {
  level: "bad" | "warn";
  text: string;
  part: string;
}
/** A number for the head of the page. */
export interface Tile {
  name: string;
  value: string;
  about: string;
  level: "good" | "warn" | "bad" | "plain";
}
export interface Seen {
  tile: Tile;
  findings: Finding[];
}
export interface Context {
  api: OperatorApi;
  place: Place;
  days: number;
  /** Whether this operator may change anything. */
  writes: boolean;
}
export interface Panel<T extends Answer> {
  id: string;
  title: string;
  path: (days: number) => string;
  show: (found: T, context: Context) => Child;
  seen: (found: T) => Seen;
}

/** One panel in the page. `refresh` keeps the content, and shows since when it is old. */
export class PanelView<T extends Answer> {
  readonly element: HTMLElement;
  readonly #content = h("div");
  readonly #state = h("p", { class: "quiet stale" });
  /** Ends the last content: its charts, and its requests for more. */
  #drawn = new AbortController();
  #drawnAt = new Date();
  #last: { found: T; at: Date } | null = null;
  seen: Seen | null = null;
  /** Why the last request failed. */
  trouble: unknown = null;

  constructor(private readonly panel: Panel<T>) {
    this.element = section(panel.title, panel.id, this.#state, this.#content);
    this.element.classList.add("panel");
    replace(this.#content, loading(panel.title.toLowerCase()));
  }

  get id(): string {
    return this.panel.id;
  }

  get title(): string {
    return this.panel.title;
  }

  /** Loads the panel. Returns whether it worked. Throws when the operator's session has ended or lacks the scope. */
  async refresh(context: Context): Promise<boolean> {
    const { signal } = context.place;
    try {
      const found = await context.api.get<T>(this.panel.path(context.days), signal);
      if (signal.aborted) return true;
      const first = this.#last === null; // so far it is empty, or has an error with its button
      this.#last = { found, at: new Date() };
      this.trouble = null;
      this.seen = this.panel.seen(found);
      if (!first && this.#isInUse()) this.#sayAge(context);
      else this.draw(context);
      return true;
    } catch (error) {
      if (signal.aborted) return true;
      if (isSessionEnd(error) || (error instanceof ApiError && LOST.includes(error.reason))) throw error;
      this.trouble = error;
      this.#sayTrouble(error, context);
      return false;
    }
  }

  draw(context: Context): void {
    if (!this.#last) return;
    const { found, at } = this.#last;
    this.#drawn.abort();
    this.#drawn = new AbortController();
    this.#drawnAt = at;
    const signal = AbortSignal.any([context.place.signal, this.#drawn.signal]);
    replace(this.#state, !found.complete && "There is more than could be read in time: these numbers are the least there are.");
    replace(this.#content, this.panel.show(found, { ...context, place: { ...context.place, signal } }));
  }

  /** A list that the person reads or uses is not replaced until they are done. */
  #isInUse(): boolean {
    const open = document.querySelector("dialog[open]") ?? this.#content.querySelector("details[open], [data-more]");
    return open !== null || this.#content.contains(document.activeElement);
  }

  #sayAge(context: Context): void {
    replace(this.#state, `Shown as of ${clock(this.#drawnAt)}, while you look at it. `, button("Update", () => this.draw(context), "small", { "aria-label": `Update ${this.panel.title}` }));
  }

  #sayTrouble(error: unknown, context: Context): void {
    const retry = (): void => void this.refresh(context).catch(() => undefined);
    if (!this.#last) return replace(this.#content, failure(error, retry));
    const why = error instanceof ApiError ? error.message : "It could not be read.";
    replace(this.#state, h("span", { class: "badge warn" }, `Not up to date since ${clock(this.#last.at)}`), ` ${why} `, button("Try again", retry, "small"));
  }
}
