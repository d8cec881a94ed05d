/** The running gateway, the simulated Zoom behind it, and the few walks that every test takes. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test as base, type Page } from "@playwright/test";

interface Stack {
  api_url: string;
  zoom_url: string;
  api_key: string;
  web_url: string;
  oidc_issuer: string;
}

export function stack(): Stack {
  return JSON.parse(readFileSync(join(process.env.GATEWAY_FOLDER ?? "", "stack.json"), "utf8")) as Stack;
}

/** Calls the gateway as a program. */
export async function program<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(stack().api_url + path, {
    method,
    headers: { authorization: `Bearer ${stack().api_key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (answer.status === 204 ? undefined : await answer.json()) as T;
}

/** Tells the simulated Zoom what happens in it. */
export async function sim(path: string, body: unknown = {}, method = "POST"): Promise<unknown> {
  const answer = await fetch(`${stack().zoom_url}/_sim${path}`, {
    method,
    headers: { "content-type": "application/json" },
    ...(method === "GET" ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}

export async function forgetConnections(): Promise<void> {
  const { connections } = await program<{ connections: { id: string }[] }>("GET", "/connections?page_size=100");
  for (const each of connections) await program("DELETE", `/connections/${each.id}`);
}

/** An empty calendar for the one Zoom user that is connected. */
export async function forgetMeetings(): Promise<void> {
  const { meetings } = await program<{ meetings: { id: number }[] }>("GET", "/v2/users/me/meetings?type=scheduled&page_size=300");
  for (const id of new Set(meetings.map((each) => each.id))) await program("DELETE", `/v2/meetings/${id}`);
}

export async function signIn(page: Page, who: "Dana Developer" | "Otto Operator" = "Dana Developer"): Promise<void> {
  await page.goto(stack().web_url);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: who }).click();
  await expect(page.getByRole("heading", { name: "My meetings" })).toBeVisible();
}

/** From any page to Zoom; answers there. */
export async function consent(page: Page, decision: "Allow" | "Deny", user = "Jill Chill"): Promise<void> {
  await page.goto(`${stack().web_url}connect`);
  await page.getByRole("button", { name: "Connect Zoom" }).click();
  await page.getByRole("button", { name: "Continue to Zoom" }).click();
  await page.getByLabel(user).check();
  await page.getByRole("button", { name: decision, exact: true }).click();
}

export async function connect(page: Page, user = "Jill Chill"): Promise<void> {
  await consent(page, "Allow", user);
  await expect(page.getByRole("heading", { name: "Zoom is connected" })).toBeVisible();
}

/** A meeting that is there already, made by the person's own session. */
export async function createMeeting(page: Page, body: Record<string, unknown> = {}): Promise<number> {
  return page.evaluate(async (wanted) => {
    const { token } = JSON.parse(sessionStorage.getItem("session") ?? "{}") as { token: string };
    const answer = await fetch("/v2/users/me/meetings", {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
      body: JSON.stringify({ topic: "Weekly", type: 2, start_time: "2030-01-07T10:00:00Z", duration: 30, ...wanted }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    return ((await answer.json()) as { id: number }).id;
  }, body);
}

/** A test whose page must not break its own Content-Security-Policy, nor throw. */
export const test = base.extend<{ faults: string[] }>({
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
