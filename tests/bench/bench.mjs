// `npm run bench`: what events cost, counted by the Worker itself, how fast the local Worker is, and how long the
// module takes to start. The counts hold anywhere; the speeds are this machine's, with the proxy of `wrangler dev`
// in front: compare them only with another run on the same machine. `BASELINE=<build folder>` compares the start.
import { wasmSize } from "../../tools/build.mjs";
import { connect, emit, emitMany, newTenant, openWorld } from "../e2e/lib/world.mjs";
import { until } from "../e2e/lib/until.mjs";
import { costPerMillion } from "./cost.mjs";
import { startTimes } from "./start.mjs";

const COUNTED = 100;
const BURST = 1_000;
const CONNECTIONS = [1, 16, 64];
const EMITS = 300;
/** Assumed, since the local runtime does not tell: emit and attempt together. */
const CPU_MS = 3;

let lastCount = -1;

const world = await openWorld({ vars: { METER: "true" } });
try {
  const tenant = await newTenant(world);
  await costs(tenant);
  await speeds(tenant);
  const { raw, gzip } = wasmSize();
  startTimes();
  console.log(`\nModule: ${raw} bytes of wasm, ${gzip} gzipped (budget 1000000)`);
} finally {
  await world.close();
}

async function costs(tenant) {
  console.log(`Cost per event, counted over ${COUNTED} events each, delivered at the first attempt`);
  const small = '{"a":1}';
  const rows = [
    ["one rule", 1, small, "single"],
    ["three rules", 3, small, "single"],
    ["one rule, payload of 2 KB", 1, JSON.stringify({ filler: "x".repeat(2_000) }), "single"],
    ["one rule, bulk of 100", 1, small, "bulk"],
  ];
  const table = [];
  for (const [name, rules, payload, how] of rows) {
    const path = `/${name.replace(/\W+/g, "-")}`;
    const { event } = await connect(tenant, { url: world.receiver.url(path) });
    for (let n = 1; n < rules; n += 1) await connect(tenant, { url: world.receiver.url(path), event });
    await counted(path, rules, () => emit(tenant, event, payload));
    const emitting = how === "bulk"
      ? () => emitMany(tenant, event, COUNTED, () => JSON.parse(payload))
      : async () => { for (let n = 0; n < COUNTED; n += 1) await emit(tenant, event, payload); };
    const spent = await counted(path, rules * COUNTED, emitting);
    const per = Object.fromEntries(Object.entries(spent).map(([key, value]) => [key, value / COUNTED]));
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
  return {
    requests: meters(from).length,
    queueMessages: sum("queue_messages"),
    rowsWritten: sum("rows_written"),
    rowsRead: sum("rows_read"),
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

async function speeds(tenant) {
  const { event } = await connect(tenant, { url: world.receiver.url("/speed") });
  await emit(tenant, event);
  let emitted = 1;
  const table = [];
  for (const connections of CONNECTIONS) {
    let left = EMITS;
    const began = performance.now();
    const worker = async () => { while (left-- > 0) await emit(tenant, event); };
    await Promise.all(Array.from({ length: connections }, worker));
    const seconds = (performance.now() - began) / 1000;
    table.push({ "connections emitting": connections, "events per second": Math.round(EMITS / seconds) });
    emitted += EMITS;
    await world.receiver.arrived("/speed", emitted, 60_000);
  }
  console.log(`\nEmit, ${EMITS} events each`);
  console.table(table);
  const began = performance.now();
  await emitMany(tenant, event, BURST);
  await world.receiver.arrived("/speed", emitted + BURST, 120_000);
  const seconds = (performance.now() - began) / 1000;
  console.log(`Burst of ${BURST} in bulks of 100, from the first emit to the last arrival: ${seconds.toFixed(2)} s`);
}
