/** The one piece of code that runs only on AWS: which file answers an address, as web/template.yaml has it. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, test } from "@playwright/test";

type Answer = { uri?: string; statusCode?: number; headers?: { location: { value: string } } };

function pathsFunction(): (event: { request: { uri: string } }) => Answer {
  const template = readFileSync(resolve(import.meta.dirname, "../template.yaml"), "utf8");
  const [, code] = /FunctionCode: \|\n((?: {8}.*\n)+)/.exec(template) ?? [];
  return new Function(`${code}; return handler;`)() as (event: { request: { uri: string } }) => Answer;
}

test("every address inside the app is its page, and files are themselves", () => {
  const handler = pathsFunction();
  const answered = (uri: string): Answer => handler({ request: { uri } });
  for (const uri of ["/app/", "/app/connections", "/app/meetings/85123456789/edit"]) expect(answered(uri).uri).toBe("/app/index.html");
  for (const uri of ["/app/settings.json", "/app/assets/index-abc.js", "/app/zoom-sdk/6.2.0/av/a.wasm"]) expect(answered(uri).uri).toBe(uri);
  expect(answered("/app")).toMatchObject({ statusCode: 308, headers: { location: { value: "/app/" } } });
});
