/** For everybody: axe on every page, light on a desktop and dark on a phone, and the whole way by keyboard. */
import { AxeBuilder } from "@axe-core/playwright";
import { connect, connectByHand, createMeeting, expect, program, connectionOf, signIn, sim, stack, test } from "./stack";

// Two analyses see both colours and both widths. What both change at once is nothing but the colours of a narrow page.
const LOOKS = [
  { colorScheme: "light", viewport: { width: 1200, height: 850 }, name: "light, desktop" },
  { colorScheme: "dark", viewport: { width: 390, height: 844 }, name: "dark, phone" },
] as const;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

test("axe finds nothing on any page, light on a desktop and dark on a phone", async ({ page, jill }) => {
  test.setTimeout(420_000);
  const seen: string[] = [];
  const check = async (name: string): Promise<void> => {
    seen.push(name);
    for (const look of LOOKS) {
      await page.setViewportSize(look.viewport);
      await page.emulateMedia({ colorScheme: look.colorScheme, reducedMotion: "reduce" });
      const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
      const said = violations.map((each) => `${name}, ${look.name}: ${each.id} ${each.nodes.map((node) => node.html).join(" ")}`);
      expect.soft(said).toEqual([]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect.soft(wide, `${name}, ${look.name} scrolls sideways`).toBeLessThanOrEqual(0);
    }
    await page.setViewportSize(LOOKS[0].viewport);
  };
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await check("welcome");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Who are you today?" })).toBeVisible();
  await check("the development sign-in");
  await page.getByRole("button", { name: "Dana Developer" }).click();
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
  await check("meetings, nothing connected");
  await page.goto(`${stack().web_url}connections`);
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
  await check("connections, none");

  await page.goto(`${stack().web_url}connect`);
  await check("connect");
  await page.getByRole("button", { name: "Connect Zoom" }).click();
  await expect(page.getByRole("heading", { name: "Connect your Zoom account?" })).toBeVisible();
  await check("the gateway asks");
  await page.goto(`${stack().api_url}/auth/zoom/start?ticket=unknown`);
  await expect(page.getByRole("heading", { name: "This link does not work any more" })).toBeVisible();
  await check("the gateway refuses");
  await connectByHand(page, jill);
  await check("connected");
  await page.goto(`${stack().web_url}connected?code=unknown`);
  await expect(page.getByRole("heading", { name: "Zoom is not connected" })).toBeVisible();
  await check("not connected");
  await page.goto(stack().web_url);
  await expect(page.getByText("Nothing is planned.")).toBeVisible();
  await check("meetings, none");

  const recurrence = { type: 2, weekly_days: "2", end_times: 3 };
  const id = await createMeeting(page, { topic: "Weekly", type: 8, recurrence, settings: { approval_type: 1, auto_recording: "cloud" } });
  const ada = { first_name: "Ada", last_name: "Lovelace", email: "ada@example.com" };
  await program("POST", `/v2/meetings/${id}/registrants`, ada, await connectionOf(jill));
  await page.goto(stack().web_url);
  await expect(page.getByRole("link", { name: "Weekly", exact: true }).first()).toBeVisible();
  await check("meetings");
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { name: "Ada Guest" });
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByTestId("roster").getByText("Ada Guest")).toBeVisible();
  await expect(page.getByText("There is no recording.")).toBeVisible();
  await expect(page.getByRole("button", { name: "Approve Ada Lovelace" })).toBeVisible();
  await page.getByText("3 times", { exact: true }).click();
  await check("meeting");
  await sim(`/meetings/${id}/end`);
  await expect(page.getByRole("link", { name: /Open .* at Zoom/ }).first()).toBeVisible();
  await check("meeting, over");
  await page.route("**/state", (route) => route.abort());
  await expect(page.getByText(/Not up to date since/)).toBeVisible();
  await check("meeting, not up to date");
  await page.unroute("**/state");
  await page.getByRole("button", { name: "Delete" }).click();
  await check("dialog");
  await page.keyboard.press("Escape");
  await page.goto(`${stack().web_url}meetings/${id}/edit`);
  await expect(page.getByLabel("Topic")).toHaveValue("Weekly");
  await check("form");
  await page.getByLabel("Topic").fill("");
  await page.reload();
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("alert")).toBeVisible();
  await check("form, restored and refused");
  await page.goto(`${stack().web_url}meetings/${id}/join`);
  await expect(page.getByTestId("sdk")).toHaveText("Zoom's meeting client is ready.");
  await check("join");
  await page.goto(`${stack().web_url}connections`);
  await expect(page.getByRole("article", { name: jill.name })).toBeVisible();
  await page.getByText(/permissions at Zoom/).click();
  await check("connections");
  await page.goto(`${stack().web_url}nowhere`);
  await expect(page.getByRole("heading", { name: "There is no such page" })).toBeVisible();
  await check("nowhere");
  await page.route("**/v2/**", () => undefined); // never answered
  await page.goto(stack().web_url);
  await expect(page.getByText("Loading meetings")).toBeVisible();
  await check("loading");
  await page.unroute("**/v2/**");
  await page.route("**/v2/**", (route) => route.abort());
  await page.goto(stack().web_url);
  await expect(page.getByRole("alert")).toBeVisible();
  await check("error");
  await page.evaluate(() => sessionStorage.setItem("session", JSON.stringify({ token: "x", expires_at: 1, person: {} })));
  await page.reload();
  await expect(page.getByRole("heading", { name: "Your session has ended" })).toBeVisible();
  await check("session over");
  expect(seen).toHaveLength(23);
});

test("axe finds what is wrong, when something is", async ({ page }) => {
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await page.evaluate(() => document.querySelector("main")?.append(document.createElement("button")));
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((each) => each.id)).toContain("button-name");
});

test("a meeting is planned with the keyboard alone", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").focus();
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "By keyboard" })).toBeFocused();
  await page.keyboard.press("Tab"); // Join
  await page.keyboard.press("Tab"); // Edit
  await page.keyboard.press("Tab"); // Delete
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog")).toBeVisible();
  await expect(page.getByRole("button", { name: "Keep" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Delete" })).toBeFocused();
});

test("a form that is not complete says what is missing, where the eye and the screen reader are", async ({ page }) => {
  await signIn(page);
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("alert")).toContainText("Topic");
  await expect(page.getByLabel("Topic")).toBeFocused();
  await expect(page.getByLabel("Topic")).toHaveAttribute("aria-invalid", "true");
});

test("times are those of who looks", async ({ browser, page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  await createMeeting(page, { topic: "Early", start_time: "2030-01-07T23:30:00Z" });
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: /Tuesday,? 8 January 2030/ })).toBeVisible();
  await expect(page.getByText("Times are in your zone, Europe/Vienna.")).toBeVisible();
  const kept = await page.evaluate(() => JSON.stringify({ ...sessionStorage }));
  const away = await browser.newPage({ timezoneId: "America/Los_Angeles", locale: "en-US" });
  await away.addInitScript((all) => Object.entries(JSON.parse(all) as object).forEach(([name, value]) => sessionStorage.setItem(name, String(value))), kept);
  await away.goto(stack().web_url);
  await expect(away.getByRole("heading", { name: "Monday, January 7, 2030" })).toBeVisible();
  await expect(away.getByText("03:30 PM")).toBeVisible();
  await away.close();
});
