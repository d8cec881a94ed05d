/** Subscriptions: made with a secret that is shown once, watched, and sent again. */
import type { Delivery, Subscription } from "../src/subscriptions/model";
import { LONG } from "./meeting-data";
import { expect, look, mocked, open, Refused, test } from "./mocked";

const ID = `sub_${"0a".repeat(16)}`;
const ONE = new RegExp(`^/subscriptions/${ID}$`);
const DELIVERIES = /\/deliveries\?/;

test.use({ timezoneId: "UTC", permissions: ["clipboard-read", "clipboard-write"] });

function subscription(more: Partial<Subscription> = {}): Subscription {
  return {
    id: ID, state: "active", url: "https://hooks.example.com/zoom", types: ["meeting.*"], filters: {}, payload: "full", rate: null, ordered: false, description: "The data warehouse", created_at: "2026-09-21T14:00:00Z", state_changed_at: "2026-09-21T14:00:02Z", reason: null,
    health: { failures: 0, failing_since: null, retry_at: null, slow: false, recent: { deliveries: 100, delivered: 97, retrying: 2, failed: 1, median_ms: 84, last_delivered_at: "2026-09-21T14:09:00Z" } }, ...more,
  };
}

function delivery(id: string, status: Delivery["status"], attempts: Delivery["attempts"]): Delivery {
  return { event_id: `evt_${id.repeat(32)}`, type: "meeting.started", time: "2026-09-21T14:08:00Z", status, next_attempt_at: null, attempts };
}

test("subscriptions are listed; none, none here and none for somebody are said", async ({ page }) => {
  let answer: unknown = new Refused(404, { code: 404, message: "This stack has no subscriptions.", reason: "not_served_here" });
  await mocked(page, [[/^\/subscriptions$/, () => answer]]);
  await open(page, "subscriptions");
  await expect(page.getByText("This installation sends no events to addresses")).toBeVisible();
  answer = new Refused(403, { code: 4711, message: "Invalid access token.", reason: "missing_scope", missing_scopes: ["connections:all"] });
  await open(page, "subscriptions");
  await expect(page.getByText("only people who see every Zoom account of the tenant manage them")).toBeVisible();
  answer = { subscriptions: [] };
  await open(page, "subscriptions");
  await expect(page.getByText("Nobody has subscribed yet.")).toBeVisible();
  answer = { subscriptions: [subscription(), subscription({ id: `sub_${"1".repeat(32)}`, description: null, url: `https://${LONG.toLowerCase()}.example/${LONG}`, state: "disabled", types: [LONG] })] };
  await open(page, "subscriptions");
  await expect(page.getByText("Its target failed for five days.")).toBeVisible();
  await look(page, "subscriptions");
});

test("a subscription is made with the keyboard, and its secret is shown once and copied", async ({ page }) => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8G";
  let refuse = true;
  const sent = await mocked(page, [
    [/^POST \/subscriptions$/, () => (refuse ? new Refused(400, { code: 300, message: "Validation failed.", errors: [{ field: "url", message: "This host leads to a private address." }] }) : { ...subscription({ state: "pending" }), secret })],
    [/^\/subscriptions$/, { subscriptions: [] }],
    [DELIVERIES, { deliveries: [] }],
    [ONE, subscription({ state: "pending", verification: { at: "2026-09-21T14:00:03Z", duration_ms: 120, status: null, error: "challenge_mismatch", answer: "ok" } })],
  ]);
  await open(page, "subscriptions/new");
  await page.getByLabel("Its URL").fill("https://hooks.example.com/zoom");
  await page.getByLabel("Recordings").check();
  await page.getByText("Only some of them").press("Enter");
  await page.getByLabel("Meetings or webinars").fill("851 2345 6789");
  await page.getByLabel("At most a second").fill("20");
  await page.getByLabel(/In order/).check();
  await look(page, "subscription new");
  await page.getByLabel("Its URL").press("Enter");
  await expect(page.getByRole("alert")).toContainText("This host leads to a private address.");
  refuse = false;
  await page.getByLabel("Its URL").press("Enter");
  await expect(page.getByRole("heading", { name: "The subscription is made" })).toBeFocused();
  await page.getByRole("button", { name: "Copy the secret" }).click();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
  await look(page, "subscription secret");
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain(secret);
  expect(sent.at(-1)?.body).toEqual({ url: "https://hooks.example.com/zoom", types: ["meeting.*", "recording.*"], filters: { meeting: ["85123456789"] }, payload: "full", rate: 20, ordered: true });
  await page.getByRole("link", { name: "Go to the subscription" }).click();
  await expect(page.getByText("The answer was not the challenge")).toBeVisible();
  await expect(page.getByRole("button", { name: "Ask the target again" })).toBeVisible();
  await expect(page.getByText(secret)).toHaveCount(0);
});

test("deliveries show their attempts and answers, and are sent again: one, all that failed, a span", async ({ page }) => {
  const deliveries = [
    delivery("a", "failed", [{ at: "2026-09-21T14:08:01Z", duration_ms: 15_000, status: null, error: "timeout" }, { at: "2026-09-21T14:08:21Z", duration_ms: 31, status: 500, error: null, answer: `<b>${LONG}</b>`.repeat(10) }]),
    delivery("b", "delivered", [{ at: "2026-09-21T14:07:01Z", duration_ms: 40, status: 204, error: null }]),
  ];
  let pages = 3; // the first answer is for one event
  const sent = await mocked(page, [
    [/^POST .*\/redeliver$/, () => ({ redelivered: 30, next_page_token: --pages > 0 ? "more" : "" })],
    [DELIVERIES, () => ({ deliveries })],
    [ONE, subscription()],
  ]);
  await open(page, `subscriptions/${ID}`);
  const failed = page.locator("details.delivery").filter({ hasText: "2 attempts" });
  await failed.locator("summary").press("Enter");
  await expect(failed).toContainText("No answer in time");
  await expect(failed).toContainText("<b>Donau");
  await page.getByText("Send a span of time again").click();
  await look(page, "subscription");
  await failed.getByRole("button", { name: "Send it again" }).click();
  await expect(page.getByText("It is sent again.")).toBeVisible();
  await page.getByRole("button", { name: "Send all failed again" }).click();
  await expect(page.getByText("60 events are sent again.")).toBeVisible();
  await page.getByLabel("From").fill("2026-09-21T14:00");
  await page.getByLabel("Until").fill("2026-09-21T15:00");
  await page.getByLabel("Only this type").press("Enter");
  await expect(page.getByText("30 events are sent again.")).toBeVisible();
  expect(sent.map(({ body }) => body)).toEqual([
    { id: `evt_${"a".repeat(32)}` },
    { failed: true },
    { failed: true, next_page_token: "more" },
    { from: "2026-09-21T14:00:00.000Z", to: "2026-09-21T15:00:00.000Z" },
  ]);
  await expect(failed).toHaveAttribute("open", ""); // what is read stays open while the page looks again
});

test("a subscription is tested, paused, resumed, gets a new secret, is changed, and is deleted", async ({ page }) => {
  let state = subscription();
  const sent = await mocked(page, [
    [/^POST .*\/test$/, { event_id: "evt_1" }],
    [/^POST .*\/pause$/, () => (state = subscription({ state: "paused" }))],
    [/^POST .*\/resume$/, () => (state = subscription())],
    [/^POST .*\/rotate$/, () => ({ ...state, secret: "whsec_new" })],
    [/^PATCH /, () => state],
    [/^DELETE /, undefined],
    [/^\/subscriptions$/, { subscriptions: [] }],
    [DELIVERIES, { deliveries: [] }],
    [ONE, () => state],
  ]);
  await open(page, `subscriptions/${ID}`);
  await page.getByRole("button", { name: "Send a test event" }).click();
  await expect(page.getByText("A test event is on its way.")).toBeVisible();
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByRole("button", { name: "New secret" }).click();
  await page.getByRole("button", { name: "Make it" }).click();
  await expect(page.getByTestId("secret")).toHaveText("whsec_new");
  await page.getByRole("link", { name: "Change" }).click();
  await page.getByLabel("At most a second").fill("3");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("button", { name: "Pause" })).toBeVisible();
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page).toHaveURL(/\/subscriptions$/);
  expect(sent.map(({ method, path, body }) => [method, path.split("/").at(-1), body])).toEqual([
    ["POST", "test", null], ["POST", "pause", null], ["POST", "resume", null], ["POST", "rotate", {}], ["PATCH", ID, { rate: 3 }], ["DELETE", ID, null],
  ]);
});
