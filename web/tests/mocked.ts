/** The client alone: its own files, with answers made up for everything it asks. For looks that no real run of seconds has. */
import { AxeBuilder } from "@axe-core/playwright";
import { expect, test as base, type Page, type Route } from "@playwright/test";
import { stack } from "./stack";

export const WIDTHS = [390, 1280] as const;
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/** What is answered to a path and query, or to a method, path and query; the first that matches. A function makes the answer. */
export type Answers = [RegExp, unknown][];
/** An answer that is a refusal. */
export class Refused {
  constructor(
    readonly status: number,
    readonly json: unknown = { message: "Not Found" },
  ) {}
}
export interface Sent {
  method: string;
  path: string;
  body: unknown;
}

/** Somebody is signed in, and every call of the page gets one of `answers`, or a 404. Returns the calls that change something. */
export async function mocked(page: Page, answers: Answers, scope = "operator:read operator:write"): Promise<Sent[]> {
  const sent: Sent[] = [];
  const session = { token: `made.${btoa(JSON.stringify({ scope }))}.up`, expires_at: Date.now() + 3_600_000, person: { name: "Dana Developer", subject: "dev-dana" } };
  await page.addInitScript((kept) => sessionStorage.setItem("session", kept), JSON.stringify(session));
  const { origin } = new URL(stack().web_url);
  await page.route(
    (url) => url.origin === origin && /^\/(v2|meetings|connections|archive|jobs|subscriptions|operator|oauth|app\/settings\.json)/.test(url.pathname),
    async (route: Route) => {
      const request = route.request();
      const { pathname, search } = new URL(request.url());
      if (request.method() !== "GET") sent.push({ method: request.method(), path: pathname + search, body: request.postDataJSON() });
      const path = pathname + search;
      const found = [...answers, ...USUAL].find(([pattern]) => pattern.test(path) || pattern.test(`${request.method()} ${path}`));
      const given = found && typeof found[1] === "function" ? ((found[1] as () => unknown)()) : found?.[1];
      const refused = found ? null : new Refused(404, { code: 404, message: "Not found.", reason: "not_found" });
      const refusal = given instanceof Refused ? given : refused;
      if (given === undefined && !refusal) await route.fulfill({ status: 204 });
      else await route.fulfill(refusal ? { status: refusal.status, json: refusal.json } : { json: given });
    },
  );
  return sent;
}

const USUAL: Answers = [
  [/^\/app\/settings\.json/, { api_url: "", oidc: { issuer: "", client_id: "web", scope: "openid", parameters: {} } }],
  [/^\/connections\?/, { connections: [] }],
];

export async function open(page: Page, path: string): Promise<void> {
  await page.goto(stack().web_url + path);
}

/** Measures every card, its parts, dialogs and the page itself: nothing is wider than where it is, unless it scrolls by design. */
export async function expectToFit(page: Page, name: string): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 850 });
    const wide = await page.evaluate(() => {
      const found: string[] = [];
      const says = (element: Element): string => `${element.tagName}.${element.className}: ${(element.textContent ?? "").trim().slice(0, 40)}`;
      const root = document.documentElement;
      if (root.scrollWidth > root.clientWidth) found.push(`the page, ${root.scrollWidth} in ${root.clientWidth}`);
      for (const card of document.querySelectorAll<HTMLElement>("section, .card, .entry, .notice, .empty, article, dialog, fieldset")) {
        if (card.scrollWidth > card.clientWidth + 1) found.push(`${says(card)} has ${card.scrollWidth} in ${card.clientWidth}`);
        const edge = card.getBoundingClientRect();
        for (const part of card.querySelectorAll("*")) {
          const scrolls = part.parentElement?.closest(".scroll, select, textarea, svg");
          const box = part.getBoundingClientRect();
          const unseen = part.closest(".unseen, details:not([open]) > :not(summary)") || box.width < 2;
          if (!scrolls && !unseen && (box.right > edge.right + 1 || box.left < edge.left - 1)) found.push(`${says(part)} sticks out of ${says(card)}`);
        }
      }
      return found;
    });
    expect.soft(wide, `${name} at ${width}`).toEqual([]);
  }
}

/** Axe in both colours and at both widths: the colours are the same at each, and the layout in each. */
export async function expectAccessible(page: Page, name: string): Promise<void> {
  for (const [width, colorScheme] of [[WIDTHS[0], "dark"], [WIDTHS[1], "light"]] as const) {
    await page.setViewportSize({ width, height: 850 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze();
    expect.soft(violations.map((each) => `${each.id} ${each.nodes.map((node) => node.html).join(" ")}`), `${name}, ${width}, ${colorScheme}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: "light" });
}

/** Where SHOTS names a folder, a picture at each width, to look at. */
export async function shots(page: Page, name: string): Promise<void> {
  if (!process.env.SHOTS) return;
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 850 });
    await page.screenshot({ path: `${process.env.SHOTS}/${name}-${width}.png`, fullPage: true, animations: "disabled" });
  }
}

export async function look(page: Page, name: string): Promise<void> {
  await expectToFit(page, name);
  await expectAccessible(page, name);
  await shots(page, name);
}

/** A page that throws nothing and does not break its own policy. */
export const test = base.extend<{ faults: void }>({
  faults: [
    async ({ page }, use) => {
      const faults: string[] = [];
      page.on("pageerror", (error) => faults.push(error.message));
      page.on("console", (message) => {
        if (/Content.Security.Policy|Refused to/i.test(message.text())) faults.push(message.text());
      });
      await use();
      expect(faults).toEqual([]);
    },
    { auto: true },
  ],
});
export { expect };
