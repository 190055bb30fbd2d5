// What the embed's pages cost: how much a browser loads, and how often a page asks a database, counted
// on the running Worker.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { newSession } from "./lib/embed.mjs";
import { sleep, until } from "./lib/until.mjs";
import { connect, emit, made, newTenant, openWorld, settled } from "./lib/world.mjs";

const FIRST_PAGE_BYTES_MAX = 40 * 1024;
const SCRIPT_BYTES_MAX = 12 * 1024;
const PAGE_ROUND_TRIPS_MAX = 3;

let world, tenant, browser;

before(async () => {
  world = await openWorld({ vars: { METER: "true" } });
  tenant = await newTenant(world, "Counted");
  if (!noBrowser) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await world?.close();
});

/** A workspace in use: 5 connections, and more events than a page shows. */
async function fill() {
  const connected = [];
  for (let n = 0; n < 5; n += 1) connected.push(await connect(tenant, { url: world.receiver.url("/counted"), event: "order.completed" }));
  let id;
  for (let n = 0; n < 30; n += 1) ({ id } = await emit(tenant, "order.completed"));
  await settled(tenant, id, ["completed"]);
  return { ...connected[0], id };
}

/** Replays what was delivered in the last hour; the replay's id. */
async function replayDelivered() {
  const at = (ms) => new Date(Date.now() + ms).toISOString();
  const range = { status: "completed", since: at(-3_600_000), until: at(0) };
  return made(await tenant.api.post(`/workspaces/${tenant.workspace.id}/replays`, range)).replay.id;
}

const isPage = ({ url }) => url.includes("/embed/s/");

/** What a browser loads from a launch on: {url, type, bytes} of each answer with a body. */
async function firstPage() {
  const page = await openPage(browser);
  const loaded = [];
  page.on("response", (response) => loaded.push(response));
  // Loaded, and not asked for news yet.
  await page.goto((await newSession(world, tenant)).launch_url, { waitUntil: "load" });
  const answers = await Promise.all(loaded.filter((response) => response.status() === 200).map(async (response) => ({
    url: response.url(), type: response.request().resourceType(), bytes: (await response.body()).length,
  })));
  await page.close();
  return answers.filter(({ url }) => url.includes("/embed/"));
}

test("the first page is a document, a stylesheet and a script, of less than 40 KB", { skip: noBrowser }, async () => {
  for (const state of ["empty", "in use"]) {
    if (state === "in use") await fill();
    const loaded = (await firstPage()).filter(({ type }) => type !== "fetch");
    assert.deepEqual(loaded.map(({ type }) => type).sort(), ["document", "script", "stylesheet"]);
    const bytes = Object.fromEntries(loaded.map(({ type, bytes }) => [type, bytes]));
    const total = loaded.reduce((sum, { bytes }) => sum + bytes, 0);
    console.log(`  ${state}: ${total} bytes uncompressed, ${JSON.stringify(bytes)}`);
    assert.ok(loaded.some(isPage));
    assert.ok(total < FIRST_PAGE_BYTES_MAX, `${total} bytes`);
    assert.ok(bytes.script < SCRIPT_BYTES_MAX, `${bytes.script} bytes of script`);
  }
});

test("a page asks databases at most 3 times and an intake once beside that, and a poll asks a database once", async () => {
  const { connection, rule, id } = await fill();
  const replay = await replayDelivered();
  const session = await newSession(world, tenant);
  const launched = await fetch(session.launch_url, { redirect: "manual" });
  assert.equal(launched.status, 303);
  const [cookie] = launched.headers.get("set-cookie").split(";");
  const home = `${world.localUrl}/embed/s/${session.session_id}`;
  const within = `?workspace=${tenant.workspace.id}`;
  const at = `connections/${connection.id}`;
  const pages = [
    "dashboard", "connections", "connections/new", "connections/new?type=webhook", at, `${at}/edit`, `${at}/secret`, `${at}/verification`,
    `${at}/test?event=order.completed`, "rules", `rules/${rule.id}`, "events", "events?status=failed&event=order.completed",
    `events/${id}`, `events/${id}/rules/${rule.id}/attempts/1`, "failed", `failed?connection=${connection.id}`, "replays", "replays/new",
    `replays/${replay}`,
  ];
  const polls = [`live/events${within}&limit=25&before=~`, `live/events/${id}${within}`];
  for (const page of [at, `replays/${replay}`]) {
    const text = await (await fetch(`${home}/${page}`, { headers: { cookie } })).text();
    polls.push(text.match(/data-poll="([^"]+)"/)[1].replaceAll("&amp;", "&").split(`${session.session_id}/`)[1]);
  }
  const assets = ["../../embed.css", "../../embed.js"];
  for (const [paths, least, most, intakes] of [[pages, 1, PAGE_ROUND_TRIPS_MAX, 1], [polls, 1, 1, 0], [assets, 0, 0, 0]]) {
    for (const path of paths) {
      const { answer, counts } = await metered(`${home}/${path}`, { headers: { cookie } });
      assert.equal(answer.status, 200, path);
      const { intake_requests } = counts;
      const databases = counts.round_trips - intake_requests;
      console.log(`  ${databases} and ${intake_requests} ${path.replace(/[0-9a-f-]{36}/g, ":id")}`);
      assert.ok(databases >= least && databases <= most, `${path}: ${databases} round trips`);
      assert.ok(intake_requests <= intakes, `${path}: ${intake_requests} calls to intakes`);
    }
  }
});

const meters = () => world.worker.lines.filter((line) => line.startsWith('{"counts"'))
  .map((line) => JSON.parse(line)).filter(({ meter }) => meter === "fetch");

/** A request and what it cost. Counts are printed when a request is over: nothing else may be asked meanwhile. */
async function metered(url, options) {
  let before;
  do {
    before = meters().length;
    await sleep(150);
  } while (meters().length > before);
  const answer = await fetch(url, options);
  await answer.arrayBuffer();
  await until(`${url} is metered`, () => meters().length === before + 1 || `${meters().length - before} counts`);
  return { answer, counts: meters().at(-1).counts };
}
