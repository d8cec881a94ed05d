/**
 * Tests in Debian's Chromium against the running gateway.
 *
 * `make test-web` starts a gateway of its own. With GATEWAY_FOLDER set (`.local` of a `make run`) that one is used.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { defineConfig } from "@playwright/test";

const root = resolve(import.meta.dirname, "..");
const given = process.env.GATEWAY_FOLDER;
const [door, zoom, aws] = ["3410", "3411", "4976"];
process.env.GATEWAY_FOLDER = given ? resolve(root, given) : resolve(root, ".local/web-test");

const chromium = process.env.CHROMIUM ?? "/usr/bin/chromium";

export default defineConfig({
  testDir: "tests",
  outputDir: "test-results",
  fullyParallel: false,
  workers: 1,
  retries: 0,
  timeout: 120_000,
  expect: { timeout: 40_000 }, // a cold start on a busy machine,
  reporter: [["list"]],
  use: {
    browserName: "chromium",
    viewport: { width: 1200, height: 850 },
    locale: "en-GB",
    timezoneId: "Europe/Vienna",
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: existsSync(chromium) ? chromium : undefined!,
      args: [
        "--no-sandbox", "--lang=en-GB", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
      ],
    },
  },
  ...(given
    ? {}
    : {
        webServer: {
          command: `.venv/bin/python -m local.run --folder .local/web-test --port ${door} --zoom-port ${zoom} --aws-port ${aws}`,
          cwd: root,
          env: { ...process.env, PYTHONPATH: "layers/zoom_common:." } as Record<string, string>,
          url: `http://127.0.0.1:${zoom}/_sim/health`, // the last to start
          timeout: 240_000,
          reuseExistingServer: false,
          gracefulShutdown: { signal: "SIGINT" as const, timeout: 30_000 },
        },
      }),
});
