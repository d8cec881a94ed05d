/** Work in bulk: a file and its columns, a dry run, a job that is watched, and the way back. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import type { Job } from "../src/jobs/model";
import { LONG } from "./meeting-data";
import { expect, look, mocked, open, Refused, test } from "./mocked";
import { stack } from "./stack";

const ID = `job_${"0a".repeat(12)}`;
const NEXT = `job_${"0b".repeat(12)}`;
const NOW = new Date("2026-09-21T14:10:00Z");

test.use({ timezoneId: "UTC" });

function job(more: Partial<Job> = {}): Job {
  return {
    id: ID, operation: "meetings.create", state: "running", reason: null, dry_run: false, created_at: "2026-09-21T14:00:00Z", started_at: "2026-09-21T14:00:05Z", finished_at: null, resumes_at: null, expires_at: "2026-10-21T14:00:00Z",
    progress: { rows: 10_000, succeeded: 6_100, failed: 20, left: 3_880 }, rate: { rows_per_second: 8.25 }, errors: [{ kind: "invalid_row", rows: 18 }, { kind: LONG, rows: 2 }],
    forecast: { done_at: "2026-09-21T14:18:00Z", seconds_left: 480, limited_by: "pace" }, ...more,
  };
}

function done(more: Partial<Job> = {}): Job {
  return job({ state: "done", forecast: null, finished_at: "2026-09-21T14:09:00Z", progress: { rows: 3, succeeded: 3, failed: 0, left: 0 }, errors: [], ...more });
}

/** The bucket that files are sent to: the addresses to which one was. */
async function bucket(page: Page): Promise<string[]> {
  const arrived: string[] = [];
  await page.route(`${new URL(stack().aws_endpoint_url).origin}/**`, async (route) => {
    const headers = { "access-control-allow-origin": "*", "access-control-allow-methods": "PUT", "access-control-allow-headers": "*" };
    if (route.request().method() === "PUT") arrived.push(route.request().url());
    await route.fulfill({ status: 200, headers });
  });
  return arrived;
}

test("jobs are listed with how far they are; none, and none here, are said", async ({ page }) => {
  let answer: unknown = new Refused(404);
  await mocked(page, [[/^\/jobs\?/, () => answer]]);
  await open(page, "jobs");
  await expect(page.getByText("This installation does no work in bulk")).toBeVisible();
  answer = { jobs: [] };
  await open(page, "jobs");
  await expect(page.getByText("There are no jobs yet.")).toBeVisible();
  answer = { jobs: [job(), job({ id: NEXT, operation: `${LONG}.${LONG}`, state: "paused", reason: "connection_lost" }), done({ id: `job_${"1".repeat(24)}`, dry_run: true })] };
  await open(page, "jobs");
  await expect(page.getByRole("listitem").filter({ hasText: "Plan meetings" }).first()).toContainText("20 failed");
  await expect(page.getByText("reconnect it, then resume")).toBeVisible();
  await look(page, "jobs");
});

test("a file of 10,000 rows is dropped, mapped, checked, sent, and run for real", async ({ page }) => {
  const arrived = await bucket(page);
  const upload = { url: `${stack().aws_endpoint_url}/jobs/inputs/x?X-Amz-Expires=3600` };
  let made = 0;
  const sent = await mocked(page, [
    [/^POST \/jobs$/, () => ({ ...done({ id: made++ ? NEXT : ID }), upload })],
    [new RegExp(`^/jobs/${ID}$`), done({ dry_run: true, progress: { rows: 10_000, succeeded: 9_998, failed: 2, left: 0 } })],
    [new RegExp(`^/jobs/${NEXT}$`), job({ id: NEXT })],
  ]);
  await open(page, "jobs/new");
  const lines = Array.from({ length: 10_000 }, (_, index) => `Meeting ${index};31.01.2030 09:30;45;${LONG}`);
  const text = `Thema;Beginn;Dauer;Bemerkung\r\n${lines.join("\r\n")}\r\n`;
  await page.locator(".drop").evaluate((target, content) => {
    const data = new DataTransfer();
    data.items.add(new File([content], "meetings.csv", { type: "text/csv" }));
    target.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
  }, text);
  await expect(page.getByText(/10,000 rows, 4 columns, UTF-8, separated by semicolons/)).toBeVisible();
  await expect(page.getByLabel("“Thema” becomes")).toHaveValue("topic");
  await expect(page.getByLabel("“Beginn” becomes")).toHaveValue("start_time");
  await expect(page.getByLabel("“Bemerkung” becomes")).toHaveValue("");
  await expect(page.getByText("Meeting 0 · Meeting 1 · Meeting 2")).toBeVisible();
  await page.getByLabel("Dates are written").selectOption("de-DE");
  await page.getByLabel("Member 1").fill("timezone");
  await page.getByLabel("Value 1").fill("Europe/Berlin");
  await look(page, "job new");
  await page.getByRole("button", { name: "Check the rows first" }).click();
  await expect(page.getByText("9,998 rows can be used.")).toBeVisible();
  await look(page, "job dry run");
  await page.getByRole("button", { name: "Run it for 10,000 rows" }).press("Enter");
  await expect(page.getByRole("heading", { name: "Plan meetings", exact: true })).toBeVisible();
  const mapping = { columns: { Thema: "topic", Beginn: "start_time", Dauer: "duration" }, defaults: { timezone: "Europe/Berlin" }, locale: "de-DE" };
  expect(sent.map(({ body }) => body)).toEqual([
    { operation: "meetings.create", dry_run: true, mapping, file: {} },
    { operation: "meetings.create", mapping, file: {} },
  ]);
  expect(arrived).toEqual([upload.url, upload.url]);
});

test("a file that did not arrive is sent again for the same job, and a bad one is refused at once", async ({ page }) => {
  const keys: (string | undefined)[] = [];
  await mocked(page, [[/^POST \/jobs$/, { ...done(), upload: { url: `${stack().aws_endpoint_url}/jobs/x` } }], [new RegExp(`^/jobs/${ID}$`), done()]]);
  page.on("request", (request) => request.method() === "POST" && keys.push(request.headers()["idempotency-key"]));
  await page.route(`${stack().aws_endpoint_url}/**`, (route) => route.abort());
  await open(page, "jobs/new");
  const choose = (content: string): Promise<void> => page.getByLabel(/Drop a file/).setInputFiles({ name: "m.csv", mimeType: "text/csv", buffer: Buffer.from(content) });
  await choose("A,A\r\n1,2\r\n");
  await expect(page.getByText("Two columns are called “A”. Rename one.")).toBeVisible();
  await page.getByRole("button", { name: "Run it now" }).click();
  expect(keys).toEqual([]);
  await choose("Topic,Title\r\na,b\r\n");
  await page.getByLabel("“Title” becomes").fill("topic");
  await page.getByRole("button", { name: "Run it now" }).click();
  await expect(page.getByText("Two columns become topic.")).toBeVisible();
  await page.getByLabel("“Title” becomes").fill("");
  await page.getByRole("button", { name: "Run it now" }).click();
  await expect(page.getByRole("alert")).toContainText("The file could not be sent.");
  await page.unroute(`${stack().aws_endpoint_url}/**`);
  await bucket(page);
  await page.getByRole("button", { name: "Run it now" }).click();
  await expect(page.getByRole("heading", { name: "Plan meetings" })).toBeVisible();
  expect(new Set(keys).size).toBe(1);
  expect(keys).toHaveLength(2);
});

test("a job is watched, paused, resumed and cancelled, and says since when it is not up to date", async ({ page }) => {
  await page.clock.install({ time: NOW });
  let state = job();
  const sent = await mocked(page, [
    [/^POST .*\/pause$/, () => (state = job({ state: "paused", reason: "by_request", forecast: { done_at: null, seconds_left: null, limited_by: "by_request" } }))],
    [/^POST .*\/resume$/, () => (state = job())],
    [/^POST .*\/cancel$/, () => (state = job({ state: "cancelled", forecast: null }))],
    [new RegExp(`^/jobs/${ID}$`), () => state],
  ]);
  await open(page, `jobs/${ID}`);
  await expect(page.getByText(/Done in \d minutes, about .*14:18/)).toBeVisible();
  await expect(page.getByRole("progressbar")).toHaveAttribute("value", "6120");
  await look(page, "job");
  await page.getByRole("button", { name: "Pause" }).press("Enter");
  await expect(page.getByText("Somebody paused it.")).toBeVisible();
  await page.getByRole("button", { name: "Resume" }).click();
  await expect(page.locator(".heading .badge")).toHaveText("Running");
  await page.route(`**/jobs/${ID}`, (route) => (route.request().isNavigationRequest() ? route.fallback() : route.abort()));
  await page.clock.runFor(3_000);
  await expect(page.getByText(/Not up to date since/)).toBeVisible();
  await page.unroute(`**/jobs/${ID}`);
  await page.clock.runFor(20_000);
  await expect(page.getByText(/Not up to date since/)).toHaveCount(0);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Let it go on" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Cancel the job" }).click();
  await expect(page.locator(".heading .badge")).toHaveText("Cancelled");
  expect(sent.map(({ path }) => path.split("/").at(-1))).toEqual(["pause", "resume", "cancel"]);
});

test("results are saved as a file, and a job is undone by another one", async ({ page }) => {
  const undo = { operation: "meetings.delete", connection: "con_1", rows: [{ meetingId: "1" }, { meetingId: "2" }] };
  const sent = await mocked(page, [
    [/^POST \/jobs$/, done({ id: NEXT, operation: "meetings.delete" })],
    [/\/undo$/, undo],
    [/\/results\?format=csv$/, "row,state"],
    [new RegExp(`^/jobs/${NEXT}$`), done({ id: NEXT, operation: "meetings.delete" })],
    [new RegExp(`^/jobs/${ID}$`), done()],
  ]);
  await open(page, `jobs/${ID}`);
  const waits = page.waitForEvent("download");
  await page.getByRole("button", { name: "Download results (CSV)" }).click();
  const download = await waits;
  expect([download.suggestedFilename(), await readFile(await download.path(), "utf8")]).toEqual([`${ID}.csv`, '"row,state"']);
  await page.getByRole("button", { name: "Undo …" }).click();
  await expect(page.getByRole("dialog")).toContainText("Delete meetings: 2 rows.");
  await page.getByRole("button", { name: "Undo it" }).click();
  await expect(page.getByRole("heading", { name: "Delete meetings" })).toBeVisible();
  expect(sent).toEqual([{ method: "POST", path: "/jobs", body: undo }]);
});

test("the past is fetched, and registrants are synchronised, without more than they need", async ({ page }) => {
  await bucket(page);
  const sent = await mocked(page, [[/^POST \/jobs$/, done()], [new RegExp(`^/jobs/${ID}$`), done()]]);
  await open(page, "jobs/new");
  await page.getByLabel("For every row").selectOption({ label: "Fetch the past from Zoom" });
  await page.getByLabel("From").fill("2026-01-01");
  await page.getByLabel("Until").fill("2026-06-30");
  await page.getByLabel("Only these people").fill("ada@example.com, grace@example.com");
  await page.getByRole("button", { name: "Run it now" }).click();
  await expect(page).toHaveURL(new RegExp(`/jobs/${ID}$`));
  await open(page, "jobs/new");
  await page.getByLabel("For every row").selectOption("registrants.sync");
  await page.getByLabel("Its number").fill("851 2345 6789");
  await page.getByLabel(/Drop a file/).setInputFiles({ name: "r.csv", mimeType: "text/csv", buffer: Buffer.from("E-Mail,Vorname\r\na@example.com,Ada\r\n") });
  await expect(page.getByLabel("“E-Mail” becomes")).toHaveValue("email");
  await look(page, "job new, registrants");
  await page.getByLabel("Cancel people who are not in the file").check();
  await page.getByRole("button", { name: "Run it now" }).click();
  await page.getByRole("button", { name: "Run it", exact: true }).click();
  await expect(page).toHaveURL(new RegExp(`/jobs/${ID}$`));
  expect(sent.map(({ body }) => body)).toEqual([
    { operation: "backfill", from: "2026-01-01", to: "2026-06-30", users: ["ada@example.com", "grace@example.com"] },
    { operation: "registrants.sync", meeting: "85123456789", remove: true, auto_approve: false, mapping: { columns: { "E-Mail": "email", Vorname: "first_name" } }, file: {} },
  ]);
});
