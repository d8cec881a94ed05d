import { resolve } from "node:path";
import type { Page } from "@playwright/test";
import { connectByHand, connectionOf, createMeeting, expect, program, signIn, sim, stack, test, type ZoomUser } from "../tests/stack";

const FOLDER = resolve(import.meta.dirname, "../../docs/images/web");
const DESKTOP = { width: 1200, height: 850 };
const PHONE = { width: 390, height: 844 };
/** One of the three people whom the simulated Zoom starts with. */
const NAME = "Jill Chill";

async function shot(page: Page, name: string): Promise<void> {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: "disabled" });
}

async function look(page: Page, viewport: { width: number; height: number }, colorScheme: "light" | "dark"): Promise<void> {
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
}

/** So many days after the next Monday, in UTC. */
function soon(days: number, hours: number, minutes = 0): string {
  const at = new Date();
  at.setUTCDate(at.getUTCDate() + ((8 - at.getUTCDay()) % 7 || 7) + days);
  at.setUTCHours(hours, minutes, 0, 0);
  return at.toISOString().replace(/\.\d+Z$/, "Z");
}

test("the pictures", async ({ page }) => {
  test.setTimeout(420_000);
  const { users } = await sim<{ users: ZoomUser[] }>("/users", {}, "GET");
  const jill = { ...(users.find((each) => each.email === "jill@zoom.example") as ZoomUser), name: NAME };
  await look(page, DESKTOP, "light");
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await shot(page, "welcome");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Who are you today?" })).toBeVisible();
  await shot(page, "sign-in");
  await signIn(page);
  await shot(page, "nothing-connected");
  await page.goto(`${stack().web_url}connect`);
  await shot(page, "connect");
  await page.getByRole("button", { name: "Connect Zoom" }).click();
  await expect(page.getByRole("button", { name: "Continue to Zoom" })).toBeVisible();
  await shot(page, "consent");
  await connectByHand(page, jill);
  await shot(page, "connected");

  const weekly = { type: 2, weekly_days: "2", repeat_interval: 1, end_times: 8 };
  const id = await createMeeting(page, {
    topic: "Product round",
    type: 8,
    start_time: soon(0, 9),
    recurrence: weekly,
    timezone: "Europe/Vienna",
    agenda: "What shipped, what is next, and who needs help.",
    settings: { approval_type: 1, registration_type: 1, auto_recording: "cloud" },
  });
  await createMeeting(page, { topic: "Interview with Ada", start_time: soon(0, 12, 30), duration: 45 });
  await createMeeting(page, { topic: "Support, open hour", start_time: soon(1, 8), duration: 60 });
  await createMeeting(page, { topic: "Design review: the new onboarding", start_time: soon(2, 14), duration: 90 });
  await page.goto(stack().web_url);
  await expect(page.getByRole("link", { name: "Product round", exact: true }).first()).toBeVisible();
  await shot(page, "meetings");
  await look(page, PHONE, "dark");
  await shot(page, "meetings-phone-dark");
  await look(page, DESKTOP, "dark");
  await shot(page, "meetings-dark");

  await look(page, { width: 1200, height: 1180 }, "light");
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").fill("Product round");
  await page.getByLabel("Starts").fill(soon(0, 11).slice(0, 16));
  await page.getByLabel("Repeats").selectOption("weekly");
  await shot(page, "form");
  await look(page, PHONE, "light");
  await shot(page, "form-phone");
  await page.getByRole("link", { name: "Cancel" }).click();
  await look(page, DESKTOP, "light");

  const connection = await connectionOf(jill);
  for (const [first_name, last_name] of [["Ada", "Lovelace"], ["Grace", "Hopper"]] as const) {
    const email = `${first_name.toLowerCase()}@example.com`;
    await program("POST", `/v2/meetings/${id}/registrants`, { first_name, last_name, email }, connection);
  }
  await sim(`/meetings/${id}/approve`, { registrant: "ada@example.com" });
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { host: true });
  for (const name of ["Ada Lovelace", "Grace Hopper", "Alan Turing"]) await sim(`/meetings/${id}/join`, { name });
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByTestId("roster").getByText("Alan Turing")).toBeVisible();
  await sim(`/meetings/${id}/leave`, { participant: "Grace Hopper" });
  await expect(page.getByTestId("roster").getByText("Grace Hopper")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Approve Grace Hopper" })).toBeVisible();
  await expect(page.getByText("There is no recording.")).toBeVisible();
  await shot(page, "meeting-live");
  await look(page, PHONE, "dark");
  await page.locator("#live").scrollIntoViewIfNeeded();
  await page.evaluate(() => document.getElementById("live")?.closest("section")?.scrollIntoView());
  await shot(page, "meeting-live-phone-dark");
  await look(page, DESKTOP, "light");
  await page.route("**/state", (route) => route.abort());
  await expect(page.getByText(/Not up to date since/)).toBeVisible();
  await shot(page, "meeting-stale");
  await page.unroute("**/state");
  await sim(`/meetings/${id}/end`);
  await expect(page.getByRole("link", { name: /Open .* at Zoom/ }).first()).toBeVisible();
  await expect(page.getByText(/^Live, /)).toHaveCount(0); // the series itself is scheduled again
  await shot(page, "meeting-over");
  await page.getByRole("button", { name: "Delete" }).click();
  await shot(page, "delete");
  await page.keyboard.press("Escape");

  await page.goto(`${stack().web_url}meetings/${id}/join`);
  await expect(page.getByTestId("sdk")).toHaveText("Zoom's meeting client is ready.");
  await shot(page, "join");
  await page.getByRole("button", { name: "Join" }).click();
  await expect(page.getByText("Fail to join the meeting.").first()).toBeVisible();
  await page.screenshot({ path: "test-results/sdk-without-zoom.png" }); // to look at, not for the docs
  await page.goto(`${stack().web_url}connections`);
  await expect(page.getByRole("article", { name: NAME })).toBeVisible();
  await shot(page, "connections");
  await look(page, PHONE, "dark");
  await shot(page, "connections-phone-dark");
  await page.route("**/v2/**", (route) => route.abort());
  await look(page, DESKTOP, "light");
  await page.goto(stack().web_url);
  await expect(page.getByRole("alert")).toBeVisible();
  await shot(page, "unreachable");
  await page.evaluate(() => sessionStorage.setItem("session", JSON.stringify({ token: "x", expires_at: 1, person: {} })));
  await page.reload();
  await expect(page.getByRole("heading", { name: "Your session has ended" })).toBeVisible();
  await shot(page, "session-over");
});
