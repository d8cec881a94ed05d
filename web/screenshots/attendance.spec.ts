/** The pictures of attendance, of meetings that lasted longer than a test. */
import { resolve } from "node:path";
import { attendance, matrix } from "../tests/meeting-data";
import { expect, mocked, open, test } from "../tests/mocked";

const FOLDER = resolve(import.meta.dirname, "../../docs/images/web");

test("attendance as a timeline and as a matrix", async ({ page }) => {
  await mocked(page, [[/attendance\/matrix/, matrix()], [/^\/meetings\/85123456789\/attendance/, attendance()]]);
  await page.setViewportSize({ width: 1200, height: 850 });
  await open(page, "meetings/85123456789/attendance");
  await expect(page.getByRole("img", { name: /^Timeline/ })).toBeVisible();
  await page.screenshot({ path: `${FOLDER}/attendance.png`, animations: "disabled" });
  await page.getByRole("link", { name: "The series" }).click();
  await expect(page.getByRole("img", { name: /^Matrix/ })).toBeVisible();
  await page.screenshot({ path: `${FOLDER}/attendance-series.png`, animations: "disabled" });
});
