/** One job: its progress, its forecast, what failed, its results, and how to undo it. */
import "../jobs/jobs.css";
import type { Page, Place } from "../app";
import { STATES, count, ended, forecastOf, reasonOf, titleOf, words, type Job } from "../jobs/model";
import { askedFor, startJob, type Asked } from "../jobs/start";
import { announce, h, replace, type Child } from "../dom";
import { watch } from "../follow";
import { saveBlob } from "../save";
import { moment } from "../time";
import { badge, busy, button, confirmed, failure, heading, isSessionEnd, link, notice, section } from "../ui";
import { facts } from "./connections";
import { bar } from "./jobs";

const LOOK_EVERY = 2_000;
/** The most rows in a request. More are sent as a file. */
const MOST_INLINE = 1_000;

interface Undo {
  operation: string;
  connection?: unknown;
  rows: Record<string, unknown>[];
}

export const job: Page = (place) => {
  const { app, view, params, signal } = place;
  const id = params.id ?? "";
  const path = `/jobs/${id}`;
  const [status, trouble, state, next] = [h("div"), h("div"), h("span"), h("div")];
  const [progress, about, errors] = [h("div"), h("div"), h("div")];
  const body = h("div", { class: "list", hidden: true });
  let said = "";
  const showError = (error: unknown): void => {
    if (!signal.aborted && !isSessionEnd(error)) replace(trouble, failure(error));
  };
  const act = (text: string, doing: string, work: () => Promise<unknown>, kind = ""): HTMLButtonElement => {
    const made = button(text, () => {
      replace(trouble);
      void busy(made, doing, async () => {
        await work();
        await again();
      }).catch(showError);
    }, kind);
    return made;
  };
  const change = (name: string) => () => app.api.send("POST", `${path}/${name}`);
  const save = (form: "csv" | "jsonl") => async () => saveBlob(`${id}.${form}`, await app.api.file(`${path}/results?format=${form}`, signal));
  const pause = act("Pause", "Pausing …", change("pause"));
  const resume = act("Resume", "Resuming …", change("resume"), "primary");
  const cancel = act("Cancel", "Cancelling …", async () => {
    if (await confirmed("Cancel this job?", "What it has done stays. It cannot be resumed.", "Cancel the job", { keep: "Let it go on" })) await change("cancel")();
  }, "danger");
  const results = act("Download results (CSV)", "Fetching …", save("csv"));
  const lines = act("As JSON lines", "Fetching …", save("jsonl"), "link");
  const undo = act("Undo …", "Looking …", () => undone(place, path));
  replace(view, heading("Job", state, link("jobs", "All jobs", "button")), status, body);
  replace(
    body,
    section("Progress", "progress", progress, next, h("div", { class: "actions" }, pause, resume, cancel), trouble),
    section("Results", "results", errors, h("div", { class: "actions" }, results, lines, undo)),
    section("About it", "about", about),
  );

  function show(found: Job): void {
    body.hidden = false;
    const title = `${titleOf(found.operation)}${found.dry_run ? " (dry run)" : ""}`;
    const place = view.querySelector("h1");
    if (place && place.textContent !== title) place.textContent = title;
    document.title = `${title} · Zoom gateway`;
    const [name, kind] = STATES[found.state];
    replace(state, badge(name, kind));
    if (said && said !== name) announce(name);
    said = name;
    replace(progress, through(found));
    replace(errors, failures(found));
    replace(about, describe(found));
    pause.hidden = !["waiting", "running"].includes(found.state);
    resume.hidden = found.state !== "paused";
    cancel.hidden = ended(found);
    results.disabled = lines.disabled = found.progress.rows === null;
    undo.hidden = found.dry_run || found.progress.succeeded === 0;
    const asked = found.dry_run && found.state === "done" ? askedFor(id) : undefined;
    if (found.dry_run && found.state === "done" && !next.hasChildNodes()) replace(next, afterDryRun(found, asked));
  }

  function afterDryRun(found: Job, asked: Asked | undefined): Child {
    const good = found.progress.succeeded;
    const well = found.progress.failed === 0 ? "Every row can be used." : `${count(good)} can be used. The others fail alone; the results say why.`;
    if (!asked) return notice("good", well, h("p", {}, link("jobs/new", "Choose the file again to run it", "button")));
    const run: HTMLButtonElement = button(`Run it for ${count(found.progress.rows ?? 0)}`, () => {
      void busy(run, "Starting …", async () => {
        const { dry_run: _, ...real } = asked.body;
        const made = await startJob(app.api, { ...asked, body: real, key: crypto.randomUUID() });
        app.go(`jobs/${made.id}`);
      }).catch(showError);
    }, "primary");
    return notice("good", well, good > 0 && h("p", {}, run));
  }

  const again = watch(place, status, { what: "the job", load: () => app.api.get<Job>(path, signal), show, every: LOOK_EVERY, settled: ended });
};

function through(job: Job): Child {
  const { rows, succeeded, failed, left } = job.progress;
  const pace = job.rate.rows_per_second;
  const reason = reasonOf(job);
  const number = (value: number | null, name: string): HTMLElement => h("div", {}, h("div", { class: "strong" }, value === null ? "?" : value.toLocaleString()), h("div", { class: "quiet" }, name));
  return [
    h("div", { class: "bar" }, bar(job)),
    h("div", { class: "numbers" }, number(rows, "rows"), number(succeeded, job.dry_run ? "can be used" : "done"), number(failed, "failed"), number(left, "left")),
    reason && h("p", {}, reason, job.resumes_at && ` It goes on by itself ${moment(job.resumes_at)}.`),
    h("p", { class: "quiet" }, [forecastOf(job), pace !== null && job.state === "running" && `${pace.toLocaleString(undefined, { maximumFractionDigits: 1 })} rows a second.`, job.finished_at && `Ended ${moment(job.finished_at)}.`].filter(Boolean).join(" ")),
  ];
}

function failures(job: Job): Child {
  if (job.errors.length === 0) return h("p", { class: "quiet" }, "No row has failed.");
  return h(
    "div",
    { class: "errors" },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Why rows failed"), h("th", { scope: "col", class: "number" }, "Rows"))),
      h("tbody", {}, job.errors.map((each) => h("tr", {}, h("th", { scope: "row" }, words(each.kind)), h("td", { class: "number" }, each.rows.toLocaleString())))),
    ),
  );
}

function describe(job: Job): Child {
  return facts([
    ["Operation", h("code", {}, job.operation)],
    ["Made", moment(job.created_at)],
    ["Started", job.started_at ? moment(job.started_at) : "not yet"],
    ["Kept until", moment(job.expires_at)],
    ["Id", h("code", {}, job.id)],
  ]);
}

/** Reads the list that undoes the job, asks for confirmation, and opens the job that does it. */
async function undone({ app }: Place, path: string): Promise<void> {
  const found = await app.api.get<Undo>(`${path}/undo`);
  const text = `${titleOf(found.operation)}: ${count(found.rows.length)}. This is a job of its own, and cannot be undone in turn.`;
  if (found.rows.length === 0 || !(await confirmed("Undo what this job made?", text, "Undo it"))) return;
  const { rows, ...body } = found;
  const small = rows.length <= MOST_INLINE;
  const file = small ? null : new Blob(rows.map((row) => `${JSON.stringify(row)}\n`), { type: "application/x-ndjson" });
  const made = await startJob(app.api, { body: small ? found as unknown as Record<string, unknown> : body, file, key: crypto.randomUUID() });
  app.go(`jobs/${made.id}`);
}
