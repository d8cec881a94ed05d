/** What can go wrong, and what somebody else may try. docs/threat-model-web.md names the tests here. */
import { asPerson, connect, createMeeting, expect, program, connectionOf, signIn, signInByHand, sim, stack, test } from "./stack";

test("a session that has ended is said, and signing in goes on where it was", async ({ page }) => {
  await signIn(page);
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").fill("Not lost");
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("session") ?? "{}") as { token: string };
    sessionStorage.setItem("session", JSON.stringify({ ...kept, token: `${kept.token.slice(0, -8)}AAAAAAAA` }));
  });
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("heading", { name: "Your session has ended" })).toBeVisible();
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Dana Developer" }).click();
  await expect(page.getByRole("heading", { name: "New meeting" })).toBeVisible();
  await expect(page.getByLabel("Topic")).toHaveValue("Not lost");
});

test("the next person in the same tab finds nothing of the one before", async ({ page }) => {
  await signIn(page);
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").fill("Dana's secret");
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("session") ?? "{}") as object;
    sessionStorage.setItem("session", JSON.stringify({ ...kept, expires_at: 1 }));
  });
  await page.reload();
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Otto Operator" }).click();
  await expect(page.getByRole("heading", { name: "New meeting" })).toBeVisible();
  await expect(page.getByLabel("Topic")).toHaveValue("");
  expect(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).not.toContain("secret");
});

test("a session whose time is over is said, too", async ({ page }) => {
  await signIn(page);
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("session") ?? "{}") as { token: string };
    sessionStorage.setItem("session", JSON.stringify({ ...kept, expires_at: Date.now() - 1 }));
  });
  await page.reload();
  await expect(page.getByRole("heading", { name: "Your session has ended" })).toBeVisible();
});

test("a 401 of Zoom's ends no session here", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const headers = { "content-type": "application/json", "x-gateway-reason": "zoom_refused" };
  await page.route("**/v2/users/me/meetings?*", (route) =>
    route.fulfill({ status: 401, headers, body: JSON.stringify({ code: 124, message: "Invalid access token.", reason: "zoom_refused" }) }),
  );
  await page.goto(stack().web_url);
  await expect(page.getByRole("alert")).toContainText("Invalid access token.");
  await expect(page.getByRole("button", { name: "Sign out" })).toBeVisible();
});

for (const [path, calls] of [
  ["", "**/v2/users/me/meetings?*"],
  ["connections", "**/connections?*"],
  ["meetings/85123456789", "**/v2/meetings/*"],
  ["meetings/85123456789/edit", "**/v2/meetings/*"],
] as const) {
  test(`a gateway that is down is said, and trying again works: /${path}`, async ({ page }) => {
    await signIn(page);
    await page.route(calls, (route) => route.abort());
    await page.goto(stack().web_url + path);
    await expect(page.getByRole("alert")).toContainText("The gateway does not answer");
    await page.unroute(calls);
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByText("The gateway does not answer")).toHaveCount(0);
    await expect(page.getByText(/No Zoom account is connected|no Zoom connection/i).first()).toBeVisible();
  });
}

test("a gateway that is down loses nothing that was typed, nor a way to connect", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  await page.goto(`${stack().web_url}meetings/new`);
  await page.getByLabel("Topic").fill("Kept");
  await page.route("**/v2/**", (route) => route.abort());
  await page.getByRole("button", { name: "Create the meeting" }).click();
  await expect(page.getByRole("alert")).toContainText("your input is kept");
  await expect(page.getByLabel("Topic")).toHaveValue("Kept");
  await page.route("**/auth/zoom/authorize", (route) => route.abort());
  await page.goto(`${stack().web_url}connect`);
  await page.getByRole("button", { name: "Connect Zoom" }).click();
  await expect(page.getByRole("alert")).toContainText("The gateway does not answer");
  await page.route("**/app/settings.json", (route) => route.abort());
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: "The app cannot start" })).toBeVisible();
});

test("an identity provider that is down is said", async ({ page }) => {
  await page.goto(stack().web_url);
  await page.route(`${stack().oidc_issuer}/**`, (route) => route.abort());
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("alert")).toContainText("The identity provider does not answer.");
});

test("a provider is asked for what it wants to be asked", async ({ page }) => {
  await page.route("**/app/settings.json", async (route) => {
    const answer = await route.fetch();
    const told = (await answer.json()) as { oidc: object };
    const oidc = { ...told.oidc, scope: "openid gateway/meetings:read", parameters: { audience: "https://gateway", state: "not this one" } };
    await route.fulfill({ response: answer, json: { ...told, oidc } });
  });
  await page.goto(stack().web_url);
  const asked = page.waitForRequest(/\/authorize\?/);
  await page.getByRole("button", { name: "Sign in" }).click();
  const query = new URL((await asked).url()).searchParams;
  expect(query.get("audience")).toBe("https://gateway");
  expect(query.get("scope")).toBe("openid gateway/meetings:read");
  expect(query.get("code_challenge_method")).toBe("S256");
  expect(query.get("state")).toHaveLength(43); // what protects the sign-in is not up to a setting
});

test("a live page says when it is no longer up to date, and recovers by itself", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const id = await createMeeting(page);
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByText(/Last looked at/)).toBeVisible();
  await page.route("**/state", (route) => route.abort());
  await expect(page.getByText(/Not up to date since/)).toBeVisible();
  await page.unroute("**/state");
  await expect(page.getByText(/Last looked at/)).toBeVisible();
});

test("text that looks like markup is text", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const evil = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  const id = await createMeeting(page, { topic: evil, agenda: evil, settings: { approval_type: 0, registration_type: 1 } });
  const guest = { first_name: "<b>Ada</b>", last_name: "<i>x</i>", email: "ada@example.com" };
  await program("POST", `/v2/meetings/${id}/registrants`, guest, await connectionOf(jill));
  await sim(`/meetings/${id}/start`);
  await sim(`/meetings/${id}/join`, { name: evil });
  await page.goto(stack().web_url);
  await expect(page.getByRole("link", { name: evil, exact: true })).toBeVisible();
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByRole("heading", { name: evil })).toBeVisible();
  await expect(page.getByTestId("roster").getByText(evil)).toBeVisible();
  await expect(page.getByText("<b>Ada</b> <i>x</i>")).toBeVisible();
  expect(await page.title()).not.toBe("owned");
  expect(await page.locator("main img, main script, main b, main i").count()).toBe(0);
});

test("an address that is a script is no link", async ({ page, jill }) => {
  await signIn(page);
  await connect(page, jill);
  const id = await createMeeting(page);
  await page.route(`**/v2/meetings/${id}`, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), join_url: "javascript:document.title='owned'" } });
  });
  await page.goto(`${stack().web_url}meetings/${id}`);
  const link = page.getByText("Open in Zoom");
  await expect(link).toBeVisible();
  expect(await link.getAttribute("href")).toBeNull();
});

test("scripts from elsewhere and inline scripts do not run", async ({ page, faults }) => {
  await page.goto(stack().web_url);
  await page.evaluate((elsewhere) => {
    const inline = document.createElement("script");
    inline.textContent = "window.owned = true";
    const foreign = document.createElement("script");
    foreign.src = elsewhere;
    document.body.append(inline, foreign);
  }, `${stack().zoom_url}/evil.js`);
  await expect.poll(() => faults.length).toBeGreaterThanOrEqual(2); // the browser reported both
  expect(await page.evaluate(() => "owned" in window)).toBe(false);
  faults.length = 0;
});

test("what a page could send to elsewhere stays here", async ({ page, faults }) => {
  await page.goto(stack().web_url);
  const reached = await page.evaluate((where) => fetch(where, { mode: "no-cors" }).then(() => true, () => false), `${stack().zoom_url}/_sim/health`);
  expect(reached).toBe(false);
  expect(faults.some((each) => each.includes("connect-src") || each.includes("Content Security Policy"))).toBe(true);
  faults.length = 0;
});

test("no other site can frame the app, the consent page or the sign-in", async ({ page, faults }) => {
  for (const path of ["app/", "auth/zoom/start?ticket=x"]) {
    const answer = await page.request.get(`${stack().api_url}/${path}`);
    expect(answer.headers()["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(answer.headers()["x-frame-options"]).toBe("DENY");
  }
  await page.goto(stack().web_url);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByRole("heading", { name: "Who are you today?" })).toBeVisible();
  const framed = [stack().web_url, `${stack().api_url}/auth/zoom/start?ticket=x`, page.url()];
  await page.goto(`${stack().zoom_url}/_sim/health`);
  for (const address of framed) {
    await page.setContent(`<iframe src="${address.replaceAll("&", "&amp;")}"></iframe>`);
    const frame = page.frames()[1];
    await expect.poll(() => frame?.url() ?? "").toMatch(/chrome-error/);
  }
  faults.length = 0;
});

test("signing in leads to no other site", async ({ page }) => {
  await page.goto(stack().web_url);
  for (const returnTo of ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "/other"]) {
    await page.goto(stack().web_url);
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    await page.getByRole("button", { name: "Sign in" }).click();
    await expect(page.getByRole("heading", { name: "Who are you today?" })).toBeVisible();
    // Somebody has put another address where the way back is kept; the sign-in itself is a real one.
    const change = ((where: string): void => {
      const kept = sessionStorage.getItem("sign-in");
      if (kept) sessionStorage.setItem("sign-in", JSON.stringify({ ...(JSON.parse(kept) as object), returnTo: where }));
    }).toString();
    await page.route("**/app/signed-in*", async (route) => {
      const answer = await route.fetch();
      const body = (await answer.text()).replace("<head>", `<head><script src="/app/change.js"></script>`);
      await route.fulfill({ response: answer, body });
    });
    await page.route("**/app/change.js", (route) => route.fulfill({ contentType: "text/javascript", body: `(${change})(${JSON.stringify(returnTo)})` }));
    await page.getByRole("button", { name: "Dana Developer" }).click();
    await expect(page.getByRole("heading", { name: "My meetings" })).toBeVisible();
    expect(page.url()).toBe(stack().web_url);
    await page.unrouteAll();
  }
  await page.evaluate(() => sessionStorage.setItem("sign-in", JSON.stringify({ verifier: "v", state: "s", returnTo: "/app/" })));
  await page.goto(`${stack().web_url}signed-in?code=made-up&state=another`);
  await expect(page.getByText("This sign-in did not start here.")).toBeVisible();
});

test("a connection leads to no other site", async ({ page }) => {
  await signIn(page);
  for (const return_url of ["https://evil.example/", "//evil.example", `${stack().web_url.replace("localhost", "localhost.evil.example")}`, "javascript:alert(1)"]) {
    expect((await asPerson(page, "POST", "/auth/zoom/authorize", { return_url })).status, return_url).toBe(400);
  }
});

test("another site's form cannot act for a person", async ({ page, context, jill }) => {
  await signIn(page);
  await connect(page, jill);
  expect((await context.cookies()).filter((each) => each.value !== "")).toEqual([]); // nothing a browser would send along by itself
  const answer = await page.request.delete(`${stack().api_url}/connections/${await connectionOf(jill)}`);
  expect(answer.status()).toBe(401);
});

test("another site's form cannot start a connection", async ({ page }) => {
  await signIn(page);
  const { body } = await asPerson<{ authorize_url: string }>(page, "POST", "/auth/zoom/authorize", { return_url: `${stack().web_url}connected` });
  const ticket = new URL(body.authorize_url).searchParams.get("ticket") ?? "";
  const elsewhere = stack().zoom_url.replace("localhost", "127.0.0.1");
  await page.goto(`${elsewhere}/_sim/health`);
  await page.setContent(`<form method="post" action="${stack().api_url}/auth/zoom/start"><input name="ticket" value="${ticket}"><button>Win a prize</button></form>`);
  await page.getByRole("button", { name: "Win a prize" }).click();
  await expect(page.getByRole("heading", { name: "This was not sent from here" })).toBeVisible();
  await page.goto(body.authorize_url); // and the ticket is not spent
  await page.getByRole("button", { name: "Continue to Zoom" }).click();
  await expect(page.getByRole("button", { name: "Allow", exact: true })).toBeVisible();
});

test("the token is in this tab only", async ({ page, context }) => {
  const addresses: string[] = [];
  page.on("request", (request) => addresses.push(request.url()));
  await signInByHand(page);
  const token = await page.evaluate(() => (JSON.parse(sessionStorage.getItem("session") ?? "{}") as { token: string }).token);
  expect(token.split(".")).toHaveLength(3);
  expect(addresses.filter((each) => each.includes(token))).toEqual([]);
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).toBe("{}");
  const another = await context.newPage();
  await another.goto(stack().web_url);
  await expect(another.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});

test("the settings hold the guide's two names and no secret", async ({ page }) => {
  const answer = await page.request.get(`${stack().web_url}settings.json`);
  const settings = (await answer.json()) as Record<string, string>;
  expect(settings).toMatchObject({
    VITE_ZOOM_CLIENT_ID: stack().zoom_client_id,
    VITE_ZOOM_OAUTH_URL: stack().zoom_authorize_url,
    oidc: { issuer: stack().oidc_issuer },
  });
  expect(await answer.text()).not.toContain(stack().api_key);
  // A link that a front end makes from them ends where the connection is started again, with a ticket.
  const query = new URLSearchParams({
    response_type: "code",
    client_id: settings.VITE_ZOOM_CLIENT_ID ?? "",
    redirect_uri: `${stack().api_url}/auth/zoom/callback`,
  });
  await page.goto(`${settings.VITE_ZOOM_OAUTH_URL}?${query}`);
  await page.getByRole("button", { name: "Allow", exact: true }).click();
  await expect(page).toHaveURL(`${stack().web_url}connect`);
});
