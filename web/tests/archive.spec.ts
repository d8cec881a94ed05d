/** The archive of recordings: what is found, one recording with its player and transcript, and what is archived. */
import type { Page } from "@playwright/test";
import type { ArchivedFile, ArchivedRecording, Turn } from "../src/archive/model";
import { LONG } from "./meeting-data";
import { expect, look, mocked, open, Refused, test } from "./mocked";
import { stack } from "./stack";

const ID = `rec_${"0a".repeat(16)}`;
const LIST = /^\/archive\/recordings\?/;
const ONE = new RegExp(`^/archive/recordings/${ID}$`);
const OFF = { enabled: false, kinds: ["video"], key_template: "{id}", storage_class: "STANDARD", lifecycle: null, retention_days: null, at_zoom: { keep: true }, source: "default" };

test.use({ timezoneId: "UTC", permissions: ["clipboard-read", "clipboard-write"] });

function entry(id: string, topic: string, state: string, more: object = {}): Record<string, unknown> {
  return { id, uuid: `u${id}`, meeting_id: "85123456789", topic, host_id: "h1", host_email: "jill@example.com", start_time: "2026-09-21T14:00:00Z", connections: [], state, file_count: 4, size: 1_532_000_000, ...more };
}

function file(id: string, kind: string, more: Partial<ArchivedFile> = {}): ArchivedFile {
  return { id, type: "MP4", recording_type: "shared_screen_with_speaker_view", kind, extension: "MP4", size: 1_200_000, declared_size: 1_200_000, state: "kept", moved: 1_200_000, begins: "2026-09-21T14:00:00Z", ends: "2026-09-21T15:00:00Z", content_type: "video/mp4", url: null, ...more };
}

/** Two minutes of silence that every browser plays: long enough for a line to stay the current one while a test looks. */
function sound(): Buffer {
  const rate = 8000;
  const head = Buffer.from("RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\0\0\0\0\0\0\0\0\x01\0\x08\0data\0\0\0\0", "latin1");
  const data = Buffer.alloc(120 * rate, 128);
  head.writeUInt32LE(36 + data.length, 4);
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

/** The storage: links that contain "ended" are refused, as S3 does. Returns the addresses that were asked for. */
async function storage(page: Page): Promise<string[]> {
  const asked: string[] = [];
  const film = sound();
  const headers = { "access-control-allow-origin": "*", "accept-ranges": "bytes" };
  await page.route(`${new URL(stack().aws_endpoint_url).origin}/**`, async (route) => {
    const url = route.request().url();
    asked.push(url);
    if (url.includes("ended")) return route.fulfill({ status: 403, headers, body: "Request has expired" });
    const [, from = "0"] = /bytes=(\d+)-/.exec((await route.request().allHeaders()).range ?? "") ?? [];
    const body = film.subarray(Number(from));
    return route.fulfill({ status: 206, headers: { ...headers, "content-type": "audio/wav", "content-range": `bytes ${from}-${film.length - 1}/${film.length}` }, body });
  });
  return asked;
}

function link(name: string): string {
  return `${stack().aws_endpoint_url}/archive/${name}?X-Amz-Expires=300`;
}

function recording(files: ArchivedFile[], more: Partial<ArchivedRecording> = {}): ArchivedRecording {
  const listed = entry(ID, "Product round", "kept") as unknown as ArchivedRecording;
  return { ...listed, duration: 60, found_at: null, finished_at: "2026-09-21T16:00:00Z", at_zoom: {}, files, ...more };
}

const TURNS: Turn[] = [
  { start: 2_000, end: 9_000, speaker: "Jill Chill", text: "Welcome, everybody. What shipped?" },
  { start: 12_000, end: 17_000, speaker: "Ada Lovelace", text: "The engine ships on Monday." },
  { start: 80_000, end: 85_000, speaker: LONG, text: `${LONG} ${LONG}` },
  { start: 110_000, end: 111_000, speaker: "", text: "Bye." },
];
const SAID = { transcripts: [{ file_id: "t", begins: "2026-09-21T14:00:00Z", turns: TURNS }] };
const CHAT = { chats: [{ file_id: "c", begins: "2026-09-21T14:00:00Z", messages: [{ time: "00:00:05", sender: "Grace Hopper", text: "Hello\nall" }, { time: "00:01:00", sender: LONG, text: LONG }] }] };

test("recordings are listed by day with their state, searched, and kept up to date", async ({ page }) => {
  const recordings = [
    entry(`rec_${"1".repeat(32)}`, "Product round", "moving"),
    entry(`rec_${"2".repeat(32)}`, LONG + LONG, "doubtful", { host_email: `${LONG}@example.com` }),
    entry(`rec_${"3".repeat(32)}`, "Support", "failed", { start_time: "2026-09-14T08:00:00Z" }),
    entry(`rec_${"4".repeat(32)}`, "", "pending", { start_time: "2026-09-14T09:00:00Z", size: 0 }),
  ];
  let asked = "";
  await page.clock.install();
  await mocked(page, [[LIST, () => ({ recordings, next_page_token: "" })]]);
  page.on("request", (request) => (asked = LIST.test(new URL(request.url()).pathname + new URL(request.url()).search) ? request.url() : asked));
  await open(page, "archive");
  const first = page.getByRole("listitem").filter({ hasText: "Product round" });
  await expect(first.getByText("Moving")).toBeVisible();
  await expect(page.getByRole("heading", { name: /21 Sept/ })).toBeVisible();
  await look(page, "archive");
  recordings[0] = entry(`rec_${"1".repeat(32)}`, "Product round", "kept");
  await page.clock.runFor(11_000);
  await expect(first.getByText("Kept")).toBeVisible();
  await page.getByLabel("Topic").fill("round");
  await page.getByLabel("State").selectOption("kept");
  await page.getByLabel("Until").fill("2026-09-21");
  await page.getByRole("button", { name: "Search" }).press("Enter");
  await expect(page).toHaveURL(/archive\?topic=round&state=kept&to=2026-09-21$/);
  await expect.poll(() => new URL(asked).search).toContain("to=2026-09-22T00%3A00%3A00Z");
  expect(new URL(asked).searchParams.get("topic")).toBe("round");
});

test("an archive that is off, empty or not reached says so, and begins with one press", async ({ page }) => {
  let policy: object = OFF;
  let answer: () => unknown = () => new Refused(404);
  const sent = await mocked(page, [[/^PUT \/archive\/policy/, () => (policy = { ...OFF, enabled: true })], [/^\/archive\/policy/, () => policy], [LIST, () => answer()]]);
  await open(page, "archive");
  await expect(page.getByText("This installation keeps no archive of recordings")).toBeVisible();
  await look(page, "archive off");
  answer = () => ({ recordings: [] });
  await open(page, "archive");
  await page.getByRole("button", { name: "Archive all recordings from now on" }).click();
  await expect(page.getByText("The archive has no recording yet.")).toBeVisible();
  expect(sent).toEqual([{ method: "PUT", path: "/archive/policy", body: {} }]);
  await look(page, "archive empty");
  answer = () => new Refused(503, { message: "The archive does not answer.", reason: "unavailable" });
  await open(page, "archive");
  await expect(page.getByRole("alert")).toContainText("The archive does not answer.");
  answer = () => ({ recordings: [entry(ID, "Back again", "kept")] });
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByRole("link", { name: "Back again" })).toBeVisible();
});

test("a click on a line plays from there, the line follows, and a link that has ended is fetched anew", async ({ page }) => {
  const asked = await storage(page);
  let links = 0;
  const answer = (): unknown => {
    links += 1;
    return recording([
      file("v", "audio", { url: link(links === 1 ? "ended" : "good"), recording_type: "audio_only", type: "M4A" }),
      file("t", "transcript", { url: link("vtt"), recording_type: "audio_transcript", type: "TRANSCRIPT" }),
      file("c", "chat", { url: link("txt"), recording_type: "chat_file", type: "CHAT" }),
    ]);
  };
  await mocked(page, [[/\/transcript$/, SAID], [/\/chat$/, CHAT], [ONE, answer]]);
  await open(page, `archive/${ID}`);
  const line = page.getByRole("listitem").filter({ hasText: "The engine ships on Monday." });
  await page.getByRole("button", { name: "Play from 0:12" }).press("Enter");
  const at = (): Promise<number> => page.locator("video").evaluate((video: HTMLVideoElement) => video.currentTime);
  await expect.poll(at).toBeGreaterThan(12);
  await expect(line).toHaveAttribute("aria-current", "true");
  expect(asked.some((url) => url.includes("ended"))).toBe(true);
  expect(links).toBeGreaterThan(1);
  await page.getByText("Bye.").click();
  await expect(page.getByRole("listitem").filter({ hasText: "Bye." })).toHaveAttribute("aria-current", "true");
  await page.locator("video").evaluate((video: HTMLVideoElement) => video.pause());
  await page.getByLabel("Search in what was said").fill("ships");
  await expect(page.getByText("1 line has it.")).toBeVisible();
  await expect(page.locator("mark")).toHaveText("ships");
  await expect(page.getByText("Bye.")).toBeHidden();
  await page.getByLabel("Search in what was said").fill("");
  await expect(page.getByText("Grace Hopper")).toBeVisible();
  await look(page, "recording");
});

test("what is on its way shows how far it is, and what failed is tried again", async ({ page }) => {
  const answer = {
    current: recording(
      [
        file("v", "video", { state: "moving", moved: 5_000_000_000, declared_size: 20_000_000_000, size: null }),
        file("p", "audio", { state: "pending", moved: 0, size: null, declared_size: null, recording_type: "audio_only" }),
        file("d", "other", { state: "doubtful", url: link("d"), reason: "declared_size", recording_type: LONG }),
        file("f", "chat", { state: "failed", reason: "missing_scopes", recording_type: "chat_file" }),
      ],
      { topic: LONG, state: "moving", finished_at: null },
    ),
  };
  await page.clock.install();
  const sent = await mocked(page, [[/^POST .*\/retry$/, { retried: 1 }], [ONE, () => answer.current]]);
  await open(page, `archive/${ID}`);
  await expect(page.getByText("5.0 GB of 20.0 GB")).toBeVisible();
  await expect(page.getByText("Nothing can be played yet: the files are on their way.")).toBeVisible();
  await expect(page.getByText("The Zoom app lacks a permission: add it there, then reconnect.")).toBeVisible();
  await expect(page.getByRole("link", { name: /^Open Donau/ })).toHaveAttribute("href", link("d"));
  await look(page, "recording on its way");
  await page.getByRole("button", { name: "Try the failed files again" }).click();
  expect(sent).toEqual([{ method: "POST", path: `/archive/recordings/${ID}/retry`, body: null }]);
  answer.current = recording([file("v", "video", { state: "moving", moved: 19_000_000_000, declared_size: 20_000_000_000, size: null })]);
  await page.clock.runFor(5_000);
  await expect(page.getByText("19.0 GB of 20.0 GB")).toBeVisible();
  await page.route(`**/archive/recordings/${ID}`, (route) => route.abort());
  await page.clock.runFor(5_000);
  await expect(page.getByText(/Not up to date since/)).toBeVisible();
});

test("a recording is deleted only when somebody says so twice", async ({ page }) => {
  const sent = await mocked(page, [[/^DELETE /, undefined], [LIST, { recordings: [] }], [ONE, recording([])], [/policy/, { ...OFF, enabled: true }]]);
  await open(page, `archive/${ID}`);
  await page.getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("dialog")).toContainText("The recording at Zoom stays as it is.");
  await page.getByRole("button", { name: "Keep" }).click();
  expect(sent).toEqual([]);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/app\/archive$/);
  expect(sent).toEqual([{ method: "DELETE", path: `/archive/recordings/${ID}`, body: null }]);
});

test("the policy says what is archived, and asks before anything begins to be deleted", async ({ page }) => {
  const sent = await mocked(page, [[/^\/archive\/policy/, { ...OFF, enabled: true, source: "tenant" }], [/^PUT /, {}]]);
  await open(page, "archive/policy");
  await page.getByLabel("Video").uncheck();
  await page.getByLabel("Chat").check();
  await page.getByLabel("Delete here after days").fill("365");
  await look(page, "archive policy");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Do not save" }).click();
  expect(sent).toEqual([]);
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await expect(page.getByText("Saved.", { exact: true })).toBeVisible();
  expect(sent).toEqual([
    { method: "PUT", path: "/archive/policy", body: { enabled: true, kinds: ["chat"], key_template: "{id}", storage_class: "STANDARD", lifecycle: null, retention_days: 365, at_zoom: { keep: true } } },
  ]);
});
