import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { connect, createMeeting, expect, forgetConnections, forgetMeetings, signIn, sim, stack, test } from "../tests/stack";

const FOLDER = resolve(import.meta.dirname, "../../docs/images/web");

async function shot(page: Page, name: string): Promise<void> {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: "disabled" });
}

async function phone(page: Page, on: boolean): Promise<void> {
  await page.setViewportSize(on ? { width: 390, height: 844 } : { width: 1200, height: 850 });
  await page.emulateMedia({ colorScheme: on ? "dark" : "light" });
}

test.beforeAll(forgetConnections);

test("the pictures", async ({ page }) => {
  test.setTimeout(240_000);
  await phone(page, false);
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await shot(page, "welcome");
  await signIn(page);
  await connect(page);
  await shot(page, "connected");
  await forgetMeetings();

  const weekly = { type: 2, weekly_days: "2", repeat_interval: 1, end_times: 10 };
  const id = await createMeeting(page, {
    topic: "Product round",
    type: 8,
    recurrence: weekly,
    timezone: "Europe/Vienna",
    agenda: "What shipped, what is next, and who needs help.",
    settings: { approval_type: 0, registration_type: 1 },
  });
  await createMeeting(page, { topic: "Interview with Ada", start_time: "2030-01-08T13:30:00Z", duration: 45 });
  await createMeeting(page, { topic: "Support, open hour", start_time: "2030-01-09T08:00:00Z", duration: 60 });
  await page.goto(stack().web_url);
  await expect(page.getByRole("link", { name: "Product round" }).first()).toBeVisible();
  await shot(page, "meetings");

  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").fill("Product round");
  await page.getByLabel("Repeats").selectOption("weekly");
  await page.setViewportSize({ width: 1200, height: 1150 });
  await shot(page, "form");
  await phone(page, false);

  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { host: true });
  for (const name of ["Ada Guest", "Grace Guest"]) await sim(`/meetings/${id}/join`, { name });
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByTestId("roster").getByText("Grace Guest")).toBeVisible();
  await expect(page.getByText("Nobody has registered yet.")).toBeVisible();
  await sim(`/meetings/${id}/leave`, { participant: "Ada Guest" });
  await expect(page.getByTestId("roster").getByText("Ada Guest")).toHaveCount(0);
  await shot(page, "meeting-live");
  await phone(page, true);
  await page.locator("#live").scrollIntoViewIfNeeded();
  await shot(page, "meeting-live-phone-dark");
  await page.route("**/state", (route) => route.abort());
  await expect(page.getByText(/Not up to date since/)).toBeVisible();
  await phone(page, false);
  await shot(page, "meeting-stale");
  await page.unroute("**/state");
  await sim(`/meetings/${id}/end`);

  await page.goto(`${stack().web_url}meetings/${id}/join`);
  await expect(page.getByTestId("sdk")).toHaveText("Zoom's meeting client is ready.");
  await shot(page, "join");
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page.getByText("Fail to join the meeting.").first()).toBeVisible({ timeout: 60_000 });
  await page.screenshot({ path: "test-results/sdk-without-zoom.png" }); // to look at, not for the docs
  await page.goto(`${stack().web_url}connections`);
  await expect(page.getByText("Healthy").first()).toBeVisible();
  await shot(page, "connections");
  await phone(page, true);
  await page.goto(stack().web_url);
  await expect(page.getByRole("link", { name: "Product round" }).first()).toBeVisible();
  await shot(page, "meetings-phone-dark");
  await page.route("**/v2/**", (route) => route.abort());
  await phone(page, false);
  await page.goto(stack().web_url);
  await expect(page.getByRole("alert")).toBeVisible();
  await shot(page, "unreachable");
});
