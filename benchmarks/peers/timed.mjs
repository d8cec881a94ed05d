// Calls a handler over and over with one event, in blocks: reads a number a line, prints nanoseconds each.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { handler } = await import(pathToFileURL(process.argv[2]).href);
const event = JSON.parse(readFileSync(process.env.BENCHMARK_EVENT, "utf8"));

for await (const line of createInterface({ input: process.stdin })) {
  const began = process.hrtime.bigint();
  for (let each = 0; each < Number(line); each += 1) await handler(event, {});
  console.log(Number(process.hrtime.bigint() - began) / Number(line));
}
