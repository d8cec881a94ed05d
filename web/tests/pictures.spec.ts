/** Attendance as pictures: what they show, their text alternatives, files, print, and how they fit. */
import { readFile } from "node:fs/promises";
import { gzipSync } from "node:zlib";
import type { Download, Page } from "@playwright/test";
import { attendance, LONG, matrix } from "./meeting-data";
import { expect, look, mocked, open, shots, test } from "./mocked";

const ID = "85123456789";
const ONE = new RegExp(`^/meetings/${ID}/attendance(\\?|$)`);
const SERIES = new RegExp(`^/meetings/${ID}/attendance/matrix`);

test.use({ timezoneId: "UTC" });

async function saved(page: Page, name: string): Promise<[string, string]> {
  const waits = page.waitForEvent("download");
  await page.getByRole("button", { name }).click();
  const download: Download = await waits;
  return [download.suggestedFilename(), await readFile(await download.path(), "utf8")];
}

test("one meeting is a timeline with totals, and its table says the same", async ({ page }) => {
  await mocked(page, [[ONE, attendance()]]);
  await open(page, `meetings/${ID}/attendance`);
  const picture = page.getByRole("img", { name: "Timeline of 6 people from 14:00 to 15:00, at most 4 at once." });
  await expect(picture).toBeVisible();
  await expect(picture.locator("rect.stay")).toHaveCount(6);
  await expect(picture.locator("rect.device")).toHaveCount(1);
  await expect(picture.locator("rect.wait")).toHaveCount(1);
  await expect(picture.locator("line.cut")).toHaveCount(2); // an assumed leave, and a leave without its join
  await expect(page.getByText("at most at once, from 14:15 to 14:20")).toBeVisible();
  await expect(page.getByText("2 h 20 min")).toBeVisible();
  await page.getByText("Show the table").click();
  const ada = page.getByRole("row", { name: /Ada Lovelace/ });
  await expect(ada).toContainText("14:05 – 14:20, 14:30 – 14:50");
  await expect(ada).toContainText("14:01 – 14:05");
  await expect(page.getByRole("row", { name: /Jill Chill/ })).toContainText("15:00 (leave not seen)");
  await expect(page.getByRole("row", { name: "14:15 4" })).toBeVisible();
  await look(page, "timeline");
});

test("another meeting of the series is chosen by its planned start, an unplanned one by its uuid", async ({ page }) => {
  await mocked(page, [[ONE, attendance()]]);
  await open(page, `meetings/${ID}/attendance`);
  await expect(page.getByLabel("Which meeting").locator("option:checked")).toContainText("21 Sept");
  await page.getByLabel("Which meeting").selectOption({ index: 1 });
  await expect(page).toHaveURL(/attendance\?uuid=extra%3D%3D$/);
  await expect(page.getByRole("heading", { name: "Attendance" })).toBeFocused();
});

test("a timeline is saved as a picture that stands alone and as a table", async ({ page }) => {
  await mocked(page, [[ONE, attendance()]]);
  await open(page, `meetings/${ID}/attendance`);
  const [name, picture] = await saved(page, "Save as SVG");
  expect(name).toBe(`attendance-${ID}-2026-09-21.svg`);
  const parsed = await page.evaluate((text) => {
    const { documentElement: root } = new DOMParser().parseFromString(text, "image/svg+xml");
    return [root.tagName, root.querySelectorAll("rect.stay").length, root.querySelector("style")?.textContent?.includes(".stay") ?? false];
  }, picture);
  expect(parsed).toEqual(["svg", 6, true]);
  expect(picture).toContain(LONG); // cut in the picture, whole in its title
  const [table, text] = await saved(page, "Save as CSV");
  expect(table).toBe(`attendance-${ID}-2026-09-21.csv`);
  expect(text.split("\r\n")).toHaveLength(11);
  expect(text).toContain("Ada Lovelace,yes,in the waiting room,1,2026-09-21T14:01:00Z,2026-09-21T14:05:00Z,4.0,no");
});

test("print shows the picture and the tables, and nothing to press", async ({ page }) => {
  await mocked(page, [[ONE, attendance()]]);
  await open(page, `meetings/${ID}/attendance`);
  await expect(page.getByRole("img", { name: /Timeline/ })).toBeVisible();
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  await page.emulateMedia({ media: "print" });
  await expect(page.getByRole("img", { name: /Timeline/ })).toBeVisible();
  await expect(page.getByRole("row", { name: /Ada Lovelace/ })).toBeVisible();
  await expect(page.getByRole("button")).toHaveCount(0);
  await expect(page.getByRole("navigation")).toHaveCount(0);
  await shots(page, "print");
});

test("a series is a matrix of people by planned days", async ({ page }) => {
  await mocked(page, [[SERIES, matrix()], [ONE, attendance()]]);
  await open(page, `meetings/${ID}/attendance`);
  await page.getByRole("link", { name: "The series" }).click();
  const picture = page.getByRole("img", { name: "Matrix of 3 people by 4 planned meetings, 3 of them held." });
  await expect(picture).toBeVisible();
  await expect(picture.locator("rect.cell")).toHaveCount(7);
  await expect(page.getByText("Not counted: 1 unplanned meeting.")).toBeVisible();
  await page.getByText("Show the table").click();
  await expect(page.getByRole("row", { name: /Ada Lovelace/ })).toContainText("45.0–35.00.080.0");
  const [, text] = await saved(page, "Save as CSV");
  expect(text).toContain("Ada Lovelace,yes,45.0,,35.0,0.0,80.0\r\n");
  const [name, drawing] = await saved(page, "Save as SVG");
  expect(name).toBe(`attendance-${ID}-series-2026-09-07.svg`);
  expect(drawing).toContain("</svg>");
  await look(page, "matrix");
  await page.getByRole("link", { name: /Mon,? 7 Sept? 2026/ }).click();
  await expect(page).toHaveURL(/attendance\?occurrence=2026-09-07T14%3A00%3A00Z$/);
});

test("nobody there, an error and a picture that loads are said", async ({ page }) => {
  await mocked(page, [[ONE, { status: "scheduled", start_time: null, end_time: null, participants: [] }]]);
  await open(page, `meetings/${ID}/attendance`);
  await expect(page.getByText("Nobody was seen in this meeting yet.")).toBeVisible();
  await look(page, "attendance, nobody");
  await page.route(`**/meetings/${ID}/attendance`, (route) => (route.request().isNavigationRequest() ? route.fallback() : route.abort()));
  await open(page, `meetings/${ID}/attendance`);
  await expect(page.getByRole("alert")).toContainText("The gateway does not answer");
  await page.unroute(`**/meetings/${ID}/attendance`);
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("Nobody was seen in this meeting yet.")).toBeVisible();
});

test("the first page loads neither the pictures nor Zoom's client, and is small", async ({ page }) => {
  const scripts: string[] = [];
  page.on("response", (response) => {
    if (response.url().includes("/assets/")) scripts.push(response.url());
  });
  await mocked(page, [[/^\/v2\/users\/me\/meetings/, { meetings: [] }]]);
  await open(page, "");
  await expect(page.getByText("Nothing is planned.")).toBeVisible();
  await page.waitForLoadState("networkidle");
  expect(scripts.filter((url) => /attendance|embedded/.test(url))).toEqual([]);
  const files = await Promise.all(scripts.map((url) => readFile(`dist${new URL(url).pathname.replace("/app", "")}`)));
  expect(files.length).toBeGreaterThan(1);
  expect(files.reduce((sum, each) => sum + gzipSync(each).length, 0)).toBeLessThan(60_000);
});
