// A real browser for the tests: the Chromium of this machine, driven by playwright-core.
import { existsSync } from "node:fs";
import { chromium } from "playwright-core";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--no-first-run",
  // As strict as browsers get: a cookie of another site is sent only when it is partitioned.
  "--test-third-party-cookie-phaseout",
];

// One that was named and is not there is a mistake to be told of, and starting it does.
const executablePath = process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));

/** For the option `skip` of tests: why there is no browser, or false. */
export const noBrowser = !executablePath && "no Chromium found; CHROMIUM can say where it is";

/** Starts the browser; close it in `after`. */
export const openBrowser = () => chromium.launch({ executablePath, args: FLAGS });

/** A page that collects what the browser complained about, in `complaints`. */
export async function openPage(browser, options) {
  const page = await browser.newPage(options);
  const complaints = [];
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  page.on("pageerror", (error) => complaints.push(error.message));
  return Object.assign(page, { complaints });
}
