/** What a person does: connect, plan, watch, join, disconnect. */
import { connect, consent, createMeeting, expect, forgetConnections, program, signIn, sim, stack, test } from "./stack";

test.beforeEach(forgetConnections);

test("a person connects Zoom and sees that it is healthy", async ({ page }) => {
  await signIn(page);
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
  await connect(page);
  expect(page.url()).toBe(`${stack().web_url}connected`); // the one-time code has left the address
  await page.getByRole("link", { name: "Connections" }).click();
  await expect(page.getByText("Healthy")).toBeVisible();
});

test("saying no at Zoom connects nothing", async ({ page }) => {
  await signIn(page);
  await consent(page, "Deny");
  await expect(page.getByRole("heading", { name: "Nothing was connected" })).toBeVisible();
  await page.getByRole("link", { name: "Start again" }).click();
  await expect(page.getByRole("heading", { name: "Connect your Zoom account" })).toBeVisible();
  await page.getByRole("link", { name: "Connections" }).click();
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
});

test("a code that somebody else asked for connects nothing", async ({ page, browser }) => {
  await signIn(page);
  // The victim comes back from Zoom with a code that belongs to Dana's session; the browser never gets to redeem it ...
  await page.route("**/app/connected*", (route) => route.abort());
  const back = page.waitForRequest(/\/app\/connected\?/);
  await consent(page, "Allow");
  const { search } = new URL((await back).url());
  expect(search).toContain("code=");
  // ... and is opened in another person's session.
  const other = await browser.newPage();
  await signIn(other, "Otto Operator");
  await other.goto(`${stack().web_url}connected${search}`);
  await expect(other.getByRole("heading", { name: "Zoom is not connected" })).toBeVisible();
  await other.close();
});

test("a recurring meeting is made, changed and deleted, and nothing typed is lost on a reload", async ({ page }) => {
  await signIn(page);
  await connect(page);
  await page.getByRole("link", { name: "Go to your meetings" }).click();
  await page.getByRole("link", { name: "New meeting" }).click();
  await page.getByLabel("Topic").fill("Monday round");
  await page.getByLabel("Starts").fill("2030-01-07T11:00");
  await page.getByLabel("Repeats").selectOption("weekly");
  await page.getByLabel("How many times").fill("3");
  await page.reload();
  await expect(page.getByLabel("Topic")).toHaveValue("Monday round");
  await expect(page.getByLabel("How many times")).toHaveValue("3");
  await page.getByRole("checkbox", { name: "Monday" }).check();
  await page.getByRole("button", { name: "Create the meeting" }).click();

  await expect(page.getByRole("heading", { name: "Monday round" })).toBeVisible();
  await expect(page.getByText("Every week, on Monday, 3 times")).toBeVisible();
  await expect(page.getByText("Mon 7 Jan 2030, 11:00").or(page.getByText("Mon, 7 Jan 2030, 11:00")).first()).toBeVisible();
  await page.getByText("3 times", { exact: true }).click();
  await expect(page.getByRole("button", { name: /Cancel the meeting of/ })).toHaveCount(3);

  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Topic").fill("Monday circle");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { name: "Monday circle" })).toBeVisible();

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("heading", { name: "My meetings" })).toBeVisible();
  await expect(page.getByText("Monday circle")).toHaveCount(0);
});

test("people who come and go are seen without touching anything", async ({ page }) => {
  await signIn(page);
  await connect(page);
  const id = await createMeeting(page, { topic: "Open house" });
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByText("Not started")).toBeVisible();
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { name: "Ada Guest" });
  const roster = page.getByTestId("roster");
  await expect(roster.getByText("Ada Guest")).toBeVisible();
  await expect(page.getByText(/Live, \d present/)).toBeVisible();
  await sim(`/meetings/${id}/leave`, { participant: "Ada Guest" });
  await expect(roster.getByText("Ada Guest")).toHaveCount(0);
  await sim(`/meetings/${id}/end`);
  await expect(page.getByText("Ended")).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "Ada Guest" })).toBeVisible();
});

test("recordings and registrants are there when Zoom has them", async ({ page }) => {
  await signIn(page);
  await connect(page);
  const settings = { auto_recording: "cloud", approval_type: 0, registration_type: 1 };
  const id = await createMeeting(page, { topic: "Recorded", settings });
  await program("POST", `/v2/meetings/${id}/registrants`, { first_name: "Ada", last_name: "Lovelace", email: "ada@example.com" });
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { host: true });
  await sim(`/meetings/${id}/leave`, { host: true }).catch(() => undefined);
  await sim(`/meetings/${id}/end`);
  await sim("/idle?timeout=20", {}, "GET");
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByRole("region", { name: "Registrants" })).toContainText("Ada Lovelace ada@example.com");
  await expect(page.getByRole("link", { name: /Open .* at Zoom/ }).first()).toBeVisible();
});

test("the join page loads the SDK and asks for its signature", async ({ page, faults }) => {
  await signIn(page);
  await connect(page);
  const id = await createMeeting(page);
  await page.goto(`${stack().web_url}meetings/${id}/join`);
  await expect(page.getByTestId("sdk")).toHaveText("Zoom's meeting client is ready.");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  const asked = page.waitForResponse(/\/sdk-signature$/);
  await page.getByLabel("Your name in the meeting").fill("Dana");
  await page.getByRole("button", { name: "Join" }).click();
  const answer = await asked;
  expect(answer.status()).toBe(200);
  const admission = (await answer.json()) as { signature: string; zak: string | null };
  expect(admission.signature.split(".")).toHaveLength(3);
  expect(admission.zak).toBeTruthy(); // Dana joins as herself
  // No real Zoom answers here: the SDK comes as far as asking Zoom for the meeting, and says that it could not.
  await expect(page.getByText("Fail to join the meeting.").first()).toBeVisible({ timeout: 60_000 });
  await expect(page.getByText("Zoom did not let you in.")).toBeVisible();
  expect(faults.filter((each) => /Content.Security.Policy/.test(each))).toEqual([]);
  faults.length = 0; // what else the SDK complains about without a network is its own affair
});

test("disconnecting ends it", async ({ page }) => {
  await signIn(page);
  await connect(page);
  await page.goto(`${stack().web_url}connections`);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await expect(page.getByText("The Zoom account is disconnected.")).toBeVisible();
  await page.reload();
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
});

test("a person sees only what is theirs, an operator sees all", async ({ page, browser }) => {
  await signIn(page);
  await connect(page);
  const operator = await browser.newPage();
  await signIn(operator, "Otto Operator");
  await connect(operator, "Olive Owner");
  await operator.goto(`${stack().web_url}connections`);
  await expect(operator.getByRole("article")).toHaveCount(2);
  await page.goto(`${stack().web_url}connections`);
  await expect(page.getByRole("article")).toHaveCount(1);
  await operator.close();
});
