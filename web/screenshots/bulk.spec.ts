/** The pictures of the archive, of jobs and of subscriptions, with more in them than a test run makes. */
import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { expect, mocked, open, test } from "../tests/mocked";
import { stack } from "../tests/stack";

const FOLDER = resolve(import.meta.dirname, "../../docs/images/web");
const REC = `rec_${"0a".repeat(16)}`;
const JOB = `job_${"0a".repeat(12)}`;
const SUB = `sub_${"0a".repeat(16)}`;
const NOW = new Date("2026-09-21T16:10:00Z");

test.use({ timezoneId: "Europe/Vienna" });

async function shot(page: Page, name: string, height = 850): Promise<void> {
  await page.setViewportSize({ width: 1200, height });
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: "disabled" });
}

function file(kind: string, recording_type: string, more: object = {}): object {
  const url = `${stack().aws_endpoint_url}/archive/${kind}`;
  return { id: recording_type, type: "MP4", recording_type, kind, extension: "MP4", size: 812_400_000, declared_size: 812_400_000, state: "kept", moved: 812_400_000, begins: "2026-09-21T14:00:00Z", ends: "2026-09-21T14:45:00Z", content_type: "video/mp4", url, ...more };
}

test("a recording", async ({ page }) => {
  const turn = (start: number, speaker: string, text: string): object => ({ start: start * 1000, end: (start + 9) * 1000, speaker, text });
  const turns = [
    turn(4, "Jill Chill", "Welcome, everybody. Let us begin with what shipped since last week."),
    turn(15, "Ada Lovelace", "The engine ships on Monday. Two tests are open, and Grace has both of them."),
    turn(31, "Grace Hopper", "One was a moth in the relay. The other is a rounding that I can show you now."),
    turn(48, "Jill Chill", "Please do. After that we look at the plan for October."),
    turn(60, "Alan Turing", "Before that: does anybody object if I run it on the new machine?"),
  ];
  const files = [file("video", "shared_screen_with_speaker_view"), file("audio", "audio_only", { extension: "M4A", size: 41_200_000 }), file("transcript", "audio_transcript", { extension: "VTT", size: 61_000 }), file("summary", "summary", { state: "moving", url: null, extension: "JSON", moved: 9_000, size: null, declared_size: 21_000 })];
  const found = { id: REC, uuid: "u", meeting_id: "85123456789", topic: "Product round", host_id: "h", host_email: "jill@example.com", start_time: "2026-09-21T14:00:00Z", state: "moving", file_count: 4, size: 853_000_000, duration: 45, found_at: null, finished_at: null, at_zoom: {}, files };
  const chats = [{ file_id: "c", begins: "2026-09-21T14:00:00Z", messages: [{ time: "00:01:12", sender: "Grace Hopper", text: "The notebook is in the wiki." }] }];
  await page.route(`${stack().aws_endpoint_url}/archive/**`, () => undefined); // it loads, as long as the picture is taken
  await mocked(page, [[/\/transcript$/, { transcripts: [{ file_id: "t", begins: "2026-09-21T14:00:00Z", turns }] }], [/\/chat$/, { chats }], [new RegExp(`^/archive/recordings/${REC}$`), found]]);
  await open(page, `archive/${REC}`);
  await expect(page.getByText("The notebook is in the wiki.")).toBeVisible();
  await page.getByLabel("Search in what was said").fill("that");
  await shot(page, "archive-recording", 1000);
});

test("jobs", async ({ page }) => {
  await page.clock.setFixedTime(NOW);
  const job = {
    id: JOB, operation: "meetings.create", state: "running", reason: null, dry_run: false, created_at: "2026-09-21T15:52:00Z", started_at: "2026-09-21T15:52:04Z", finished_at: null, resumes_at: null, expires_at: "2026-10-21T15:52:00Z",
    progress: { rows: 10_000, succeeded: 7_120, failed: 14, left: 2_866 }, rate: { rows_per_second: 6.6 }, errors: [{ kind: "invalid_row", rows: 12 }, { kind: "user_unknown", rows: 2 }], forecast: { done_at: "2026-09-21T16:17:14Z", seconds_left: 434, limited_by: "pace" },
  };
  await mocked(page, [[new RegExp(`^/jobs/${JOB}$`), job]]);
  await open(page, `jobs/${JOB}`);
  await expect(page.getByText(/Done in 7 minutes/)).toBeVisible();
  await shot(page, "job");
  await open(page, "jobs/new");
  const lines = Array.from({ length: 10_000 }, (_, index) => `Tutorial ${index + 1};${(index % 28) + 1}.01.2030 09:30;45;jill@example.com;Room ${index % 12}`);
  const buffer = Buffer.from(`Thema;Beginn;Dauer;Gastgeber;Raum\r\n${lines.join("\r\n")}\r\n`);
  await page.getByLabel(/Drop a file/).setInputFiles({ name: "tutorials.csv", mimeType: "text/csv", buffer });
  await expect(page.getByText(/10,000 rows, 5 columns/)).toBeVisible();
  await page.getByLabel("Dates are written").selectOption("de-DE");
  await shot(page, "job-new", 1150);
});

test("a subscription", async ({ page }) => {
  await page.clock.setFixedTime(NOW);
  const health = { failures: 0, failing_since: null, retry_at: null, slow: false, recent: { deliveries: 100, delivered: 97, retrying: 2, failed: 1, median_ms: 84, last_delivered_at: "2026-09-21T16:09:00Z" } };
  const found = { id: SUB, state: "active", url: "https://hooks.example.com/zoom", types: ["meeting.*", "recording.completed"], filters: {}, payload: "full", rate: 20, ordered: true, description: "The data warehouse", created_at: "2026-09-01T08:00:00Z", state_changed_at: "2026-09-01T08:00:02Z", reason: null, health };
  const attempt = (at: string, status: number | null, error: string | null, answer = ""): object => ({ at: `2026-09-21T16:${at}Z`, duration_ms: error ? 15_000 : 84, status, error, answer });
  const delivery = (id: string, type: string, status: string, attempts: object[]): object => ({ event_id: `evt_${id.repeat(32)}`, type, time: `2026-09-21T16:0${9 - Number(id)}:00Z`, status, next_attempt_at: status === "retrying" ? "2026-09-21T16:14:00Z" : null, attempts });
  const deliveries = [
    delivery("0", "meeting.participant_joined", "retrying", [attempt("09:01", 503, null, '{"error": "The warehouse is being loaded. Try again in five minutes."}')]),
    delivery("1", "meeting.started", "delivered", [attempt("08:01", null, "timeout"), attempt("08:21", 204, null)]),
    delivery("2", "recording.completed", "delivered", [attempt("07:01", 204, null)]),
  ];
  await mocked(page, [[/\/deliveries\?/, { deliveries }], [new RegExp(`^/subscriptions/${SUB}$`), found]]);
  await open(page, `subscriptions/${SUB}`);
  await page.locator("details.delivery summary").first().click();
  await shot(page, "subscription", 980);
});
