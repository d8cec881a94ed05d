/** The operator's console: what it says on a bad night, what it does, and how it fits. */
import { BAD_NIGHT, deadLetters, NEW_STACK, NOW } from "./console-data";
import { expect, look, mocked, open, shots, test } from "./mocked";

test.use({ timezoneId: "UTC" });

test.beforeEach(async ({ page }) => {
  await page.clock.install({ time: NOW });
});

test("what wants somebody comes first, and every part is a chart with a table that says the same", async ({ page }) => {
  await mocked(page, BAD_NIGHT);
  await open(page, "console");
  const wanted = page.getByRole("list", { name: "What wants somebody" }).getByRole("listitem");
  await expect(wanted).toHaveCount(10);
  await expect(wanted.first()).toContainText("3 dead letters in ingest.");
  await expect(page.getByRole("link", { name: /Dead letters 4/ })).toBeVisible();
  const chart = page.getByRole("img", { name: /^Calls by day, 7 days: 95,814 worked, 1,693 refused, 547 over a limit, 216 failed\.$/ });
  await expect(chart).toBeVisible();
  expect(await chart.evaluate((canvas: HTMLCanvasElement) => new Set(canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height).data).size)).toBeGreaterThan(20);
  const calls = page.getByRole("region", { name: "Calls to Zoom" });
  await calls.getByText("Show the table").first().click();
  await expect(calls.getByRole("row", { name: /^23 Nov/ })).toContainText("2,65970420161");
  await expect(calls.getByRole("meter", { name: /acc-kJ2mN8pQ, costly: 7% left: 4,170 of 60,000/ })).toBeVisible();
  await expect(page.getByRole("region", { name: "Events from Zoom" })).toContainText("Came twice89");
  await expect(page.getByRole("row", { name: /y0/ }).first()).toContainText("make try-again");
  await page.getByRole("button", { name: "Show more" }).click();
  await expect(page.getByRole("row", { name: /y7/ })).toBeVisible();
  await page.clock.fastForward(61_000);
  await expect(calls.getByText(/Shown as of/)).toBeVisible(); // its table is open
  await expect(page.getByRole("row", { name: /y7/ })).toBeVisible();
  await look(page, "console");
});

test("dead letters are looked at, sent back after a question, and discarded with a reason, by keyboard alone", async ({ page }) => {
  const sent = await mocked(page, BAD_NIGHT);
  await open(page, "console");
  const queue = page.getByRole("article", { name: "Queue ingest" });
  await queue.getByText("Look at them").focus();
  await page.keyboard.press("Enter");
  await expect(queue.getByRole("row", { name: /meeting\.ended/ })).toContainText("app Zq2kPz9oQ8mJ4T6cVbR1xA");
  await shots(page, "console-dead-letters");
  await queue.getByRole("button", { name: "Send back all of ingest" }).focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Send back all of ingest?" })).toBeVisible();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(queue.getByText("3 messages were sent back. None is left.")).toBeVisible();
  await queue.getByRole("button", { name: "Discard all of ingest" }).click();
  const dialog = page.getByRole("dialog", { name: "Discard all of ingest?" });
  await dialog.getByRole("button", { name: "Discard" }).click();
  await expect(dialog).toBeVisible(); // a reason is required
  await dialog.getByLabel("Why they may be lost").fill("events of a test");
  await look(page, "console-discard");
  await dialog.getByRole("button", { name: "Discard" }).click();
  await expect(queue.getByText("3 messages were discarded.")).toBeVisible();
  expect(sent).toEqual([
    { method: "POST", path: "/operator/dead-letters/ingest/redrive", body: { all: true } },
    { method: "POST", path: "/operator/dead-letters/ingest/discard", body: { all: true, reason: "events of a test" } },
  ]);
});

test("a key is limited and revoked where it is listed", async ({ page }) => {
  const sent = await mocked(page, BAD_NIGHT);
  await open(page, "console");
  const row = page.getByRole("row", { name: /calendar sync/ });
  await row.getByRole("button", { name: "Limit key r3kq7m2xw5ab" }).click();
  await page.getByLabel("Requests a minute").fill("120");
  await page.getByRole("button", { name: "Set the limit" }).click();
  await expect(row).toContainText("120");
  await row.getByRole("button", { name: "Revoke key r3kq7m2xw5ab" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Revoke" }).click();
  await expect(row.getByText("revoked")).toBeVisible();
  await expect(row.getByRole("button", { name: /Revoke/ })).toHaveCount(0);
  expect(sent.map(({ method, path, body }) => [method, path, body])).toEqual([
    ["PATCH", "/operator/keys/r3kq7m2xw5ab", { requests_per_minute: 120 }],
    ["POST", "/operator/keys/r3kq7m2xw5ab/revoke", {}],
  ]);
});

test("who may only look is offered nothing to do", async ({ page }) => {
  await mocked(page, BAD_NIGHT, "operator:read");
  await open(page, "console");
  await expect(page.getByRole("article", { name: "Queue ingest" })).toBeVisible();
  await expect(page.getByRole("row", { name: /calendar sync/ })).toBeVisible();
  await expect(page.getByRole("button", { name: /Send|Discard|Revoke|Limit/ })).toHaveCount(0);
});

test("a new stack, a part that cannot be read, and one that is old are said in place", async ({ page }) => {
  await mocked(page, NEW_STACK);
  await open(page, "console");
  await expect(page.getByText("Nobody has connected Zoom yet.")).toBeVisible();
  await expect(page.getByText("No call in these days.")).toBeVisible();
  await look(page, "console-new-stack");
  await page.route("**/operator/calls?*", (route) => route.abort());
  await page.route("**/operator/dead-letters", (route) => route.fulfill({ json: { ...deadLetters, complete: false } }));
  await page.getByRole("button", { name: "Refresh" }).click();
  const calls = page.getByRole("region", { name: "Calls to Zoom" });
  await expect(calls.getByText(/Not up to date since/)).toBeVisible();
  await expect(page.getByText("Not known at the moment: Calls to Zoom.")).toBeVisible();
  await expect(page.getByText("the least there are")).toBeVisible();
  await expect(calls.getByText("No call in these days.")).toBeVisible();
  await look(page, "console-stale");
  await open(page, "console");
  await expect(calls.getByRole("alert")).toContainText("The gateway does not answer");
  await page.unroute("**/operator/calls?*");
  await calls.getByRole("button", { name: "Try again" }).click();
  await expect(calls.getByText("No call in these days.")).toBeVisible();
});

test("without the scope it says what is missing, and takes an operator's key without keeping it", async ({ page }) => {
  await mocked(page, [[/^\/oauth\/token/, { access_token: "zt_bearer", expires_in: 3600, scope: "operator:read operator:write" }], ...BAD_NIGHT], "meetings:read");
  await page.route("**/operator/**", async (route) => {
    if (route.request().headers().authorization === "Bearer zt_bearer") return route.fallback();
    await route.fulfill({ status: 403, json: { code: 4711, message: "Invalid access token.", reason: "missing_scope" } });
  });
  await open(page, "");
  await expect(page.getByRole("link", { name: "Console" })).toHaveCount(0);
  await open(page, "console");
  await expect(page.getByText("the scope operator:read is missing")).toBeVisible();
  await look(page, "console-gate");
  await page.getByLabel("API key").fill("wrong");
  await page.getByRole("button", { name: "Open the console" }).click();
  await expect(page.getByText("That is no API key")).toBeVisible();
  const key = `zk_abcdefghijkl_${"A".repeat(43)}`;
  await page.getByLabel("API key").fill(key);
  await page.keyboard.press("Enter");
  await expect(page.getByRole("article", { name: "Queue ingest" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Console" })).toBeVisible();
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage, ...localStorage }))).not.toContain(key.slice(3));
  await page.getByRole("button", { name: "Leave" }).click();
  await expect(page.getByLabel("API key")).toBeVisible();
});

test("the span of days is in the address, and a change asks for it", async ({ page }) => {
  await mocked(page, BAD_NIGHT);
  const asked: string[] = [];
  page.on("request", (request) => request.url().includes("/operator/calls") && asked.push(new URL(request.url()).search));
  await open(page, "console");
  await expect(page.getByRole("link", { name: /Connections 1,213/ })).toBeVisible();
  await page.getByLabel("Days to show").selectOption("31 days");
  await expect(page).toHaveURL(/console\?days=31$/);
  await expect.poll(() => asked).toEqual(["?days=7", "?days=31"]);
});
