/** What can go wrong, and what somebody else may try. */
import { connect, createMeeting, expect, forgetConnections, signIn, stack, test } from "./stack";

test.beforeAll(forgetConnections);

test("a session that has ended is said, and signing in goes on where it was", async ({ page }) => {
  await signIn(page);
  await page.goto(`${stack().web_url}connections`);
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem("session") ?? "{}") as { token: string };
    sessionStorage.setItem("session", JSON.stringify({ ...kept, token: `${kept.token.slice(0, -8)}AAAAAAAA` }));
  });
  await page.reload();
  await expect(page.getByRole("heading", { name: "Your session has ended" })).toBeVisible();
  await page.getByRole("button", { name: "Sign in again" }).click();
  await page.getByRole("button", { name: "Dana Developer" }).click();
  await expect(page.getByRole("heading", { name: "Connections" })).toBeVisible();
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

test("a gateway that is down is said, and trying again works", async ({ page }) => {
  await signIn(page);
  await page.route("**/connections?*", (route) => route.abort());
  await page.goto(`${stack().web_url}connections`);
  await expect(page.getByRole("alert")).toContainText("The gateway does not answer");
  await page.unroute("**/connections?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await expect(page.getByText("No Zoom account is connected yet.")).toBeVisible();
});

test("a live page says when it is no longer up to date, and recovers by itself", async ({ page }) => {
  await signIn(page);
  await connect(page);
  const id = await createMeeting(page);
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByText(/Last looked at/)).toBeVisible();
  await page.route("**/state", (route) => route.abort());
  await expect(page.getByText(/Not up to date since/)).toBeVisible();
  await page.unroute("**/state");
  await expect(page.getByText(/Last looked at/)).toBeVisible();
});

test("text that looks like markup is text", async ({ page }) => {
  await signIn(page);
  await connect(page);
  const topic = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
  const id = await createMeeting(page, { topic });
  await page.goto(stack().web_url);
  await expect(page.getByRole("link", { name: topic }).first()).toBeVisible(); // a former run may have left its own
  await page.goto(`${stack().web_url}meetings/${id}`);
  await expect(page.getByRole("heading", { name: topic })).toBeVisible();
  expect(await page.title()).not.toBe("owned");
  expect(await page.locator("main img, main script").count()).toBe(0);
});

test("scripts from elsewhere and inline scripts do not run", async ({ page, faults }) => {
  await page.goto(stack().web_url);
  await page.evaluate(() => {
    const script = document.createElement("script");
    script.textContent = "window.owned = true";
    document.body.append(script);
  });
  expect(await page.evaluate(() => "owned" in window)).toBe(false);
  expect(faults.length).toBeGreaterThan(0); // the browser reported the violation
  faults.length = 0;
});

test("no other site can frame the app or the consent page", async ({ page, faults }) => {
  for (const path of ["app/", "auth/zoom/start?ticket=x"]) {
    const answer = await page.request.get(`${stack().api_url}/${path}`);
    expect(answer.headers()["content-security-policy"]).toContain("frame-ancestors 'none'");
    expect(answer.headers()["x-frame-options"]).toBe("DENY");
  }
  await page.goto(`${stack().oidc_issuer}/jwks`);
  await page.setContent(`<iframe src="${stack().web_url}"></iframe>`);
  const frame = page.frames()[1];
  await expect.poll(() => frame?.url() ?? "").toMatch(/chrome-error/);
  faults.length = 0;
});

test("signing in leads to no other site", async ({ page }) => {
  await page.goto(stack().web_url);
  await page.evaluate(() =>
    sessionStorage.setItem("sign-in", JSON.stringify({ verifier: "v", state: "s", returnTo: "//evil.example/" })),
  );
  await page.goto(`${stack().web_url}signed-in?code=made-up&state=s`);
  await expect(page.getByRole("heading", { name: "You are not signed in" })).toBeVisible();
  await page.goto(`${stack().web_url}signed-in?code=made-up&state=another`);
  await expect(page.getByText("This sign-in did not start here.")).toBeVisible();
  expect(new URL(page.url()).origin).toBe(new URL(stack().web_url).origin);
});

test("another site's form cannot act for a person", async ({ page, context }) => {
  await signIn(page);
  await connect(page);
  const before = await context.cookies();
  expect(before.filter((each) => each.value !== "")).toEqual([]); // nothing a browser would send along by itself
  const answer = await page.request.delete(`${stack().api_url}/connections/con_x`);
  expect(answer.status()).toBe(401);
});

test("the token is in this tab only", async ({ page, context }) => {
  await signIn(page);
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage }))).toBe("{}");
  const another = await context.newPage();
  await another.goto(stack().web_url);
  await expect(another.getByRole("heading", { name: "Welcome" })).toBeVisible();
  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByRole("heading", { name: "Welcome" })).toBeVisible();
  expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
});
