/** The API's page: what the gateway serves, shown by Scalar, with the local key, and nothing from elsewhere. */
import type { Page } from "@playwright/test";
import { expect, expectAccessible, shots, test } from "./mocked";
import { stack } from "./stack";

async function open(page: Page, api: string): Promise<void> {
  await page.goto(`${stack().api_url}/docs?api=${api}`);
  await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
}

test("each family of the API and the events are shown, and everything comes from one address", async ({ page }) => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== stack().api_url && protocol.startsWith("http")) elsewhere.push(request.url());
  });
  for (const [api, name] of [["gateway", /List the connected Zoom accounts/], ["recordings", /recording/i], ["events", /IntegrationEventsQueue/], ["meetings", /Create a meeting/]] as const) {
    await open(page, api);
    await expect(page.getByRole("link", { name }).first()).toBeVisible();
  }
  await expectAccessible(page, "the API's page");
  await shots(page, "api-reference");
  await open(page, "events");
  await expectAccessible(page, "the events");
  expect(elsewhere).toEqual([]);
});

test("a call is tried with the key of this machine", async ({ page }) => {
  await open(page, "gateway");
  await page.getByRole("link", { name: /List the connected Zoom accounts/ }).first().click();
  await page.getByRole("button", { name: /Test Request.*get \/connections\)/i }).first().click();
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === "/connections");
  await page.getByRole("button", { name: /^Send/ }).first().click();
  const answer = await answered;
  expect(new URL(answer.url()).origin).toBe(stack().api_url);
  expect(answer.request().headers().authorization).toBe(`Bearer ${stack().api_key}`);
  expect(answer.status()).toBe(200);
});
