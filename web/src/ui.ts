/** Parts that several pages use. */
import { ApiError } from "./api";
import { to } from "./app";
import { announce, h, replace, type Child } from "./dom";

export function heading(title: string, ...beside: Child[]): HTMLElement {
  document.title = `${title} · Zoom gateway`;
  return h("div", { class: "heading" }, h("h1", { tabindex: "-1" }, title), h("div", { class: "actions" }, ...beside));
}

export function link(path: string, text: string, kind = "", label: string | null = null): HTMLAnchorElement {
  return h("a", { href: to(path), class: kind || null, "aria-label": label }, text);
}

export function button(text: string, onclick: (event: Event) => void, kind = "", extra: Record<string, unknown> = {}): HTMLButtonElement {
  return h("button", { type: "button", class: kind || null, onclick, ...extra }, text);
}

export function loading(what: string): HTMLElement {
  return h("p", { class: "loading", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), `Loading ${what} …`);
}

export function empty(title: string, ...rest: Child[]): HTMLElement {
  return h("div", { class: "empty" }, h("p", { class: "strong" }, title), ...rest);
}

export function notice(kind: "good" | "bad" | "warn", title: string, ...rest: Child[]): HTMLElement {
  return h("div", { class: `notice ${kind}`, role: kind === "good" ? "status" : "alert" }, h("p", { class: "strong" }, title), ...rest);
}

/** An error for people: what happened, what to do, and the request's id. */
export function failure(error: unknown, retry?: () => void): HTMLElement {
  if (!(error instanceof ApiError)) {
    console.error(error instanceof Error ? error.name : "error");
    return notice("bad", "Something went wrong on this page.", h("p", {}, "Reload it to try again."));
  }
  return notice(
    "bad",
    error.message,
    error.hint && h("p", {}, error.hint),
    error.fields.length > 0 && h("ul", {}, error.fields.map((each) => h("li", {}, `${each.field}: ${each.message}`))),
    h(
      "div",
      { class: "actions" },
      error.reconnect && h("a", { href: error.reconnect, class: "button" }, "Reconnect Zoom"),
      error.reason === "no_connection" && link("connect", "Connect a Zoom account", "button"),
      retry && button("Try again", retry),
    ),
    error.requestId && h("p", { class: "quiet" }, `Reference: ${error.requestId}`),
  );
}

/** Shows the result of `load`, a text while it loads, and an error with a button to retry. `again` keeps the content. */
export async function shown<T>(
  place: HTMLElement,
  what: string,
  signal: AbortSignal,
  load: () => Promise<T>,
  show: (content: T) => Child,
  { again = false } = {},
): Promise<void> {
  if (!again) replace(place, loading(what));
  try {
    const content = await load();
    if (!signal.aborted) replace(place, show(content));
  } catch (error) {
    if (signal.aborted || isSessionEnd(error)) return;
    replace(place, failure(error, () => void shown(place, what, signal, load, show)));
  }
}

/** The sign-in page is already on its way. */
export function isSessionEnd(error: unknown): boolean {
  return error instanceof ApiError && error.reason === "session_ended";
}

export function section(title: string, id: string, ...content: Child[]): HTMLElement {
  return h("section", { "aria-labelledby": id, class: "card" }, h("h2", { id }, title), ...content);
}

export function badge(text: string, kind: "good" | "bad" | "warn" | "plain"): HTMLElement {
  return h("span", { class: `badge ${kind}` }, text);
}

/** Asks for confirmation before something that cannot be undone. */
export function confirmed(title: string, text: string, action: string, { keep = "Keep" } = {}): Promise<boolean> {
  return new Promise((resolve) => {
    const dialog = h(
      "dialog",
      { "aria-labelledby": "dialog-title", "aria-describedby": "dialog-text" },
      h("h2", { id: "dialog-title" }, title),
      h("p", { id: "dialog-text" }, text),
      h(
        "div",
        { class: "actions end" },
        button(keep, () => dialog.close("no"), "", { autofocus: true }),
        button(action, () => dialog.close("yes"), "danger"),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Disables a form's button while its work is under way, and shows that. */
export async function busy(submit: HTMLButtonElement, text: string, work: () => Promise<void>): Promise<void> {
  const before = submit.textContent ?? "";
  submit.disabled = true;
  submit.textContent = text;
  announce(text);
  try {
    await work();
  } finally {
    submit.disabled = false;
    submit.textContent = before;
  }
}

/** A button that copies `text`, and shows whether that worked. */
export function copying(name: string, text: string, kind = "link"): HTMLElement {
  const copy = button(name, () => {
    navigator.clipboard.writeText(text).then(
      () => told("Copied"),
      () => told("Your browser does not allow it"),
    );
  }, kind);
  const told = (said: string): void => {
    copy.textContent = said;
    announce(said);
    setTimeout(() => (copy.textContent = name), 4000);
  };
  return copy;
}
