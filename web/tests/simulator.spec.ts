/** The simulated Zoom's own page: it is no part of the client, but people meet it first. */
import { LONG } from "./meeting-data";
import { expect, expectAccessible, expectToFit, shots, test } from "./mocked";
import { newZoomUser, sim, stack } from "./stack";

test("every card of the simulated Zoom's page fits, on a phone and on a desk, with long words", async ({ page }) => {
  const user = await newZoomUser(LONG.slice(0, 60));
  const { id } = await sim<{ id: number }>("/meetings", { user: user.email, topic: LONG + LONG });
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { host: true });
  await sim(`/meetings/${id}/join`, { name: LONG });
  await page.goto(stack().zoom_url);
  await expect(page.getByText(LONG).first()).toBeVisible();
  await expectToFit(page, "the simulated Zoom");
  await expectAccessible(page, "the simulated Zoom");
  await shots(page, "simulator");
  for (const letter of ["j", "s"]) {
    await page.goto(`${stack().zoom_url}/${letter}/${id}`);
    await expect(page.getByRole("heading", { name: LONG })).toBeVisible();
    await expectToFit(page, `the simulated Zoom's /${letter}/`);
  }
  await sim(`/meetings/${id}/end`);
});

test("a person of the simulated Zoom has one menu, which the keyboard opens and leaves", async ({ page }) => {
  const user = await newZoomUser("Mia");
  await page.goto(stack().zoom_url);
  const more = page.getByRole("button", { name: `More for ${user.name}` });
  await more.focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("button", { name: "Sign out everywhere" })).toHaveCount(1); // of all people's, the one that is open
  await expectAccessible(page, "a menu of the simulated Zoom");
  await page.keyboard.press("Escape");
  await expect(page.getByRole("button", { name: "Sign out everywhere" })).toHaveCount(0);
  await expect(more).toBeFocused();
});
