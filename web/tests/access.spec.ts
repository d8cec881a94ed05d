/** For everybody: axe on every page, light and dark, desktop and phone, and the whole way by keyboard. */
import { AxeBuilder } from "@axe-core/playwright";
import { connect, createMeeting, expect, forgetConnections, signIn, sim, stack, test } from "./stack";

const LOOKS = [
  { name: "desktop, light", viewport: { width: 1200, height: 850 }, colorScheme: "light" },
  { name: "phone, dark", viewport: { width: 390, height: 844 }, colorScheme: "dark" },
] as const;

test.beforeAll(forgetConnections);

for (const look of LOOKS) {
  test(`axe finds nothing on any page: ${look.name}`, async ({ page }) => {
    await page.setViewportSize(look.viewport);
    await page.emulateMedia({ colorScheme: look.colorScheme });
    const check = async (name: string): Promise<void> => {
      const { violations } = await new AxeBuilder({ page }).withTags(["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]).analyze();
      expect(violations.map((each) => `${name}: ${each.id} ${each.nodes.map((node) => node.html).join(" ")}`)).toEqual([]);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(wide, `${name} scrolls sideways`).toBeLessThanOrEqual(0);
    };
    await page.goto(stack().web_url);
    await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
    await check("welcome");
    await signIn(page);
    await page.goto(`${stack().web_url}connect`);
    await check("connect");
    await connect(page);
    await check("connected");
    const id = await createMeeting(page, { topic: "Weekly", type: 8, recurrence: { type: 2, weekly_days: "2", end_times: 3 } });
    await page.goto(stack().web_url);
    await expect(page.getByRole("link", { name: "Weekly" }).first()).toBeVisible();
    await check("meetings");
    await sim(`/meetings/${id}/start`);
    await sim(`/meetings/${id}/join`, { name: "Ada Guest" });
    await page.goto(`${stack().web_url}meetings/${id}`);
    await expect(page.getByTestId("roster").getByText("Ada Guest")).toBeVisible();
    await expect(page.getByText("There is no recording.")).toBeVisible();
    await check("meeting");
    await sim(`/meetings/${id}/end`);
    await page.getByRole("button", { name: "Delete" }).click();
    await check("dialog");
    await page.keyboard.press("Escape");
    await page.goto(`${stack().web_url}meetings/${id}/edit`);
    await expect(page.getByLabel("Topic")).toHaveValue("Weekly");
    await check("form");
    await page.goto(`${stack().web_url}meetings/${id}/join`);
    await expect(page.getByTestId("sdk")).toHaveText("Zoom's meeting client is ready.");
    await check("join");
    await page.goto(`${stack().web_url}connections`);
    await expect(page.getByText("Healthy").first()).toBeVisible();
    await check("connections");
    await page.route("**/v2/**", (route) => route.abort());
    await page.goto(stack().web_url);
    await expect(page.getByRole("alert")).toBeVisible();
    await check("error");
  });
}

test("axe finds what is wrong, when something is", async ({ page }) => {
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await page.evaluate(() => document.querySelector("main")?.append(document.createElement("button")));
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map((each) => each.id)).toContain("button-name");
});

test("a meeting is planned with the keyboard alone", async ({ page }) => {
  await signIn(page);
  await connect(page);
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
