// `npm start`: set-up, build, the Worker under wrangler, and a demo to try it with: a tenant, a
// receiver, and a shop that shows the embed.
import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { build } from "./build.mjs";
import { startDemoShop } from "../examples/demo-shop.mjs";
import { credentials, DEMO_EVENT, ensureDemo, keepShopPort, receiverSettings, shopPort } from "./lib/demo.mjs";
import { localSecrets, readLocal, writeLocal } from "./lib/local-files.mjs";
import { inRepo, root } from "./lib/paths.mjs";
import { isFree } from "./lib/ports.mjs";
import { die, killTools, StepError, stopToolsOnSignals } from "./lib/run.mjs";
import { seconds } from "./lib/steps.mjs";
import { endFormerRun, portTaken, startWorker } from "./lib/worker.mjs";
import { startReceiver } from "../examples/receiver.mjs";

const TENANT = inRepo(".dev", "tenant.json");
const DEFAULT_PORT = 8787;
const PARENT_CHECK_MS = 250;

/** What runs and has to be ended with us. */
const running = { worker: null, receiver: null, shop: null, ending: false };

async function main() {
  const began = Date.now();
  const settings = readSettings();
  await refuseToDisturb(settings);
  await forgetStaleTenant(settings);
  const dropToolSignals = stopToolsOnSignals();
  await build();
  dropToolSignals();
  endOnSignals();
  const secrets = localSecrets(settings.stateDir);
  await startEverything(settings, secrets);
  const demo = await ensureDemo({
    baseUrl: running.worker.baseUrl,
    stateDir: settings.stateDir,
    adminToken: secrets.admin_token,
    receiver: running.receiver,
  });
  if (settings.shop) await startShop(settings, demo);
  writeTenant(secrets, demo);
  console.log(welcome(settings, demo, began));
}

function readSettings() {
  const { PORT, STATE_DIR, ALLOW_PRIVATE_DESTINATIONS, NO_DEMO_RECEIVER, NO_DEMO_SHOP } = process.env;
  const port = PORT ? Number(PORT) : DEFAULT_PORT;
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new StepError(`PORT=${PORT} is not a port number.`);
  const isNo = (text) => /^(false|0|no)$/i.test(text ?? "");
  const allowPrivate = !isNo(ALLOW_PRIVATE_DESTINATIONS);
  const unwanted = Boolean(NO_DEMO_RECEIVER) && !isNo(NO_DEMO_RECEIVER);
  return {
    port,
    stateDir: resolve(root, STATE_DIR || ".wrangler/state"),
    allowPrivate,
    // The demo receiver is on this machine: where private addresses are refused it cannot be reached.
    receiver: !unwanted && allowPrivate,
    shop: !NO_DEMO_SHOP || isNo(NO_DEMO_SHOP),
    noReceiverBecause: unwanted ? "NO_DEMO_RECEIVER is set" : "ALLOW_PRIVATE_DESTINATIONS is false",
  };
}

/**
 * Ends, before anything is changed, when another Posthorn runs on this state or another program has the
 * port: the file with the tenant's keys may be that one's.
 */
async function refuseToDisturb({ port, stateDir }) {
  await endFormerRun(stateDir);
  if (!(await isFree(port))) throw portTaken(port);
}

/** A file of a former start must not tell a waiting script that we are up; one of a Posthorn that runs stays. */
async function forgetStaleTenant({ port }) {
  const { base_url: url } = readLocal(TENANT);
  const its = url && Number(new URL(url).port);
  if (!its || its === port || (await isFree(its))) rmSync(TENANT, { force: true });
}

async function startEverything(settings, secrets) {
  console.log("Start");
  const began = Date.now();
  running.worker = await startWorker({
    port: settings.port,
    stateDir: settings.stateDir,
    onLine: showWorkerLine,
    vars: {
      ADMIN_TOKEN: secrets.admin_token,
      MASTER_KEYS: secrets.master_keys,
      ALLOW_PRIVATE_DESTINATIONS: String(settings.allowPrivate),
      ...(process.env.METER ? { METER: process.env.METER } : {}),
    },
  });
  running.worker.exited.then((how) => {
    if (running.ending) return;
    console.error(`\nThe Worker's process ended by itself (${how}). Its output is in ${settings.stateDir}/worker.log`);
    end(1);
  });
  console.log(`  wrangler dev: ready in ${seconds(began)}`);
  if (settings.receiver) running.receiver = await startReceiver(receiverSettings(settings.stateDir));
}

async function startShop({ port, stateDir }, demo) {
  running.shop = await startDemoShop({
    port: shopPort(stateDir),
    // Not the shop's own host name: in a browser, product and Posthorn are two sites.
    posthornUrl: `http://localhost:${port}`,
    machine: credentials(demo),
    workspaceId: demo.workspace_id,
    publishableKey: demo.publishable_key,
  });
  keepShopPort(stateDir, running.shop.port);
}

function showWorkerLine(line) {
  // Until it is ready wrangler only describes itself. Its line per request, and the Worker's about an
  // attempt that was delivered, say nothing that the receiver does not show.
  if (!running.worker || !line.trim() || line.startsWith("[wrangler:info]")) return;
  if (line.startsWith('{"at":"attempt"') && line.includes('"outcome":"delivered"')) return;
  console.log(`worker: ${line}`);
}

function writeTenant(secrets, demo) {
  writeLocal(TENANT, {
    base_url: running.worker.baseUrl,
    admin_token: secrets.admin_token,
    organization_id: demo.organization_id,
    access_key: demo.access_key,
    secret_key: demo.secret_key,
    workspace_id: demo.workspace_id,
    publishable_key: demo.publishable_key,
    ...(running.shop ? { demo_shop_url: running.shop.url } : {}),
  });
}

function welcome(settings, demo, began) {
  const { baseUrl } = running.worker;
  const event = JSON.stringify({ event: DEMO_EVENT, payload: { order_id: "1001", total: 49.9, currency: "EUR" } });
  return `
Posthorn is up (${seconds(began)}).

  Base URL          ${baseUrl}
  Publishable key   ${demo.publishable_key}${running.shop ? `\n  Demo shop         ${running.shop.url}` : ""}

Emit an event by pasting this into another terminal:

  curl -sS ${baseUrl}/api/v1/events -H 'X-Meshes-Publishable-Key: ${demo.publishable_key}' -H 'Content-Type: application/json' -d '${event}'

Where to look:
  ${receiverLine(settings)}
  ${shopLine()}
  ${settings.stateDir}/worker.log has what wrangler and the Worker print.
  ${TENANT} has the keys of the demo tenant, for scripts.

Ctrl-C stops everything; the state stays for the next start.
`;
}

function receiverLine({ noReceiverBecause }) {
  if (!running.receiver) return `There is no demo receiver (${noReceiverBecause}): make a connection and a rule of your own.`;
  return `The receiver (${running.receiver.url}) verifies each delivery and prints it here.`;
}

function shopLine() {
  if (!running.shop) return "There is no demo shop (NO_DEMO_SHOP is set).";
  return `The demo shop shows your customer's pages under Settings > Webhooks; its test orders are real events.`;
}

function endOnSignals() {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
  // npm killed with SIGKILL passes no signal on, but its children get another parent.
  if (!process.env.npm_lifecycle_event) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && end(0), PARENT_CHECK_MS).unref();
}

async function end(code) {
  if (running.ending) return;
  running.ending = true;
  killTools();
  await running.shop?.close();
  await running.receiver?.close();
  await running.worker?.stop();
  // Whoever waits for the next start must not take this one's keys for it.
  const isOurs = running.worker && readLocal(TENANT).base_url === running.worker.baseUrl;
  if (isOurs) rmSync(TENANT, { force: true });
  // A worker that was only just starting is killed by its own guard when this process exits.
  process.exit(code);
}

main().catch((error) => {
  if (!running.ending) die(error);
});
