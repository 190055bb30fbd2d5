// `npm run bench -- growth`: what everything costs with 1,000, 100,000 and 1,000,000 settled deliveries of one
// connection in front. Rows are D1's own count (`meta.rows_read`), the least of five calls: what is due at that moment
// (a retry of the connection that fails) is work, not history. Times are medians of five calls as the caller sees them,
// through a socket of its own (direct.mjs), after a while of the same that is not timed: the first ones after a pause
// take longer, however much there is. Each is measured by a call that reads no history right before and right after it:
// what else the machine does makes both slower, for moments or for minutes.
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { asMachine } from "../../tools/lib/api.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { newSession } from "../e2e/lib/embed.mjs";
import { addPast } from "../e2e/lib/past.mjs";
import { answer } from "../e2e/lib/receiver.mjs";
import { connect, emit, newTenant, ok, settled } from "../e2e/lib/world.mjs";
import { openDirect } from "./direct.mjs";
import { median } from "./statistics.mjs";

const PASTS = [1_000, 100_000, 1_000_000];
const ROUNDS = 5;
/** What a call may cost more: a fifth of the rows (and a few), half of the time (or a millisecond). */
const ROWS_GROWTH = 1.2;
const ROWS_SPARE = 5;
const TIME_GROWTH = 1.5;
const TIME_SPARE_MS = 1;
/** What is measured adds to the deliveries of two connections, and must not make their lists longer. */
const MORE_THAN_A_PAGE = 120;
/** What is sent, and all that it leaves to others, is over then. */
const SENT_MS = 300;
/** How long a call is made before it is timed. */
const WARM_MS = 300;
const DAY_MS = 86_400_000;
const STATES = ["pending", "completed", "failed", "retrying", "held", "canceled"];

/** Measures, prints a table, and answers whether nothing grew. */
export async function growth() {
  const world = await openDirect({ METER: "true" });
  try {
    const present = await made(world);
    const [costs, units] = [[], []];
    const from = Date.now() - 11 * DAY_MS;
    let had = 0;
    for (const count of PASTS) {
      await world.worker.stop();
      addPast(world.stateDir, present.past, [had, count], (n) => from + (n * 9 * DAY_MS) / PASTS.at(-1));
      had = count;
      await world.restart();
      await calm(world);
      costs.push(await costsOf(world, present, units));
    }
    return shown(costs, median(units));
  } finally {
    await world.close();
  }
}

/** A workspace with a healthy connection, one in strict order, one that fails and one that is paused. */
async function made(world) {
  const tenant = await newTenant(world, "Grown");
  const to = (path, metadata) => connect(tenant, { url: world.receiver.url(path), metadata });
  const [healthy, strict, failing, paused] = [
    await to("/grown"), await to("/grown", { ordering: "strict" }), await to("/down"), await to("/grown"),
  ];
  world.receiver.on("/down", answer(503));
  ok(await tenant.api.post(`/connections/${paused.connection.id}/deactivate`));
  for (const { event } of [paused, failing]) for (let n = 0; n < 3; n += 1) await emit(tenant, event);
  for (let n = 0; n < MORE_THAN_A_PAGE; n += 1) await emit(tenant, strict.event);
  let last;
  for (let n = 0; n < MORE_THAN_A_PAGE; n += 1) last = (await emit(tenant, healthy.event)).id;
  await settled(tenant, last, ["completed"]);
  const kinds = Object.entries({ healthy, strict, failing, paused });
  const named = [
    ...kinds.map(([kind, { connection }]) => [connection.id, kind]), [healthy.rule.id, "rule"], [last, "event"], [tenant.workspace.id, "workspace"],
  ];
  const past = { workspace: tenant.workspace.id, connection: healthy.connection.id, rule: healthy.rule.id };
  return { tenant, healthy, strict, failing, paused, last, named, past };
}

/** Waits until the sweeper finds nothing to catch up with. */
async function calm(world) {
  let before;
  for (let n = 0; n < 100; n += 1) {
    const rows = await rowsOf(world, () => world.worker.sweep());
    if (rows === before) return;
    before = rows;
  }
}

const counts = (world, from) => world.worker.lines.slice(from).filter((line) => line.startsWith('{"counts"')).map((line) => JSON.parse(line));

/** The rows that a call reads, with what it leaves to others: once nothing more is counted. */
async function rowsOf(world, call) {
  const from = world.worker.lines.length;
  await call();
  for (let before = -1, now = counts(world, from).length; before !== now || now === 0; now = counts(world, from).length) {
    before = now;
    await sleep(60);
  }
  return counts(world, from).reduce((sum, { counts: { rows_read } }) => sum + rows_read, 0);
}

/** The milliseconds that a call takes; it may answer when it was over. */
async function timeOf(call) {
  const began = clock();
  const over = await call();
  return (over ?? clock()) - began;
}

const clock = () => performance.timeOrigin + performance.now();

/** Rows of everything, by name, and its time in units: what the reading of the organization takes, which `units` gets. */
async function costsOf(world, present, units) {
  const { tenant, healthy, strict } = present;
  const all = {};
  const repeated = async (call) => {
    const found = [];
    for (let n = 0; n < ROUNDS; n += 1) found.push(await call());
    return found;
  };
  const counted = async (name, call) => {
    all[name] = { rows: Math.min(...await repeated(() => rowsOf(world, call))) };
  };
  const timed = async (name, call, warmMs = WARM_MS) => {
    for (const until = clock() + warmMs; clock() < until; ) await call();
    all[name].units = median(await repeated(async () => {
      if (!warmMs) await sleep(SENT_MS);
      const around = [await timeOf(unit)];
      const ms = await timeOf(call);
      around.push(await timeOf(unit));
      units.push(...around);
      return ms / ((around[0] + around[1]) / 2);
    }));
  };
  const read = async (url, headers) => {
    const got = await fetch(url, { headers });
    await got.arrayBuffer();
    if (got.status >= 400) throw new Error(`${url}: ${got.status}`);
  };
  const unit = () => read(`${world.baseUrl}/api/v1/organization`, asMachine(tenant.machine)());
  const delivered = async (event) => {
    const before = world.receiver.at("/grown").length;
    await emit(tenant, event);
    const arrived = await world.receiver.arrived("/grown", before + 1);
    return arrived[before].atMs;
  };
  const named = (path) => present.named.reduce((text, [id, kind]) => text.replaceAll(id, kind), path);
  const reads = apiPaths(present).map((path) => [named(path), () => read(`${world.baseUrl}/api/v1${path}`, asMachine(tenant.machine)())]);
  const session = await newSession(world, tenant);
  const launched = await fetch(session.launch_url, { redirect: "manual" });
  const cookie = launched.headers.get("set-cookie").split(";")[0];
  const home = `${world.localUrl}/embed/s/${session.session_id}`;
  for (const path of pages(present)) reads.push([`page ${named(path)}`, () => read(`${home}/${path}`, { cookie })]);
  // What is sent is sent few times: the lists show it.
  const sends = [
    ["emit and delivery", () => delivered(healthy.event)], ["emit and delivery in strict order", () => delivered(strict.event)],
    ["sweep", () => world.worker.sweep()],
  ];
  for (const [name, call] of [...sends, ...reads]) await counted(name, call);
  for (const [name, call] of sends) await timed(name, call, 0);
  for (const [name, call] of reads) await timed(name, call);
  return all;
}

/** Every GET of the API that a machine key may ask, for each connection, and the lists by state. */
function apiPaths({ tenant, healthy, strict, failing, paused, last }) {
  const { paths } = JSON.parse(readFileSync(inRepo("public", "api", "v1", "openapi.json"), "utf8"));
  const connections = [healthy, strict, failing, paused].map(({ connection }) => connection.id);
  const ids = { connections, rules: [healthy.rule.id], workspaces: [tenant.workspace.id], events: [last], organizations: [], replays: [] };
  const missing = /\{(erasure|key|message_id)\}|\/(health|mappings|actions|fields|sessions)/;
  const reads = Object.keys(paths).filter((path) => paths[path].get && path.startsWith("/api/v1/") && !missing.test(path))
    .map((path) => path.slice("/api/v1".length).replace("{rule_id}", healthy.rule.id).replace("{n}", "1"));
  const filled = reads.flatMap((path) => path.includes("{id}") ? ids[path.split("/")[1]].map((id) => path.replace("{id}", id)) : [path]);
  const byState = ["/events", ...connections.map((id) => `/connections/${id}/deliveries`)]
    .flatMap((path) => STATES.map((status) => `${path}?status=${status}`));
  return [...filled, ...byState, "/events?event=none", "/events?resource=order"];
}

function pages({ healthy, strict, failing, paused, last }) {
  const connections = [healthy, strict, failing, paused].map(({ connection }) => `connections/${connection.id}`);
  return [
    "dashboard", "connections", ...connections, "rules", `rules/${healthy.rule.id}`, "events", ...STATES.map((status) => `events?status=${status}`),
    `events?connection=${healthy.connection.id}`, `events/${last}`, `events/${last}/rules/${healthy.rule.id}/attempts/1`, "failed", "replays", "event-types",
  ];
}

function shown(costs, unitMs) {
  const grown = [];
  const table = Object.fromEntries(Object.keys(costs[0]).map((name) => {
    const each = costs.map((cost) => ({ rows: cost[name].rows, ms: cost[name].units * unitMs }));
    const [first] = each;
    const most = (key) => Math.max(...each.map((cost) => cost[key]));
    if (most("rows") > first.rows * ROWS_GROWTH + ROWS_SPARE) grown.push(`${name}: rows`);
    if (most("ms") > Math.max(first.ms * TIME_GROWTH, first.ms + TIME_SPARE_MS)) grown.push(`${name}: time`);
    const row = Object.fromEntries(each.flatMap(({ rows, ms }, index) => [
      [`rows ${PASTS[index]}`, rows], [`ms ${PASTS[index]}`, Number(ms.toFixed(1))],
    ]));
    return [name, row];
  }));
  console.table(table);
  console.log(grown.length ? `Grown with history: ${grown.join("; ")}` : "Nothing grows with history.");
  return grown.length === 0;
}
