/** Dead letters: their queues, their content, and moving them back or discarding them. */
import { announce, h, replace, type Child } from "../dom";
import { badge, busy, button, failure, isSessionEnd, loading, notice } from "../ui";
import type { DeadLetters, Messages, Moved } from "./answers";
import { count, sum } from "./charts";
import { headings, plural } from "./connections";
import type { Context, Panel } from "./panel";

/** What a queue's dead letters mean. */
const MEANING: Record<string, string> = {
  ingest: "Events from Zoom that could not be processed. Nothing is lost: they go on when they are sent back.",
  "integration-events": "Published events that a consumer of the events queue could not handle.",
  refresh: "Refreshes that could not be carried out. The sweep finds those connections again.",
  escrow: "New tokens that could not be stored, and grants to revoke. Send these back first.",
  reconcile: "Comparisons with Zoom's reports that failed.",
  erasure: "Erasures that are not finished. Somebody waits for their receipt.",
  delivery: "Events that could not be handed to subscriptions.",
  redelivery: "Subscriptions that could not be worked on.",
  "archive-events": "Recordings that could not be looked at.",
  archive: "Files of recordings that could not be moved.",
};

export const deadLetters: Panel<DeadLetters> = {
  id: "dead-letters",
  title: "Dead letters",
  path: () => "dead-letters",
  seen(found) {
    const dead = sum(found.queues.map((each) => each.dead_letters));
    return {
      tile: { name: "Dead letters", value: count(dead), about: dead ? found.queues.filter((each) => each.dead_letters).map((each) => each.queue).join(", ") : "no queue has any", level: dead ? "bad" : "good" },
      findings: found.queues.filter((each) => each.dead_letters).map((each) => ({ level: "bad", text: `${plural(each.dead_letters, "dead letter", "dead letters")} in ${each.queue}.`, part: "dead-letters" }) as const),
    };
  },
  show(found, context) {
    const with_ = found.queues.filter((each) => each.dead_letters);
    const waiting = found.queues.filter((each) => each.waiting);
    return [
      with_.length === 0 ? h("p", {}, badge("None", "good"), " Every message was handled.") : with_.map((each) => queue(each, context)),
      waiting.length > 0 && h("p", { class: "quiet" }, `Waiting in queues: ${waiting.map((each) => `${each.queue} ${count(each.waiting)}`).join(", ")}.`),
    ];
  },
};

function queue(of: DeadLetters["queues"][number], context: Context): HTMLElement {
  const content = h("div");
  const said = h("div");
  const left = badge(count(of.dead_letters), "bad");
  const details = h("details", { ontoggle: () => void open() }, h("summary", {}, "Look at them"), content);
  let asked = false;
  async function open(): Promise<void> {
    if (!details.open || asked) return;
    asked = true;
    replace(content, loading("messages"));
    try {
      const found = await context.api.get<Messages>(`dead-letters/${of.queue}`, context.place.signal);
      replace(content, table(found, context, done));
    } catch (error) {
      asked = false;
      if (!context.place.signal.aborted && !isSessionEnd(error)) replace(content, failure(error));
    }
  }
  const done = (action: string, moved: Moved): void => {
    const text = `${plural(moved.done, "message was", "messages were")} ${action}. ${moved.left ? `About ${count(moved.left)} left.` : "None is left."}`;
    replace(said, notice("good", text));
    announce(text);
    left.textContent = count(moved.left); // SQS counts approximately; the next reading corrects it
    details.open = false;
    asked = false;
  };
  return h(
    "article",
    { class: "queue", "aria-label": `Queue ${of.queue}` },
    h("div", { class: "row" }, h("h3", {}, h("code", {}, of.queue), " ", left), context.writes && buttons(of.queue, null, context, done)),
    h("p", { class: "quiet" }, MEANING[of.queue] ?? ""),
    details,
    said,
  );
}

function table(found: Messages, context: Context, done: (action: string, moved: Moved) => void): Child {
  if (!found.messages.length) return h("p", {}, "They are being looked at by somebody else, or are gone. Look again in two minutes.");
  return [
    !found.complete && h("p", { class: "quiet" }, "There are more: these are the first."),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Messages of ${found.queue}` },
      h(
        "table",
        { class: "rows" },
        headings("Message", "What it is", "Tries", ...(context.writes ? ["Do"] : [])),
        h(
          "tbody",
          {},
          found.messages.map(({ id, received, ...about }) =>
            h(
              "tr",
              {},
              h("th", { scope: "row" }, h("code", {}, id)),
              h("td", { class: "wide" }, Object.entries(about).map(([name, value]) => h("span", { class: "pair-of" }, h("span", { class: "quiet" }, `${name.replaceAll("_", " ")} `), String(value)))),
              h("td", { class: "number" }, received ?? "–"),
              context.writes && h("td", {}, buttons(found.queue, [id], context, done)),
            ),
          ),
        ),
      ),
    ),
  ];
}

/** Acts on some messages, or (null) on all of a queue. */
function buttons(name: string, ids: string[] | null, context: Context, done: (action: string, moved: Moved) => void): HTMLElement {
  const trouble = h("div");
  const what = ids ? { ids } : { all: true };
  const whose = ids ? `message ${ids[0]}` : `all of ${name}`;
  async function move(on: HTMLButtonElement, action: "redrive" | "discard", more: object, past: string): Promise<void> {
    replace(trouble);
    await busy(on, "Working …", async () => done(past, await context.api.send<Moved>("POST", `dead-letters/${name}/${action}`, { ...what, ...more }))).catch((error: unknown) => {
      if (!isSessionEnd(error)) replace(trouble, failure(error));
    });
  }
  const back = button(ids ? "Send back" : "Send all back", () => void sure(), "small", { "aria-label": `Send back ${whose}` });
  const away = button(ids ? "Discard" : "Discard all", () => void why(), "small danger", { "aria-label": `Discard ${whose}` });
  async function sure(): Promise<void> {
    const reason = await asked(`Send back ${whose}?`, "Each goes to the queue it came from, and is tried again. Do it once the cause is gone.", "Send back", false);
    if (reason !== null) await move(back, "redrive", {}, "sent back");
  }
  async function why(): Promise<void> {
    const reason = await asked(`Discard ${whose}?`, "They are deleted for good. Who did it and why goes to the log.", "Discard", true);
    if (reason !== null) await move(away, "discard", { reason }, "discarded");
  }
  return h("div", { class: "actions" }, back, away, trouble);
}

/** Asks for confirmation, and for a reason where one is needed. Returns null for no. */
function asked(title: string, text: string, action: string, withReason: boolean): Promise<string | null> {
  return new Promise((resolve) => {
    const reason = h("input", { id: "why", maxlength: 200, required: true, autocomplete: "off" });
    const form = h(
      "form",
      { method: "dialog", onsubmit: () => dialog.close("yes") },
      h("h2", { id: "asked-title" }, title),
      h("p", { id: "asked-text" }, text),
      withReason && h("div", { class: "field" }, h("label", { for: "why" }, "Why they may be lost"), reason),
      h("div", { class: "actions end" }, button("Keep", () => dialog.close("no"), "", { autofocus: !withReason }), h("button", { type: "submit", class: withReason ? "danger" : "primary" }, action)),
    );
    const dialog = h("dialog", { "aria-labelledby": "asked-title", "aria-describedby": "asked-text" }, form);
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes" ? reason.value.trim() : null);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
