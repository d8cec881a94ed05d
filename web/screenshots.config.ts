/** Takes the pictures in docs/images/web: `make web-screenshots`. fonts.conf prefers Inter where it is installed. */
import { resolve } from "node:path";
import base from "./playwright.config";

const launchOptions = {
  ...base.use?.launchOptions,
  env: { ...process.env, LANGUAGE: "en_GB", FONTCONFIG_FILE: resolve(import.meta.dirname, "screenshots/fonts.conf") } as Record<string, string>,
};

const { projects: _, ...shared } = base; // these pictures are taken one after the other

export default { ...shared, testDir: "screenshots", workers: 1, use: { ...base.use, launchOptions } };
