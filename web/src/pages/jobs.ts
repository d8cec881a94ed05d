/** The jobs of this tenant, newest first. */
import "../jobs/jobs.css";
import { ApiError } from "../api";
import type { Page } from "../app";
import { STATES, count, ended, forecastOf, reasonOf, titleOf, type Job } from "../jobs/model";
import { h, keyed, replace } from "../dom";
import { watch } from "../follow";
import { moment } from "../time";
import { badge, busy, button, empty, heading, link } from "../ui";

interface List {
  jobs: Job[];
  next_page_token?: string;
}
const LOOK_EVERY = 5_000;
const PAGE = 30;
const MOST = 300;
export const OFF = "This installation does no work in bulk: its parameter Jobs is off.";

export const jobs: Page = (place) => {
  const { app, view, signal } = place;
  const list = h("ol", { class: "card flat plain", hidden: true });
  const [status, below] = [h("div"), h("div")];
  replace(view, heading("Jobs", link("jobs/new", "New job", "button primary")), status, list, below);
  const fill = keyed<Job>(list, (job) => job.id, row);
  let size = PAGE;
  const load = async (): Promise<List | null> => {
    try {
      return await app.api.get<List>(`/jobs?page_size=${size}`, signal);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return null;
      throw error;
    }
  };
  const show = (found: List | null): void => {
    list.hidden = !found || found.jobs.length === 0;
    if (!found) return replace(below, empty(OFF));
    fill(found.jobs);
    const more = button("Show more", () => {
      size = Math.min(MOST, size + 2 * PAGE);
      void busy(more, "Loading …", again);
    });
    if (list.hidden) replace(below, empty("There are no jobs yet.", h("p", {}, "A job does one thing for every row of a spreadsheet: plan meetings, register people, create users."), h("p", {}, link("jobs/new", "Make the first one", "button primary"))));
    else replace(below, found.next_page_token && size < MOST && more);
  };
  const again = watch(place, status, { what: "jobs", load, show, every: LOOK_EVERY, settled: (found) => found === null });
};

function row(job: Job): HTMLElement {
  const [name, kind] = STATES[job.state];
  const { rows, failed } = job.progress;
  const said = [rows === null ? "rows not counted yet" : count(rows), failed > 0 && `${failed.toLocaleString()} failed`, job.dry_run && "dry run"].filter(Boolean).join(" · ");
  const standing = ended(job) ? null : (reasonOf(job) ?? forecastOf(job));
  return h(
    "li",
    { class: "entry" },
    h("div", { class: "entry-time" }, h("time", { datetime: job.created_at, class: "quiet" }, moment(job.created_at))),
    h("div", { class: "two" }, h("h2", {}, link(`jobs/${job.id}`, titleOf(job.operation))), h("p", { class: "quiet" }, said), !ended(job) && bar(job), standing && h("p", { class: "quiet" }, standing)),
    h("div", { class: "actions" }, badge(name, kind)),
  );
}

/** A progress bar of finished rows; without a maximum while the number of rows is not known. */
export function bar(job: Job): HTMLElement {
  const { rows, succeeded, failed } = job.progress;
  return h("progress", { "aria-label": "Rows that are through", ...(rows === null ? {} : { max: Math.max(1, rows), value: succeeded + failed }) });
}
