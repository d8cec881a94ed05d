/** Takes the pictures in docs/images/web: `make web-screenshots`. fonts.conf prefers Inter where it is installed. */
import { resolve } from "node:path";
import base from "./playwright.config";

const launchOptions = {
  ...base.use?.launchOptions,
  env: { ...process.env, LANGUAGE: "en_GB", FONTCONFIG_FILE: resolve(import.meta.dirname, "screenshots/fonts.conf") } as Record<string, string>,
};

export default { ...base, testDir: "screenshots", use: { ...base.use, launchOptions } };
