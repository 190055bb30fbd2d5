// `npm run bench`: what events cost, counted by the Worker itself; how fast the local Worker is, beside floors that
// show what its parts can give at most; what three times that load does; what becomes of what waits while LOG cannot be
// written; whether anything grows with history; and how long the module takes to start. Words name the steps to do:
// `npm run bench -- speed`. `--quick` takes little of everything, `--write` makes docs/benchmarks.md of the speeds.
// The counts hold anywhere; speeds are this machine's. `BASELINE=<build folder>` compares with another build.
import { setTimeout as sleep } from "node:timers/promises";
import { WASM_GZIP_BYTES_MAX, wasmSize } from "../../tools/build.mjs";
import { commandLine } from "../../tools/lib/run.mjs";
import { connect, emit, emitMany, newTenant, openWorld } from "../e2e/lib/world.mjs";
import { until } from "../e2e/lib/until.mjs";
import { costPerMillion } from "./cost.mjs";
import { growth } from "./growth.mjs";
import { measure, SIZES } from "./measure.mjs";
import { outage } from "./outage.mjs";
import { medians, print, write } from "./report.mjs";
import { startTimes } from "./start.mjs";
import { helper, start, subjects } from "./subjects.mjs";

const COUNTED = 100;
/** Of those that come alone, and how long after the one before. */
const COUNTED_ALONE = 10;
const ALONE_MS = 4_000;
const AT_ONCE = 10;
/** From one emit to the next where 100 come in a second, and how many are counted: ten seconds of them. */
const PACE_MS = 10;
const COUNTED_PACED = 1_000;
/** By then the alarm of an intake has deleted what is in LOG. */
const ALARM_MS = 3_000;
/** How many times as much comes as can be taken, and over how many connections. */
const OVERLOAD = 3;
const OVERLOAD_CONNECTIONS = 1_000;
const SETTLES_MS = 2_000;
/** Assumed, since the local runtime does not tell: emit and attempt together. */
const CPU_MS = 3;
const USAGE = "npm run bench [-- costs | growth | speed | overload | outage | start] [-- --quick] [-- --write]";

let lastCount = -1;
let world;

const steps = { costs, growth: growths, speed, overload, outage: outages, start: starts };
const flags = { quick: { type: "boolean" }, write: { type: "boolean" } };
const { values: wanted, positionals: named } = commandLine(flags, USAGE, true);
for (const [name, work] of Object.entries(steps)) {
  if (named.length === 0 || named.includes(name)) await work();
}

async function growths() {
  if (!(await growth())) process.exitCode = 1;
}

async function outages() {
  if (!(await outage(wanted.quick))) process.exitCode = 1;
}

function starts() {
  const { raw, gzip } = wasmSize();
  startTimes();
  console.log(`\nModule: ${raw} bytes of wasm, ${gzip} gzipped (budget ${WASM_GZIP_BYTES_MAX})`);
}

async function speed() {
  const size = wanted.quick ? SIZES.quick : SIZES.full;
  const [load, receiver] = [await helper("load.mjs"), await helper("receiver.mjs")];
  const { url } = await receiver.told();
  const rounds = [];
  for (let round = 0; round < size.rounds; round += 1) {
    const figures = {};
    for (const subject of subjects()) {
      console.log(`Round ${round + 1} of ${size.rounds}: ${subject.name}`);
      const running = await start(subject, url);
      await sleep(SETTLES_MS);
      figures[subject.name] = await measure({ subject, running, load, receiver, size });
      await running.end();
    }
    rounds.push(figures);
  }
  await Promise.all([load.end(), receiver.end()]);
  const results = medians(rounds);
  print(results, rounds.length);
  if (wanted.write) write(results, rounds.length);
}

/** What is answered, and how fast, when three times as much comes as can be taken, whatever the answers do. */
async function overload() {
  const seconds = wanted.quick ? 2 : 8;
  const [load, receiver] = [await helper("load.mjs"), await helper("receiver.mjs")];
  const { url } = await receiver.told();
  const running = await start(subjects().find(({ name }) => name === "Posthorn"), url);
  await load.ask(running.load("fast", { connections: 64, seconds }));
  const most = await load.ask(running.load("fast", { connections: 64, seconds }));
  const perSecond = Math.round((OVERLOAD * most.answered) / most.seconds);
  const over = await load.ask(running.load("fast", { connections: OVERLOAD_CONNECTIONS, perSecond, seconds }));
  await running.end();
  await Promise.all([load.end(), receiver.end()]);
  const goodput = over.answered / over.seconds / (most.answered / most.seconds);
  console.log(`\nAt most ${Math.round(most.answered / most.seconds)} emits a second. ${perSecond} a second for ${seconds} s: ${
    Math.round(over.answered / over.seconds)} a second are answered 201 (${goodput.toFixed(2)} of that), p99 ${
    Math.round(over.p99)} ms; ${over.failed} of ${over.failed + over.answered} are refused`);
}

async function costs() {
  for (const vars of [{}, { INTAKES: "0" }]) {
    world = await openWorld({ vars: { METER: "true", ...vars } });
    console.log(`\nWith INTAKES as ${vars.INTAKES ?? "shipped"}:`);
    try {
      await costsOf(await newTenant(world));
    } finally {
      await world.close();
    }
  }
}

async function costsOf(tenant) {
  console.log(`Cost per event, counted over ${COUNTED} events each (${COUNTED_ALONE} of those in a while, ${COUNTED_PACED} at 100 a second), delivered at the first attempt`);
  const small = '{"a":1}';
  const rows = [
    ["one rule, one emit in a while", 1, small, "alone", COUNTED_ALONE],
    ["one rule, one emit after the other", 1, small, "single"],
    ["one rule, 100 emits a second", 1, small, "paced", COUNTED_PACED],
    ["one rule, 100 emits a second with keys", 1, small, "keyed", COUNTED_PACED],
    [`one rule, ${AT_ONCE} emits at once`, 1, small, "at once"],
    ["three rules", 3, small, "single"],
    ["one rule, payload of 2 KB", 1, JSON.stringify({ filler: "x".repeat(2_000) }), "single"],
    ["one rule, bulk of 100", 1, small, "bulk"],
  ];
  const table = [];
  for (const [name, rules, payload, how, count = COUNTED] of rows) {
    const path = `/${name.replace(/\W+/g, "-")}`;
    const { event } = await connect(tenant, { url: world.receiver.url(path) });
    for (let n = 1; n < rules; n += 1) await connect(tenant, { url: world.receiver.url(path), event });
    await counted(path, rules, () => emit(tenant, event, payload));
    const singles = async (count, restMs = 0) => {
      for (let n = 0; n < count; n += 1) {
        if (restMs > 0) await sleep(restMs);
        await emit(tenant, event, payload);
      }
    };
    const paced = async (key) => {
      const [began, asked] = [performance.now(), []];
      for (let n = 0; n < count; n += 1) {
        await sleep(Math.max(0, began + n * PACE_MS - performance.now()));
        asked.push(emit(tenant, event, payload, key && { "idempotency-key": `${path}-${n}` }));
      }
      await Promise.all(asked);
    };
    const ways = {
      alone: () => singles(count, ALONE_MS),
      single: () => singles(COUNTED),
      paced: () => paced(false),
      keyed: () => paced(true),
      "at once": () => Promise.all(Array.from({ length: AT_ONCE }, () => singles(COUNTED / AT_ONCE))),
      bulk: () => emitMany(tenant, event, COUNTED, () => JSON.parse(payload)),
    };
    const spent = await counted(path, rules * count, ways[how]);
    const per = Object.fromEntries(Object.entries(spent).map(([key, value]) => [key, value / count]));
    const dollars = costPerMillion({ ...per, cpuMs: CPU_MS });
    table.push({ case: name, ...per, "$ per million": dollars.toFixed(2) });
  }
  console.table(table);
}

/** What the Worker's own meters add up to until so many deliveries have arrived and are recorded. */
async function counted(path, deliveries, emitting) {
  const from = world.worker.lines.length;
  const before = world.receiver.at(path).length;
  await emitting();
  await world.receiver.arrived(path, before + deliveries, 60_000);
  const sum = (key) => meters(from).reduce((total, { counts }) => total + counts[key], 0);
  const recorded = () => world.worker.lines.slice(from).filter((line) => line.includes('"at":"attempt"')).length;
  await until("all is recorded", () => recorded() >= deliveries && quiet(from), 60_000);
  await sleep(ALARM_MS);
  return {
    requests: meters(from).filter(({ meter }) => meter === "fetch" || meter === "queue").length,
    queueMessages: sum("queue_messages"),
    rowsWritten: sum("rows_written"),
    rowsRead: sum("rows_read"),
    objectRequests: sum("intake_requests") + sum("lane_requests"),
    objectRows: sum("object_rows_written"),
  };
}

/** Whether no further meter was printed since it was asked before. */
function quiet(from) {
  const count = meters(from).length;
  const same = count === lastCount;
  lastCount = count;
  return same;
}

function meters(from) {
  const lines = world.worker.lines.slice(from).filter((line) => line.startsWith('{"counts"'));
  return lines.map((line) => JSON.parse(line));
}
