/** The operator's console, on a night that a test cannot have. */
import { resolve } from "node:path";
import { BAD_NIGHT, NOW } from "../tests/console-data";
import { expect, mocked, open, test } from "../tests/mocked";

const FOLDER = resolve(import.meta.dirname, "../../docs/images/web");

test.use({ timezoneId: "UTC" });

test("the console on a bad night", async ({ page }) => {
  await page.clock.setFixedTime(NOW);
  await mocked(page, BAD_NIGHT);
  await page.setViewportSize({ width: 1200, height: 1500 });
  await open(page, "console");
  await expect(page.getByRole("img", { name: /^Calls by day/ })).toBeVisible();
  await page.screenshot({ path: `${FOLDER}/console.png`, animations: "disabled" });
});
