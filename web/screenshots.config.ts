/** Takes the pictures in docs/images/web: `make web-screenshots`. */
import base from "./playwright.config";

export default { ...base, testDir: "screenshots" };
