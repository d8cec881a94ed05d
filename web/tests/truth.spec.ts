/** The client says what is true: what a meeting is right now, which link guests need, and which Zoom is behind it. */
import { readFile } from "node:fs/promises";
import type { Page } from "@playwright/test";
import { LONG } from "./meeting-data";
import { expect, expectToFit, look, mocked, open, shots, test, type Answers } from "./mocked";

const NOW = new Date("2026-09-21T14:10:00Z");
const LIST = /^\/v2\/users\/me\/meetings\?/;

test.use({ timezoneId: "Europe/Vienna", locale: "en-US", permissions: ["clipboard-read", "clipboard-write"] });
test.beforeEach(({ page }) => page.clock.setFixedTime(NOW));

function meeting(id: number, topic: string, minutesFromNow: number, more: object = {}): Record<string, unknown> {
  const start_time = new Date(NOW.getTime() + minutesFromNow * 60_000).toISOString().replace(".000", "");
  return { id, uuid: `u${id}`, host_id: "h", topic, type: 2, duration: 30, timezone: "Europe/Vienna", join_url: `https://zoom.us/j/${id}?pwd=x`, start_time, ...more };
}

function state(status: string, minutesFromNow: number): object {
  const start_time = new Date(NOW.getTime() + minutesFromNow * 60_000).toISOString();
  return { status, participants_count: 3, participants: [], waiting: [], instance: { uuid: "i", start_time, end_time: null }, updated_at: null };
}

test("live, early, over, due and past meetings are shown as what they are, and fit", async ({ page }) => {
  const series = { type: 8 };
  const meetings = [
    meeting(1, "Past one", -120),
    meeting(2, "Over one", -60),
    meeting(3, "Due one", -5),
    meeting(4, "Live one", -10),
    meeting(5, "Early one", 15),
    meeting(6, "Series", 60 * 24, series),
    meeting(7, LONG + LONG, 60 * 48),
  ];
  const states: Answers = [
    [/^\/meetings\/2\/state/, state("ended", -60)],
    [/^\/meetings\/4\/state/, state("live", -9)],
    [/^\/meetings\/5\/state/, state("live", -1)],
    [/^\/meetings\/6\/state/, state("live", -1)],
  ];
  await mocked(page, [[LIST, { meetings }], ...states]);
  await open(page, "");
  const row = (name: string): ReturnType<Page["locator"]> => page.getByRole("listitem").filter({ hasText: name });
  await expect(row("Live one")).toContainText("Live, 3 present");
  await expect(row("Early one")).toContainText("Live early, 3 present");
  await expect(row("Over one")).toContainText("Ended");
  await expect(row("Over one").getByRole("link", { name: "Attendance of Over one" })).toBeVisible();
  await expect(row("Over one").getByRole("link", { name: /^Join/ })).toHaveCount(0);
  await expect(row("Due one")).toContainText("Due now");
  await expect(row("Past one")).toContainText("Past, not seen live");
  await expect(row("Series")).not.toContainText("Live"); // that is another one of the series
  await expect(row("Live one")).toContainText("04:00 PM – 04:30 PM"); // a 12-hour clock
  await look(page, "list");
});

test("a meeting that goes live while the list is open is seen", async ({ page }) => {
  let now: unknown = null;
  const answers: Answers = [[LIST, { meetings: [meeting(4, "Soon", 2)] }]];
  await mocked(page, answers);
  await page.route("**/meetings/4/state", (route) => (now ? route.fulfill({ json: now }) : route.fulfill({ status: 404, json: {} })));
  await open(page, "");
  await expect(page.getByRole("link", { name: "Join Soon" })).toBeVisible();
  now = state("live", 0);
  await page.evaluate(() => window.dispatchEvent(new Event("online"))); // looks at once
  await expect(page.getByText("Live early, 3 present")).toBeVisible();
});

test("past meetings lead to their attendance, not into the meeting", async ({ page }) => {
  await mocked(page, [[LIST, { meetings: [meeting(1, "Held", -2000, { type: 8 })] }]]);
  await open(page, "?show=previous_meetings");
  await page.getByRole("link", { name: "Attendance of Held" }).click();
  await expect(page).toHaveURL(/meetings\/1\/attendance\?occurrence=2026-09-20T04%3A50%3A00Z$/);
});

test("guests get the registration link, an invitation, and the times for their calendars", async ({ page }) => {
  const found = meeting(8, LONG, 120, { settings: { approval_type: 1 }, registration_url: "https://zoom.us/meeting/register/abc", password: "pw", agenda: LONG });
  const denied = { registrants: [{ id: "r", first_name: LONG, email: `${LONG}@example.com`, status: "denied" }] };
  await mocked(page, [[/^\/v2\/meetings\/8$/, found], [/registrants\?status=denied/, denied], [/registrants\?/, { registrants: [] }]]);
  await open(page, "meetings/8");
  await page.getByRole("button", { name: "Copy the registration link" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe("https://zoom.us/meeting/register/abc");
  await page.getByRole("button", { name: "Copy the invitation" }).click();
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toContain("Register: https://zoom.us/meeting/register/abc");
  expect(text).not.toContain("pwd=");
  const waits = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save for a calendar (.ics)" }).click();
  expect(await readFile(await (await waits).path(), "utf8")).toContain("DTSTART:20260921T161000Z");
  await expect(page.getByRole("region", { name: "Registrants" })).toContainText("0 may join, 0 wait for an answer, 1 declined");
  await expect(page.getByRole("region", { name: "Registrants" }).getByText("declined", { exact: true })).toBeVisible();
  await look(page, "meeting");
});

test("one occurrence is moved, and the others stay", async ({ page }) => {
  const occurrences = [1, 2].map((each) => ({ occurrence_id: String(each), start_time: `2030-01-0${each}T10:00:00Z`, duration: 30, status: "available" }));
  const sent = await mocked(page, [[/^\/v2\/meetings\/9/, meeting(9, "Series", 0, { type: 8, occurrences, recurrence: { type: 1, end_times: 2 } })]]);
  await open(page, "meetings/9");
  await page.getByText("2 times", { exact: true }).click();
  await page.getByRole("button", { name: /Move the meeting of Wed/ }).click();
  await expect(page.getByRole("dialog", { name: "Move this one meeting" })).toBeVisible();
  await page.getByLabel("New start (Europe/Vienna)").fill("2020-01-01T10:00");
  await expect(page.getByText("This time is in the past.")).toBeVisible();
  await page.getByLabel("New start (Europe/Vienna)").fill("2030-01-03T15:00");
  await expectToFit(page, "move");
  await page.getByRole("button", { name: "Move", exact: true }).click();
  await expect.poll(() => sent).toEqual([{ method: "PATCH", path: "/v2/meetings/9?occurrence_id=2", body: { start_time: "2030-01-03T14:00:00Z", duration: 30 } }]);
});

test("the form sends what was chosen in it, in the zone that it names, and asks about the past", async ({ page }) => {
  const sent = await mocked(page, [[/^\/v2\/users\/me\/meetings$/, { id: 5 }], [/^\/v2\/meetings\/5$/, meeting(5, "Made", 60)]]);
  await open(page, "meetings/new");
  await page.getByLabel("Topic").fill("Made");
  await page.getByLabel("Zone").selectOption("America/New_York");
  await page.getByLabel("Starts").fill("2026-09-21T09:00");
  await expect(page.getByText("In your zone, Europe/Vienna, that is Mon, Sep 21, 2026, 03:00 PM.")).toBeVisible();
  await page.getByText("Passcode, waiting room, registration").click();
  await page.getByLabel("Passcode").fill("not good");
  await page.getByLabel("Invitees").fill("ada@example.com\nnobody");
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("alert")).toContainText("At most 10 letters, digits, and @ - _ *.");
  await expect(page.getByRole("alert")).toContainText("“nobody” is not an e-mail address.");
  await look(page, "form, refused");
  await page.getByLabel("Passcode").fill("s3cret");
  await page.getByLabel("Invitees").fill("ada@example.com, grace@example.com");
  await page.getByLabel("Waiting room").selectOption("nobody waits");
  await page.getByLabel("Registration").selectOption("needed, I approve each");
  await page.getByLabel("Recording").selectOption("in Zoom's cloud");
  await page.getByRole("button", { name: "Create the meeting" }).click();
  const question = page.getByRole("dialog", { name: "This start is in the past" });
  await expect(question).toContainText("Mon, Sep 21, 2026, 03:00 PM was 1 hour ago");
  await shots(page, "past");
  await question.getByRole("button", { name: "Change the time" }).click();
  await expect(page.getByLabel("Starts")).toBeFocused();
  expect(sent).toEqual([]);
  await page.getByLabel("Starts").fill("2026-09-22T09:00");
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("heading", { name: "Made" })).toBeVisible();
  expect(sent.map((each) => each.body)).toEqual([
    {
      topic: "Made", agenda: "", duration: 30, password: "s3cret", type: 2, start_time: "2026-09-22T13:00:00Z", timezone: "America/New_York",
      settings: {
        waiting_room: false, approval_type: 1, auto_recording: "cloud",
        meeting_invitees: [{ email: "ada@example.com" }, { email: "grace@example.com" }],
      },
    },
  ]);
});

test("a meeting is started now, and what was not chosen stays with the Zoom account", async ({ page }) => {
  const sent = await mocked(page, [[/^\/v2\/users\/me\/meetings$/, { id: 5 }], [/^\/v2\/meetings\/5$/, { ...meeting(5, "At once", 0), start_time: undefined, type: 1 }]]);
  await open(page, "meetings/new");
  await page.getByLabel("Topic").fill("At once");
  await page.getByLabel("Starts").fill("2020-01-01T10:00"); // means nothing here
  await page.getByRole("button", { name: "Start it now" }).click();
  await expect(page.getByRole("heading", { name: "Join in this browser" })).toBeVisible();
  await expect(page.getByLabel("Start the meeting as its host")).toBeChecked();
  expect(sent.map((each) => each.body)).toEqual([{ topic: "At once", agenda: "", duration: 30, type: 1 }]);
});

test("a change sends the one setting that was changed", async ({ page }) => {
  const settings = { approval_type: 2, waiting_room: true, auto_recording: "none", meeting_invitees: [{ email: "ada@example.com" }] };
  const sent = await mocked(page, [[/^\/v2\/meetings\/5$/, meeting(5, "Old", 60, { settings, password: "pw" })]]);
  await open(page, "meetings/5/edit");
  await page.getByText("Passcode, waiting room, registration").click();
  await expect(page.getByLabel("Waiting room")).toHaveValue("true");
  await expect(page.getByLabel("Invitees")).toHaveValue("ada@example.com");
  await page.getByLabel("Recording").selectOption("in Zoom's cloud");
  await page.getByRole("button", { name: "Save" }).click();
  await expect.poll(() => sent.map((each) => each.body)).toEqual([{ settings: { auto_recording: "cloud" } }]);
});

test("joining says that Zoom is simulated and offers its own pages; with the real one it does not", async ({ page }) => {
  const settings = { api_url: "", oidc: { issuer: "", client_id: "web", scope: "openid", parameters: {} } };
  const found: Answers = [[/^\/v2\/meetings\/5$/, meeting(5, "Round", 0)]];
  await mocked(page, [...found, [/^\/app\/settings\.json/, { ...settings, simulated_zoom: "http://localhost:3001" }]]);
  await open(page, "meetings/5/join");
  const said = page.getByTestId("simulated");
  await expect(said).toContainText("This is the simulated Zoom.");
  await expect(said.getByRole("link", { name: "Join at the simulated Zoom" })).toHaveAttribute("href", "http://localhost:3001/j/5");
  await expect(said.getByRole("link", { name: "Start there as the host" })).toHaveAttribute("href", "http://localhost:3001/s/5");
  await look(page, "join");
  await mocked(page, found);
  await open(page, "meetings/5/join");
  await expect(page.getByRole("heading", { name: "Join in this browser" })).toBeVisible();
  await expect(said).toHaveCount(0);
});
