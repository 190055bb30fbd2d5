// A real browser for tests and screenshots: the Chromium of this machine, driven by playwright-core.
import { existsSync } from "node:fs";
import { hasDebianPackages, installPackages, isRoot } from "./debian.mjs";

const PLACES = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
/** Without the fonts much of what the pages must cope with would be boxes. */
const PACKAGES = ["chromium", "fonts-noto-core"];
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--no-first-run",
  // As strict as browsers get: a cookie of another site is sent only when it is partitioned.
  "--test-third-party-cookie-phaseout",
];

/** Where the browser is, or undefined. One that is named and not there is a mistake to be told of, and starting it does. */
export const findChromium = () => process.env.CHROMIUM ?? PLACES.find((path) => existsSync(path));

/** What to do where there is none. */
export const NO_CHROMIUM = `no Chromium found: install it (on Debian: apt-get install ${PACKAGES.join(" ")}), or say where it is in CHROMIUM`;

/**
 * Makes sure of a browser where that takes nobody's permission. Elsewhere it says what is missing,
 * and whoever needs a browser decides what that means.
 */
export async function ensureChromium() {
  if (!findChromium() && hasDebianPackages() && isRoot()) await installPackages(PACKAGES, "tests in a browser");
  if (!findChromium()) console.log(`  Browser: ${NO_CHROMIUM}`);
}

/** Starts the browser; whoever starts it closes it. */
export async function startChromium() {
  const executablePath = findChromium();
  if (!executablePath) throw new Error(NO_CHROMIUM);
  // Loaded here and not above, because the set-up that installs it runs in this same process.
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath, args: FLAGS });
}
