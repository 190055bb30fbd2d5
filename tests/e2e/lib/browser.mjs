// The browser as the tests use it: pages that tell what the browser complained about.
import { findChromium, NO_CHROMIUM, startChromium } from "../../../tools/lib/chromium.mjs";

/** Longer than anything takes, on a busy machine too. */
const WAIT_MS = 20_000;

/**
 * For the option `skip` of tests: why there is no browser, or false. Where everything must run (`CI=true`)
 * nothing is skipped: starting the browser fails and says what is missing.
 */
export const noBrowser = !findChromium() && process.env.CI !== "true" && NO_CHROMIUM;

/** Starts the browser; close it in `after`. */
export const openBrowser = () => startChromium();

/**
 * A page in a context of its own that collects what the browser complained about, in `complaints`:
 * errors of scripts, in the console and of policies, and dialogs that somebody opened, in all of its
 * frames.
 */
export async function openPage(browser, options) {
  const page = await browser.newPage(options);
  await page.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile }) =>
      console.error(`policy violated: ${effectiveDirective} by ${blockedURI || "inline"} in ${sourceFile}`));
  });
  page.setDefaultTimeout(WAIT_MS);
  const complaints = [];
  page.on("console", (message) => {
    const { url } = message.location();
    // Browsers ask for it by themselves where a page stands alone.
    if (message.type() !== "error" || url.endsWith("/favicon.ico")) return;
    complaints.push(`${message.text()} (${url})`);
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("dialog", (dialog) => {
    complaints.push(`dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  return Object.assign(page, { complaints });
}
