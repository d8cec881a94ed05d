/**
 * Tests in Debian's Chromium against the running gateway.
 *
 * `make test-web` starts a gateway of its own, in a folder of its own that begins empty, on ports that are free (or PORT,
 * ZOOM_PORT, AWS_PORT and IDENTITY_PORT). With GATEWAY_FOLDER set (`.local` of a `make run`) that one is used.
 */
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { resolve } from "node:path";
import { defineConfig } from "@playwright/test";

const root = resolve(import.meta.dirname, "..");
const env = process.env;
const folder = resolve(root, env.GATEWAY_FOLDER ?? env.WEB_TEST_FOLDER ?? ".local/web-test");
const own = env.GATEWAY_FOLDER === undefined || env.WEB_TEST_PORTS !== undefined;
// Playwright reads this file once more in every worker: what is decided here is decided by the first reader.
const first = env.TEST_WORKER_INDEX === undefined;
env.GATEWAY_FOLDER = folder;
if (own && first && env.WEB_TEST_PORTS === undefined) {
  env.WEB_TEST_PORTS = (await ports()).join(" ");
}
const [door, zoom, aws, identity] = (env.WEB_TEST_PORTS ?? "").split(" ");

/** What needs nothing of the gateway but its files. */
const ALONE = /(api-reference|archive|jobs|simulator|subscriptions|pictures|truth|rows|words|cloudfront)\.spec\.ts$/;

const chromium = env.CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: false,
  // Tests of the gateway share its people and have to take turns. Those of the client alone run beside them.
  workers: 2,
  projects: [
    { name: "gateway", testIgnore: ALONE, workers: 1 },
    { name: "client", testMatch: ALONE, workers: 1 },
  ],
  retries: 0,
  timeout: 240_000,
  expect: { timeout: 60_000 }, // a cold start on a busy machine
  globalTimeout: 25 * 60_000,
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1200, height: 850 },
    locale: "en-GB",
    timezoneId: "Europe/Vienna",
    trace: { mode: "retain-on-failure", screenshots: false },
    launchOptions: {
      executablePath: existsSync(chromium) ? chromium : undefined!,
      args: [
        "--no-sandbox", "--lang=en-GB", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
      ],
    },
  },
  ...(own
    ? {
        webServer: {
          command:
            `.venv/bin/python -m dev.run --fresh --folder ${JSON.stringify(folder)} --port ${door} --zoom-port ${zoom} ` +
            `--aws-port ${aws} --identity-port ${identity}`,
          cwd: root,
          env: { ...env, PYTHONPATH: "layers/zoom_common:." } as Record<string, string>,
          url: `http://127.0.0.1:${zoom}/_sim/health`, // the last to start
          timeout: 600_000,
          reuseExistingServer: false,
          gracefulShutdown: { signal: "SIGINT" as const, timeout: 30_000 },
        },
      }
    : {}),
});

/** The four that are asked for, or free ones below those that the system gives to outgoing connections. */
async function ports(): Promise<number[]> {
  const chosen: number[] = [];
  for (const name of ["PORT", "ZOOM_PORT", "AWS_PORT", "IDENTITY_PORT"]) {
    let port = Number(env[name] ?? 0);
    while (!port || chosen.includes(port)) {
      const likely = 20_000 + Math.floor(Math.random() * 10_000);
      if ((await free(likely, "127.0.0.1")) && (await free(likely, "::"))) port = likely;
    }
    chosen.push(port);
  }
  return chosen;
}

function free(port: number, host: string): Promise<boolean> {
  return new Promise((answer) => {
    const probe = createServer()
      .once("error", (error: NodeJS.ErrnoException) => answer(error.code === "EAFNOSUPPORT" || error.code === "EADDRNOTAVAIL"))
      .listen({ port, host, exclusive: true }, () => probe.close(() => answer(true)));
  });
}
