/** What a person does: connect, plan, watch, join, disconnect. */
import { readFileSync } from "node:fs";
import { asPerson, connect, connectByHand, connectionOf, consent, createMeeting, expect, newZoomUser, program, signIn, sim, stack, test } from "./stack";

test("a person connects Zoom, sees that it is healthy, and a reload asks for nothing twice", async ({ page, jill }) => {
  await signIn(page);
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
  await connectByHand(page, jill);
  expect(page.url()).toBe(`${stack().web_url}connected`); // the one-time code has left the address
  await page.reload();
  await expect(page.getByRole("heading", { name: "Connections", exact: true })).toBeVisible();
  const card = page.getByRole("article", { name: jill.name });
  await expect(card.getByText("Healthy")).toBeVisible();
  await expect(card.getByText(jill.email)).toBeVisible();
});

test("saying no at Zoom connects nothing", async ({ page, jill }) => {
  await signIn(page);
  await consent(page, "Deny", jill);
  await expect(page.getByRole("heading", { name: "Nothing was connected" })).toBeVisible();
  await page.getByRole("link", { name: "Start again" }).click();
  await expect(page.getByRole("heading", { name: "Connect your Zoom account" })).toBeVisible();
  await page.getByRole("link", { name: "Connections" }).click();
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
});

test("a code that somebody else asked for connects nothing", async ({ page, browser, jill }) => {
  await signIn(page);
  // The victim comes back from Zoom with a code that belongs to Dana's session; the browser never gets to redeem it ...
  await page.route("**/app/connected*", (route) => route.abort());
  const back = page.waitForRequest(/\/app\/connected\?/);
  await consent(page, "Allow", jill);
  const { search } = new URL((await back).url());
  expect(search).toContain("code=");
  // ... and is opened in another person's session.
  const other = await browser.newPage();
  await signIn(other, "Otto Operator");
  await other.goto(`${stack().web_url}connected${search}`);
  await expect(other.getByRole("heading", { name: "Zoom is not connected" })).toBeVisible();
  await other.close();
});

test("a recurring meeting is made, changed and deleted, and nothing typed is lost on a reload", async ({ page, jill }) => {
  await signIn(page);
  await connectByHand(page, jill);
  await page.getByRole("link", { name: "Go to your meetings" }).click();
  await page.getByRole("link", { name: "New meeting" }).click();
  await page.getByLabel("Topic").fill("Monday round");
  await page.getByLabel("Starts").fill("2030-01-07T11:00"); // a Monday, whatever day it is today
  await page.getByLabel("Repeats").selectOption("weekly");
  await expect(page.getByRole("checkbox", { checked: true })).toHaveCount(1);
  await expect(page.getByRole("checkbox", { name: "Monday" })).toBeChecked();
  await page.getByRole("checkbox", { name: "Thursday" }).check();
  await page.getByLabel("Number of meetings").fill("3");
  await page.reload();
  await expect(page.getByText("What you typed before is still here.")).toBeVisible();
  await expect(page.getByLabel("Topic")).toHaveValue("Monday round");
  await expect(page.getByLabel("Number of meetings")).toHaveValue("3");
  await expect(page.getByRole("checkbox", { checked: true })).toHaveCount(2);
  await page.getByRole("button", { name: "Create the meeting" }).click();

  await expect(page.getByRole("heading", { name: "Monday round" })).toBeVisible();
  await expect(page.getByText("Every week, on Monday and Thursday, 3 times")).toBeVisible();
  await expect(page.getByText(/Mon,? 7 Jan 2030, 11:00/).first()).toBeVisible();
  await page.getByText("3 times", { exact: true }).click();
  await expect(page.getByRole("button", { name: /Cancel the meeting of/ })).toHaveCount(3);
  await page.getByRole("button", { name: /Cancel the meeting of Thu/ }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("2 times", { exact: true }).click();
  await expect(page.getByRole("button", { name: /Cancel the meeting of/ })).toHaveCount(2);

  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("Topic").fill("Monday circle");
  const sent = page.waitForRequest((request) => request.method() === "PATCH");
  await page.getByRole("button", { name: "Save" }).click();
  expect((await sent).postDataJSON()).toEqual({ topic: "Monday circle" }); // and nothing that was not touched
  await expect(page.getByRole("heading", { name: "Monday circle" })).toBeVisible();

  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await expect(page.getByRole("heading", { name: "My meetings" })).toBeVisible();
  await expect(page.getByText("Nothing is planned.")).toBeVisible();
});

test("a series that was planned elsewhere, by another rule, keeps it when only its topic is changed", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const recurrence = { type: 3, repeat_interval: 1, monthly_week: -1, monthly_week_day: 6, end_times: 4 };
  const plan = { type: 8, start_time: "2030-01-25T09:00:00", timezone: "America/New_York", recurrence };
  const id = await createMeeting(page, plan);
  await page.goto(`${stack().web_url}meetings/${id}/edit`);
  await expect(page.getByLabel("Zone")).toHaveValue("America/New_York");
  await expect(page.getByLabel("Starts")).toHaveValue("2030-01-25T09:00");
  await expect(page.getByText(/In your zone, Europe\/Vienna, that is Fri,? 25 Jan 2030, 15:00/)).toBeVisible();
  await expect(page.getByLabel("On", { exact: true })).toHaveValue("-1");
  await page.getByLabel("Topic").fill("Month's end");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Every month, on the last Friday, 4 times")).toBeVisible();
  const { body } = await asPerson<{ timezone: string; recurrence: object }>(page, "GET", `/v2/meetings/${id}`);
  expect(body.timezone).toBe("America/New_York");
  expect(body.recurrence).toMatchObject(recurrence);

  // And a rule that this form makes itself.
  await page.getByRole("link", { name: "Edit" }).click();
  await page.getByLabel("On", { exact: true }).selectOption("on the fourth Friday");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Every month, on the fourth Friday, 4 times")).toBeVisible();
});

test("a create whose answer was lost is sent again with the same key, and makes one meeting", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").fill("Only once");
  let lost = 0;
  await page.route("**/v2/users/me/meetings", async (route) => {
    if (route.request().method() !== "POST" || lost++ > 0) return route.fallback();
    await route.fetch(); // it arrives ...
    await route.abort(); // ... and its answer does not
  });
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("alert")).toContainText("The gateway does not answer");
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("heading", { name: "Only once" })).toBeVisible();
  const { body } = await asPerson<{ meetings: object[] }>(page, "GET", "/v2/users/me/meetings?type=scheduled");
  expect(body.meetings).toHaveLength(1);
});

test("people who come and go are seen without touching anything", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const id = await createMeeting(page, { topic: "Open house" });
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByText("Not started")).toBeVisible();
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { name: "Ada Guest" });
  const roster = page.getByTestId("roster");
  await expect(roster.getByText("Ada Guest")).toBeVisible();
  await expect(page.getByText(/Live early, \d present/)).toBeVisible();
  await sim(`/meetings/${id}/leave`, { participant: "Ada Guest" });
  await expect(roster.getByText("Ada Guest")).toHaveCount(0);
  await sim(`/meetings/${id}/end`);
  await expect(page.getByText("Ended")).toBeVisible();
  await expect(page.getByRole("rowheader", { name: "Ada Guest" })).toBeVisible();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save as a table (CSV)" }).click();
  const lines = readFileSync(await (await saved).path(), "utf8").split("\r\n"); // trim() would take the byte order mark, too
  expect(lines[0]).toBe("\ufeffName,Guest,Came (UTC),Left (UTC),Minutes");
  expect(lines.find((each) => each.startsWith("Ada Guest,"))).toMatch(/^Ada Guest,(yes|no),\d{4}-[^,]+Z,\d{4}-[^,]+Z,\d+\.\d$/);
});

test("registrants and recordings appear by themselves, and who waits is let in", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const settings = { auto_recording: "cloud", approval_type: 1, registration_type: 1 };
  const id = await createMeeting(page, { topic: "Recorded", settings });
  await page.goto(`${stack().web_url}meetings/${id}`);
  const registrants = page.getByRole("region", { name: "Registrants" });
  await expect(registrants).toContainText("Nobody has registered yet.");
  const ada = { first_name: "Ada", last_name: "Lovelace", email: "ada@example.com" };
  await program("POST", `/v2/meetings/${id}/registrants`, ada, await connectionOf(jill));
  await expect(registrants).toContainText("Ada Lovelace");
  await page.getByRole("button", { name: "Approve Ada Lovelace" }).click();
  await expect(registrants).toContainText("1 may join, 0 wait for an answer");

  await expect(page.getByText("There is no recording.")).toBeVisible();
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { name: "Ada Guest" });
  await sim(`/meetings/${id}/end`); // Zoom processes the recording; the page finds it when it is there
  await expect(page.getByRole("link", { name: /Open .* at Zoom/ }).first()).toBeVisible();
});

test("what the form chose is what Zoom has, and who came is a picture", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").fill("Closed round");
  await page.getByText("Passcode, waiting room, registration").click();
  await page.getByLabel("Passcode").fill("s3cret");
  await page.getByLabel("Waiting room").selectOption("everybody waits until let in");
  await page.getByLabel("Recording").selectOption("in Zoom's cloud");
  await page.getByLabel("Invitees").fill("ada@example.com");
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("heading", { name: "Closed round" })).toBeVisible();
  const id = page.url().split("/").at(-1) ?? "";
  const { body } = await asPerson<{ password: string; settings: object }>(page, "GET", `/v2/meetings/${id}`);
  expect(body.password).toBe("s3cret");
  expect(body.settings).toMatchObject({ waiting_room: true, auto_recording: "cloud", meeting_invitees: [{ email: "ada@example.com" }] });

  await page.getByRole("link", { name: "Join" }).click();
  await expect(page.getByTestId("simulated").getByRole("link", { name: "Join at the simulated Zoom" })).toHaveAttribute("href", `${stack().zoom_url}/j/${id}`);
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { host: true });
  await sim(`/meetings/${id}/join`, { name: "Ada Guest" });
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByText("In the waiting room: Ada Guest")).toBeVisible();
  await sim(`/meetings/${id}/admit`, { participant: "Ada Guest" });
  await expect(page.getByTestId("roster").getByText("Ada Guest")).toBeVisible();
  await expect(page.getByText(/Live early, 2 present/)).toBeVisible();
  await sim(`/meetings/${id}/end`);
  await expect(page.getByText("Ended early")).toBeVisible();
  await page.getByRole("link", { name: "As a picture" }).click();
  await expect(page.getByRole("img", { name: /^Timeline of 2 people from .*, at most 2 at once\./ })).toBeVisible();
  await page.getByText("Show the table").click();
  await expect(page.getByRole("columnheader", { name: "In the waiting room" })).toBeVisible();
});

test("the join page loads the SDK and asks for its signature", async ({ page, jill, faults }) => {
  await signIn(page);
  await connect(page, jill);
  const id = await createMeeting(page);
  await page.goto(`${stack().web_url}meetings/${id}/join`);
  await expect(page.getByTestId("sdk")).toHaveText("Zoom's meeting client is ready.");
  expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  await page.getByLabel("Your name in the meeting").fill("Dana");
  await page.reload();
  await expect(page.getByLabel("Your name in the meeting")).toHaveValue("Dana");
  await expect(page.getByTestId("sdk")).toHaveText("Zoom's meeting client is ready.");
  const asked = page.waitForResponse(/\/sdk-signature$/);
  await page.getByRole("button", { name: "Join" }).click();
  const answer = await asked;
  expect(answer.status()).toBe(200);
  const admission = (await answer.json()) as { signature: string; zak: string | null };
  expect(admission.signature.split(".")).toHaveLength(3);
  expect(admission.zak).toBeTruthy(); // Dana joins as herself
  // No real Zoom answers here: the SDK comes as far as asking Zoom for the meeting, and says that it could not.
  await expect(page.getByText("Fail to join the meeting.").first()).toBeVisible();
  await expect(page.getByText("Zoom did not let you in.")).toBeVisible();
  expect(faults.filter((each) => /Content.Security.Policy/.test(each))).toEqual([]);
  faults.length = 0; // what else the SDK complains about without a network is its own affair
});

test("disconnecting ends it", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  await page.goto(`${stack().web_url}connections`);
  await page.getByRole("button", { name: "Disconnect" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Disconnect" }).click();
  await expect(page.getByText("The Zoom account is disconnected.")).toBeVisible();
  await page.reload();
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
});

test("a grant that Zoom has ended is said with the way to give it again", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  await sim(`/users/${jill.id}/deauthorize`);
  await expect(async () => {
    await page.goto(`${stack().web_url}connections`);
    await expect(page.getByText("Zoom no longer accepts what you agreed to.")).toBeVisible({ timeout: 3000 });
  }).toPass();
  await page.goto(stack().web_url);
  await expect(page.getByRole("alert")).toContainText("Zoom has to be connected again.");
  await page.getByRole("link", { name: "Reconnect Zoom" }).click();
  await expect(page.getByRole("heading", { name: "Reconnect your Zoom account" })).toBeVisible();
  await page.getByRole("button", { name: "Reconnect Zoom" }).click();
  await page.getByRole("button", { name: "Continue to Zoom" }).click();
  await page.getByLabel(jill.name).check();
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(page.getByRole("heading", { name: "Zoom is connected" })).toBeVisible();
  await page.getByRole("link", { name: "Go to your meetings" }).click();
  await expect(page.getByText("Nothing is planned.")).toBeVisible();
});

test("a person sees only what is theirs, an operator sees all and chooses", async ({ page, browser, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const id = await createMeeting(page, { topic: "Jill's own" });
  const olive = await newZoomUser("Olive");
  const operator = await browser.newPage();
  await signIn(operator, "Otto Operator");
  await connect(operator, olive);
  await operator.goto(`${stack().web_url}connections`);
  for (const name of [jill.name, olive.name]) await expect(operator.getByRole("article", { name })).toBeVisible();
  await operator.getByLabel("Zoom account").selectOption(jill.name);
  await expect(operator.getByRole("link", { name: "Jill's own", exact: true })).toBeVisible();

  await page.goto(`${stack().web_url}connections`);
  await expect(page.getByRole("article", { name: jill.name })).toBeVisible();
  await expect(page.getByRole("article")).toHaveCount(1);
  const theirs = await connectionOf(olive);
  expect((await asPerson(page, "GET", `/connections/${theirs}`)).status).toBe(404);
  expect((await asPerson(page, "DELETE", `/connections/${theirs}`)).status).toBe(404);
  // What is on in a meeting of somebody else's account is nobody else's business either.
  const other = (await program<{ id: number }>("POST", "/v2/users/me/meetings", { topic: "Olive's", type: 2 }, theirs)).id;
  await sim(`/meetings/${other}/start`);
  await expect.poll(async () => (await asPerson(operator, "GET", `/meetings/${other}/state`)).status).toBe(200);
  expect((await asPerson(page, "GET", `/meetings/${other}/state`)).status).toBe(404);
  expect((await asPerson(page, "GET", `/meetings/${id}/state`)).status).toBe(200);
  await operator.close();
});
