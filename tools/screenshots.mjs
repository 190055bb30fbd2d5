// `npm run screenshots`: every page of the embed as customers see it, light and dark, on a phone and on
// a desk, in build/screenshots; `npm run screenshots -- docs` makes the pictures of the README instead.
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "./build.mjs";
import { startDemoShop } from "../examples/demo-shop.mjs";
import { expected } from "./lib/api.mjs";
import { ensureChromium, startChromium } from "./lib/chromium.mjs";
import { inRepo } from "./lib/paths.mjs";
import { die, stopToolsOnSignals } from "./lib/run.mjs";
import { step } from "./lib/steps.mjs";
import { startWorker } from "./lib/worker.mjs";
import { fill, fillWithMany, newTenant, openReceivers, replayDelivered } from "./screenshots/scene.mjs";

const FOLDER = inRepo("build", "screenshots");
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
        const running = await replayDelivered(busy, "order.completed");
        await shoot(stage, busy, ADMIN, look, [["replay-running", `replays/${running}`]]);
      }
    }
  });
}

/** Shows each page of a session of its own and takes its picture. */
async function shoot({ baseUrl, browser }, tenant, rights, { theme, width, note }, pages) {
  const { home, launch_url } = await newSession(baseUrl, tenant, rights);
  const page = await browser.newPage({ viewport: { width, height: 640 } });
  await page.goto(`${launch_url}&theme=${theme}&accent=${ACCENT}`);
  for (const [name, path, act] of pages) {
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

const press = (name) => async (page) => {
  await page.getByRole("button", { name, exact: true }).click();
  await page.waitForLoadState();
};

const unfold = (page) => page.evaluate(() => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});

async function fillNewConnection(page) {
  await page.getByLabel("URL").fill("http://10.0.0.1/");
  await page.getByLabel("Scheme").selectOption("body");
  await page.getByText("Method, body and retries").click();
  await page.getByLabel("Timeout").fill("70");
  await page.getByLabel("Retries").fill("5s, soon");
}

/** Name, path and what to do there, of every page that an admin can see. */
function adminPages({ connections, events, rule, replay }) {
  const [erp, audit, failing, paused, gone] = ["erp", "audit", "failing", "paused", "gone"]
    .map((name) => `connections/${connections[name].id}`);
  const attempt = `events/${events.retrying}/rules/${connections.failing.rules[0].id}/attempts/1`;
  return [
    ["dashboard", "dashboard"],
    ["connections", "connections"],
    ["connection", erp],
    ["connection-failing", failing],
    ["connection-paused", paused],
    ["connection-gone", gone],
    ["connection-new", "connections/new"],
    ["connection-new-webhook", "connections/new?type=webhook"],
    ["connection-new-wrong", "connections/new?type=webhook", async (page) => {
      await fillNewConnection(page);
      await press("Create connection")(page);
    }],
    ["connection-edit", `${erp}/edit`, unfold],
    ["connection-rotate", `${audit}/secret`],
    ["connection-rotated", `${erp}/secret`, press("Rotate secret")],
    ["verification", `${erp}/verification`],
    ["test-event", `${erp}/test?event=order.completed`],
    ["test-event-wrong", `${erp}/test?event=order.completed`, async (page) => {
      await page.getByLabel("Payload").fill("[1, 2");
      await press("Send test event")(page);
    }],
    ["rules", "rules"],
    ["rule-edit", `rules/${rule.id}`, unfold],
    ["events", "events"],
    ["events-nothing-found", "events?event=no.such.event&status=failed"],
    ["events-no-such-id", "events?q=12345"],
    ["event-delivered", `events/${events.test}?done=test-sent`],
    ["event-retrying", `events/${events.retrying}`],
    ["event-failed", `events/${events.failed}`],
    ["event-held", `events/${events.held}`],
    ["event-gone", `events/${events.paid}`],
    ["event-unrouted", `events/${events.unrouted}`],
    ["attempt", attempt, unfold],
    ["failed", "failed"],
    ["failed-many", "failed", unfold],
    ["failed-of-one", `failed?connection=${connections.finance.id}&done=retried`],
    ["replay-preview", "replays/new", press("Count")],
    ["replay-wrong", "replays/new", async (page) => {
      await page.getByLabel("Event").fill("no name");
      await page.getByLabel("Accepted until").fill("2026-01-31T08:00");
      await press("Count")(page);
    }],
    ["replay-nothing", "replays/new", async (page) => {
      await page.getByLabel("Event").fill("stock.low");
      await press("Count")(page);
    }],
    ["replays", "replays"],
    ["replay-done", `replays/${replay}`],
    ["not-found", "events/00000000-0000-7000-8000-000000000000"],
    ["closed", "connections", async (page) => {
      await page.context().clearCookies();
      await page.reload();
    }],
  ];
}

/** What differs for somebody who may only look and try. */
function memberPages({ connections, events }) {
  return [
    ["member-connection", `connections/${connections.paused.id}`],
    ["member-event", `events/${events.retrying}`],
    ["member-rules", "rules"],
    ["member-forbidden", "connections/new"],
  ];
}

const EMPTY_PAGES = [
  ["empty-dashboard", "dashboard"],
  ["empty-connections", "connections"],
  ["empty-rules", "rules"],
  ["empty-events", "events"],
  ["empty-failed", "failed"],
  ["empty-replays", "replays"],
];

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
