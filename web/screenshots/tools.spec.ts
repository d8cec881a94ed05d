/** The pages of tools: the API's, and the simulated Zoom's. */
import { resolve } from "node:path";
import { expect, sim, stack, test } from "../tests/stack";

const FOLDER = resolve(import.meta.dirname, "../../docs/images/web");

test("the API's page", async ({ page }) => {
  await page.goto(`${stack().api_url}/docs?api=meetings`);
  await page.getByText("Create a meeting").first().click();
  await expect(page.getByRole("heading", { name: "Create a meeting" })).toBeVisible();
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: `${FOLDER}/api-reference.png`, animations: "disabled" });
});

test("the simulated Zoom", async ({ page }) => {
  const { id } = await sim<{ id: number }>("/meetings", { user: "jill@zoom.example", topic: "Product round", auto_recording: "cloud" });
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { host: true });
  await sim(`/meetings/${id}/join`, { name: "Ada Guest" });
  for (const [name, width, colorScheme] of [["simulator", 1200, "light"], ["simulator-phone-dark", 390, "dark"]] as const) {
    await page.setViewportSize({ width, height: 850 });
    await page.emulateMedia({ colorScheme });
    await page.goto(stack().zoom_url);
    await expect(page.getByText("Ada Guest").first()).toBeVisible();
    await page.screenshot({ path: `${FOLDER}/${name}.png`, animations: "disabled" });
  }
  await sim(`/meetings/${id}/end`);
});
