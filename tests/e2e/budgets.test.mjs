// What an event costs without intakes, counted on the running Worker: rows by D1's own count, from emit to settled.
// What it costs with them is in intake.test.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WASM_GZIP_BYTES_MAX, wasmSize } from "../../tools/build.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { startOnce } from "../bench/start.mjs";
import { sleep, until } from "./lib/until.mjs";
import { connect, emit, emitMany, made, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

// 400 KB was the bound while there was delivery and its API; since then came the customer's pages, the lanes,
// and the whole contract. The platform takes 10 MB; it is the start of an isolate that a larger module slows.

let world, tenant;
/** Requests to the Worker since it was ready, and how many were metered before. */
let requests = 0, meteredBefore = 0;
const realFetch = globalThis.fetch;

before(async () => {
  world = await openWorld({ vars: { METER: "true", INTAKES: "0" } });
  tenant = await newTenant(world);
  // The counts are printed when a request is over, and read through a pipe: some come late.
  let counted;
  do {
    counted = meters(0, "fetch").length;
    await sleep(500);
  } while (meters(0, "fetch").length > counted);
  meteredBefore = counted;
  globalThis.fetch = (url, options) => {
    if (String(url).startsWith(`${world.baseUrl}/api/`)) requests += 1;
    return realFetch(url, options);
  };
});
after(() => {
  globalThis.fetch = realFetch;
  return world?.close();
});

/** Waits until everything that was asked so far is metered; what is printed from then on is new. */
async function fromHere() {
  const all = () => meters(0, "fetch").length === meteredBefore + requests;
  await until("every request so far is metered", () => all() || `${meters(0, "fetch").length} of ${meteredBefore + requests}`);
  return world.worker.lines.length;
}

test("one event, one rule: 3 round trips, 4 rows, 1 message, no lane request", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/one") });
  await cost("/one", 1, () => emit(tenant, to.event));
  const spent = await cost("/one", 1, () => emit(tenant, to.event));
  assert.equal(spent.emit.round_trips, 3);
  assert.equal(spent.emit.queue_messages, 1);
  assert.equal(spent.rows_written, 4);
  assert.equal(spent.queue_messages, 1);
  assert.deepEqual([spent.lane_requests, spent.object_rows_written], [0, 0]);
});

test("an event with a new name costs one row more, once", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/new") });
  assert.equal((await cost("/new", 1, () => emit(tenant, to.event))).rows_written, 5);
  assert.equal((await cost("/new", 1, () => emit(tenant, to.event))).rows_written, 4);
});

test("a payload of 2 KB costs one row more", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/large") });
  const payload = JSON.stringify({ filler: "x".repeat(2_000) });
  await cost("/large", 1, () => emit(tenant, to.event, payload));
  const spent = await cost("/large", 1, () => emit(tenant, to.event, payload));
  assert.equal(spent.rows_written, 5);
  assert.equal(spent.emit.round_trips, 3);
});

test("one event, three rules: 3 round trips, at most 4 + 2 * 3 rows, 1 message", async () => {
  const { event } = await connect(tenant, { url: world.receiver.url("/three") });
  for (let rule = 1; rule < 3; rule += 1) await connect(tenant, { url: world.receiver.url("/three"), event });
  await cost("/three", 3, () => emit(tenant, event));
  const spent = await cost("/three", 3, () => emit(tenant, event));
  assert.equal(spent.emit.round_trips, 3);
  assert.ok(spent.rows_written <= 4 + 2 * 3, `${spent.rows_written} rows`);
  assert.equal(spent.queue_messages, 1);
});

test("an event that no rule wants costs one row and no message", async () => {
  await emit(tenant, "wanted.by-nobody");
  const from = await fromHere();
  await emit(tenant, "wanted.by-nobody");
  await until("the emit is metered", () => meters(from, "fetch").length === 1);
  const [spent] = meters(from, "fetch");
  assert.deepEqual([spent.round_trips, spent.rows_written, spent.queue_messages], [2, 1, 0]);
});

test("a hundred events in bulk: 3 round trips, 400 rows, 10 messages", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/bulk") });
  await cost("/bulk", 1, () => emit(tenant, to.event));
  const spent = await cost("/bulk", 100, () => emitMany(tenant, to.event, 100));
  assert.equal(spent.emit.round_trips, 3);
  assert.equal(spent.rows_written, 400);
  assert.equal(spent.queue_messages, 10);
  assert.deepEqual([spent.lane_requests, spent.object_rows_written], [0, 0]);
});

test("an idempotency key costs one row more, and its repetition none", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/keyed") });
  await cost("/keyed", 1, () => emit(tenant, to.event));
  const headers = { "Idempotency-Key": "budget-1" };
  const keyed = async () => made(await tenant.publisher.post("/events", { event: to.event, payload: {} }, headers)).event;
  const spent = await cost("/keyed", 1, keyed);
  assert.equal(spent.emit.round_trips, 3);
  assert.equal(spent.rows_written, 5);
  const from = await fromHere();
  await keyed();
  await until("the repetition is metered", () => meters(from, "fetch").length === 1);
  const [again] = meters(from, "fetch");
  assert.deepEqual([again.round_trips, again.rows_written, again.queue_messages], [2, 0, 0]);
});

test("a filter that lets nothing pass costs no row", async () => {
  const filter = { path: "total", gt: 100 };
  const to = await connect(tenant, { url: world.receiver.url("/filtered") });
  ok(await tenant.api.patch(`/rules/${to.rule.id}`, { filter }));
  await emit(tenant, to.event);
  const from = await fromHere();
  await emit(tenant, to.event, '{"total":1}');
  await until("the emit is metered", () => meters(from, "fetch").length === 1);
  const [spent] = meters(from, "fetch");
  assert.deepEqual([spent.round_trips, spent.rows_written, spent.queue_messages], [2, 1, 0]);
});

test("the wasm is at most 1,200 KB gzipped", () => {
  const { gzip } = wasmSize();
  console.log(`wasm: ${gzip} bytes gzipped`);
  assert.ok(gzip <= WASM_GZIP_BYTES_MAX, `${gzip} bytes`);
});

// The bench fakes the bindings; one that it lacks would be found only by whoever measures next.
test("the module starts with the bindings of the start bench", () => {
  const { compileMs, firstMs } = startOnce(inRepo("build"));
  assert.ok(compileMs > 0 && firstMs > 0, `${compileMs}, ${firstMs}`);
});

/** What everything cost from this emit until its deliveries at `path` were settled. */
async function cost(path, deliveries, emitting) {
  const from = await fromHere();
  const before = world.receiver.at(path).length;
  const emitted = await emitting();
  await world.receiver.arrived(path, before + deliveries);
  // Read before anything else is asked of the API: the first fetch is the emit.
  await until("the emit is metered", () => meters(from, "fetch").length > 0);
  const [emit] = meters(from, "fetch");
  for (const id of [emitted].flat().map((one) => one.id ?? one)) await settled(tenant, id, ["completed"]);
  const settling = () => sum(from, "queue").rows_written >= deliveries || JSON.stringify(meters(from, "queue"));
  await until("the consumer is metered", settling);
  const [fetches, queues, sweeps, lanes] = ["fetch", "queue", "upkeep", "lane"].map((at) => sum(from, at));
  assert.equal(sweeps.rows_written, 0, "no sweep may fall into a measurement");
  return {
    emit,
    rows_written: fetches.rows_written + queues.rows_written,
    queue_messages: fetches.queue_messages + queues.queue_messages,
    lane_requests: fetches.lane_requests + queues.lane_requests + sweeps.lane_requests,
    object_rows_written: lanes.object_rows_written,
  };
}

/** The counts that the Worker printed for its events of one kind since the line `from`. */
function meters(from, at) {
  const lines = world.worker.lines.slice(from).filter((line) => line.startsWith('{"counts"'));
  return lines.map((line) => JSON.parse(line)).filter(({ meter }) => meter === at).map(({ counts }) => counts);
}

function sum(from, at) {
  const total = { rows_written: 0, queue_messages: 0, lane_requests: 0, object_rows_written: 0 };
  for (const counts of meters(from, at)) {
    for (const name of Object.keys(total)) total[name] += counts[name];
  }
  return total;
}
