/** The running gateway, the simulated Zoom behind it, and the few walks that every test takes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test as base, type Page } from "@playwright/test";

interface Stack {
  api_url: string;
  zoom_url: string;
  api_key: string;
  aws_endpoint_url: string;
  web_url: string;
  oidc_issuer: string;
  zoom_client_id: string;
  zoom_authorize_url: string;
}
export interface ZoomUser {
  id: string;
  name: string;
  email: string;
}

export function stack(): Stack {
  return JSON.parse(readFileSync(join(process.env.GATEWAY_FOLDER ?? "", "stack.json"), "utf8")) as Stack;
}

/** Calls the gateway as a program of the tenant. */
export async function program<T = unknown>(method: string, path: string, body?: unknown, connection?: string): Promise<T> {
  const answer = await fetch(stack().api_url + path, {
    method,
    headers: {
      authorization: `Bearer ${stack().api_key}`,
      "content-type": "application/json",
      ...(connection ? { "x-zoom-connection": connection } : {}),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Tells the simulated Zoom what happens in it. */
export async function sim<T = unknown>(path: string, body: unknown = {}, method = "POST"): Promise<T> {
  const answer = await fetch(`${stack().zoom_url}/_sim${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** Somebody new at Zoom: nothing of theirs is left over from another test, nor from another run. */
export async function newZoomUser(first = "Jill"): Promise<ZoomUser> {
  const last = `Chill ${crypto.randomUUID().slice(0, 8)}`;
  const email = `${crypto.randomUUID()}@zoom.example`;
  const { id } = await sim<{ id: string }>("/users", { email, first_name: first, last_name: last });
  return { id, name: `${first} ${last}`, email };
}

/** The two people of the development identity provider start without Zoom; what programs connected stays. */
export async function forgetConnections(): Promise<void> {
  const { connections } = await program<{ connections: { id: string; owner: string }[] }>("GET", "/connections?page_size=100");
  for (const each of connections.filter(({ owner }) => /^(dev|ops)-/.test(owner))) await program("DELETE", `/connections/${each.id}`);
}

type Person = "Dana Developer" | "Otto Operator";

/** At the identity provider, as a person does it. */
export async function signInByHand(page: Page, who: Person = "Dana Developer"): Promise<void> {
  await page.goto(stack().web_url);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: who }).click();
  await expect(page.getByRole("heading", { name: "My meetings" })).toBeVisible();
}

const sessions = new Map<Person, { session: string; person: string }>();

/** With the session that somebody got by hand before, which is good for an hour: a test in another page starts at once. */
export async function signIn(page: Page, who: Person = "Dana Developer"): Promise<void> {
  const kept = sessions.get(who);
  if (!kept) {
    await signInByHand(page, who);
    const read = (name: string): Promise<string> => page.evaluate((item) => sessionStorage.getItem(item) ?? "", name);
    sessions.set(who, { session: await read("session"), person: await read("person") });
    return;
  }
  await page.goto(`${stack().web_url}settings.json`);
  await page.evaluate((items) => Object.entries(items).forEach(([name, value]) => sessionStorage.setItem(name, value)), kept);
  await page.goto(stack().web_url);
  await expect(page.getByRole("heading", { name: "My meetings" })).toBeVisible();
}

/** From any page to Zoom; answers there. */
export async function consent(page: Page, decision: "Allow" | "Deny", user: ZoomUser): Promise<void> {
  await page.goto(`${stack().web_url}connect`);
  await page.getByRole("button", { name: "Connect Zoom" }).click();
  await page.getByRole("button", { name: "Continue to Zoom" }).click();
  await page.getByLabel(user.name).check();
  await page.getByRole("button", { name: decision, exact: true }).click();
}

export async function connectByHand(page: Page, user: ZoomUser): Promise<void> {
  await consent(page, "Allow", user);
  await expect(page.getByRole("heading", { name: "Zoom is connected" })).toBeVisible();
}

/** The same requests as by hand, without the pages between them. The browser stays where it is. */
export async function connect(page: Page, user: ZoomUser): Promise<void> {
  const { api_url, web_url } = stack();
  const asked = await asPerson<{ authorize_url: string }>(page, "POST", "/auth/zoom/authorize", { return_url: `${web_url}connected` });
  const ticket = new URL(asked.body.authorize_url).searchParams.get("ticket") ?? "";
  const started = await follow(`${api_url}/auth/zoom/start`, { body: new URLSearchParams({ ticket }), headers: { origin: api_url } });
  const zoom = new URL(started.location);
  const answer = new URLSearchParams([...zoom.searchParams, ["user", user.id], ["decision", "allow"]]);
  const allowed = await follow(zoom.origin + zoom.pathname, { body: answer });
  const back = await follow(allowed.location, { method: "GET", headers: { cookie: started.cookie } });
  const code = new URL(back.location).searchParams.get("code");
  const redeemed = await asPerson(page, "POST", "/auth/zoom/redeem", { code });
  expect(redeemed.status, JSON.stringify(redeemed.body)).toBe(200);
}

/** Where an answer leads, and the cookie that it sets. */
async function follow(url: string, how: RequestInit): Promise<{ location: string; cookie: string }> {
  const answer = await fetch(url, { method: "POST", redirect: "manual", ...how });
  const location = answer.headers.get("location");
  if (!location) throw new Error(`${new URL(url).pathname} leads nowhere: ${answer.status} ${await answer.text()}`);
  const cookie = (answer.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
  return { location: new URL(location, url).href, cookie };
}

/** The connection of a Zoom user, as the gateway knows it. */
export async function connectionOf(user: ZoomUser): Promise<string> {
  const { connections } = await program<{ connections: { id: string; zoom_user_id: string }[] }>("GET", "/connections?page_size=100");
  return connections.find((each) => each.zoom_user_id === user.id)?.id ?? "";
}

/** A call as the page makes it, with the token of its session. */
export async function asPerson<T>(page: Page, method: string, path: string, body?: unknown): Promise<{ status: number; body: T }> {
  return page.evaluate(
    async ([how, where, what]) => {
      const { token } = JSON.parse(sessionStorage.getItem("session") ?? "{}") as { token: string };
      const answer = await fetch(where as string, {
        method: how as string,
        headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
        ...(what === undefined ? {} : { body: JSON.stringify(what) }),
      });
      return { status: answer.status, body: (await answer.json().catch(() => null)) as T };
    },
    [method, path, body] as const,
  ) as Promise<{ status: number; body: T }>;
}

/** A meeting that is there already, made by the person's own session. */
export async function createMeeting(page: Page, body: Record<string, unknown> = {}): Promise<number> {
  const wanted = { topic: "Weekly", type: 2, start_time: "2030-01-07T10:00:00Z", duration: 30, ...body };
  const made = await asPerson<{ id: number }>(page, "POST", "/v2/users/me/meetings", wanted);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return made.body.id;
}

/** A test starts with nobody connected, with somebody new at Zoom, and its page must not break its own policy, nor throw. */
export const test = base.extend<{ clean: void; jill: ZoomUser; faults: string[] }>({
  clean: [
    async ({}, use) => {
      await forgetConnections();
      await use();
    },
    { auto: true },
  ],
  jill: async ({}, use) => use(await newZoomUser()),
  faults: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        if (/Content.Security.Policy|Refused to/i.test(message.text())) faults.push(message.text());
      });
      await use(faults);
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };
