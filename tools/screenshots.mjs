// `npm run screenshots`: every page of the embed as customers see it, light and dark, on a phone and on
// a desk, in build/screenshots; `npm run screenshots -- docs` makes the pictures of the README instead.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "./build.mjs";
import { startDemoShop } from "../examples/demo-shop.mjs";
import { expected } from "./lib/api.mjs";
import { ensureChromium, startChromium } from "./lib/chromium.mjs";
import { inRepo } from "./lib/paths.mjs";
import { die, stopToolsOnSignals } from "./lib/run.mjs";
import { step } from "./lib/steps.mjs";
import { startWorker } from "./lib/worker.mjs";
import { adminPages, EMPTY_PAGES, inGerman, memberPages } from "./screenshots/pages.mjs";
import { fill, fillWithMany, newTenant, openReceivers, providers, replayDelivered } from "./screenshots/scene.mjs";

const FOLDER = inRepo("build", "screenshots");
const SHEET = join(FOLDER, "contact-sheet.html");
const DOCS = inRepo("docs", "images");
const ADMIN_TOKEN = "admin-token-of-the-screenshots-32-long";
const MASTER_KEYS = `shots:${Buffer.alloc(32, 9).toString("base64")}`;
const WIDTHS = [320, 1280];
const THEMES = ["light", "dark"];
const DOCS_VIEWPORT = { width: 1000, height: 860 };
const ADMIN = { role: "admin", scopes: ["events.payload:read"] };
/** The demo shop's. */
const ACCENT = "0f766e";

async function main() {
  const forDocs = process.argv.includes("docs");
  await build();
  await ensureChromium();
  const stateDir = mkdtempSync(join(tmpdir(), "posthorn-screenshots-"));
  const closers = [() => rmSync(stateDir, { recursive: true, force: true })];
  try {
    const vars = { ADMIN_TOKEN, MASTER_KEYS, ALLOW_PRIVATE_DESTINATIONS: "true" };
    const worker = await startWorker({ stateDir, vars });
    closers.push(() => worker.stop());
    const receivers = await openReceivers();
    closers.push(receivers.close);
    const browser = await startChromium();
    closers.push(() => browser.close());
    // By its other name: to the browser the demo shop on 127.0.0.1 is then another site.
    const stage = { baseUrl: `http://localhost:${worker.port}`, adminToken: ADMIN_TOKEN, receivers, browser };
    await (forDocs ? shootDocs(stage) : shootAll(stage));
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function shootAll(stage) {
  const full = await newTenant({ ...stage, organization: "Fieldstall", name: "Acme Ceramics" });
  const scene = await fill(full, stage.receivers);
  scene.replay = await replayDelivered(full, "customer.created");
  Object.assign(scene, await providers(full));
  const busy = await newTenant({ ...stage, organization: "Busy", name: "Acme Ceramics" });
  await fillWithMany(busy, stage.receivers);
  const empty = await newTenant({ ...stage, organization: "Empty", name: "Acme Ceramics" });
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER, { recursive: true });
  await step(`Screenshots into ${FOLDER}`, async (note) => {
    for (const theme of THEMES) {
      for (const width of WIDTHS) {
        const look = { theme, width, note };
        await shoot(stage, full, ADMIN, look, adminPages(scene));
        await shoot(stage, full, { role: "member" }, look, memberPages(scene));
        await shoot(stage, full, { session_type: "dashboard" }, look, [["reader-failed", "failed"]]);
        await shoot(stage, empty, ADMIN, look, EMPTY_PAGES);
        if (theme === "light") {
          const german = { ...look, locale: "de" };
          await shoot(stage, full, ADMIN, german, inGerman(adminPages(scene)));
          await shoot(stage, empty, ADMIN, german, EMPTY_PAGES);
        }
        const running = await replayDelivered(busy, "order.completed");
        await shoot(stage, busy, ADMIN, look, [["replay-running", `replays/${running}`]]);
      }
    }
  });
  await contactSheet(stage.browser);
}

/** All pictures in one page, `contact-sheet.html`, and as a picture of that: a row for each page, in every look. */
async function contactSheet(browser) {
  const looks = THEMES.flatMap((theme) => WIDTHS.map((width) => `${theme}-${width}`));
  const names = [...new Set(readdirSync(FOLDER).map((file) => file.match(/^(.+)-(?:light|dark)-\d+\.png$/)?.[1]).filter(Boolean))];
  const cell = (name, look) => `<td><img src="${name}-${look}.png" alt="${name}, ${look}"></td>`;
  const row = (name) => `<tr><th>${name}</th>${looks.map((look) => cell(name, look)).join("")}</tr>`;
  const style = "img{width:300px;max-height:420px;object-fit:cover;object-position:top}th{font:12px sans-serif;vertical-align:top}";
  writeFileSync(SHEET, `<!doctype html><meta charset="utf-8"><title>Every page</title><style>${style}</style><table>${names.map(row).join("")}</table>`);
  const page = await browser.newPage({ viewport: { width: 1400, height: 900 } });
  await page.goto(pathToFileURL(SHEET).href, { waitUntil: "load" });
  await page.screenshot({ path: SHEET.replace(".html", ".jpg"), type: "jpeg", quality: 60, fullPage: true });
  await page.close();
}

/** Shows each page of a session of its own and takes its picture. */
async function shoot({ baseUrl, browser }, tenant, rights, { theme, width, note, locale = "en" }, pages) {
  const { home, launch_url } = await newSession(baseUrl, tenant, rights);
  const page = await browser.newPage({ viewport: { width, height: 640 } });
  await page.goto(`${launch_url}&theme=${theme}&accent=${ACCENT}&locale=${locale}`);
  for (const [pageName, path, act] of pages) {
    const name = locale === "en" ? pageName : `${pageName}-${locale}`;
    note(`${name} ${theme} ${width}`);
    await page.goto(`${home}/${path}`);
    await act?.(page);
    await page.screenshot({ path: join(FOLDER, `${name}-${theme}-${width}.png`), fullPage: true });
  }
  await page.close();
}

async function newSession(baseUrl, { api, workspace }, rights) {
  const answer = await api.post("/sessions", { workspace_id: workspace.id, ...rights });
  const { session_id, launch_url } = expected("a session", 200, answer);
  return { home: `${baseUrl}/embed/s/${session_id}`, launch_url };
}

/** The pictures of the README: one in the product's page, two of what is inside. */
async function shootDocs({ baseUrl, browser, receivers, adminToken }) {
  const tenant = await newTenant({ baseUrl, adminToken, organization: "Fieldstall", name: "Acme Ceramics" });
  const { connections, events } = await fill(tenant, receivers);
  const { machine, api, workspace, publishableKey } = tenant;
  const path = `/connections/${connections.gone.id}`;
  expected("one trouble less", 200, await api.delete(path, { force_delete: true }));
  const shop = await startDemoShop({ posthornUrl: baseUrl, machine, workspaceId: workspace.id, publishableKey });
  mkdirSync(DOCS, { recursive: true });
  const page = await browser.newPage({ viewport: DOCS_VIEWPORT, colorScheme: "light" });
  const shot = async (name) => {
    // The frame takes its page's height a moment after it was loaded.
    await page.waitForTimeout(500);
    await page.screenshot({ path: join(DOCS, `${name}.png`) });
  };
  try {
    await page.goto(`${shop.url}/settings/webhooks`);
    await page.frameLocator("iframe").getByRole("heading", { name: "Overview" }).waitFor();
    await shot("overview");
    const { home, launch_url } = await newSession(baseUrl, tenant, ADMIN);
    await page.goto(`${launch_url}&theme=light&accent=${ACCENT}`);
    await page.goto(`${home}/connections/${connections.erp.id}`);
    await shot("connection");
    await page.goto(`${home}/events/${events.test}`);
    await shot("event");
  } finally {
    await page.close();
    await shop.close();
  }
}

stopToolsOnSignals();
main().catch(die);
