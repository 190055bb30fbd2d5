// The intake on the running Worker: what an emit costs by it, and what holds from an answer on.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { sleep, until } from "./lib/until.mjs";
import { ADMIN_TOKEN, connect, emit, emitMany, made, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const READS = Number(process.env.INTAKE_READS ?? 300);
const EMITTERS = 16;

let world, tenant;

before(async () => {
  world = await openWorld({ vars: { METER: "true" } });
  tenant = await newTenant(world);
});
after(() => world?.close());

/** What everything cost that was done meanwhile, by kind of invocation. */
async function spent(doing) {
  const from = world.worker.lines.length;
  const result = await doing();
  // The alarm deletes after two seconds what is in LOG.
  await sleep(3_000);
  const lines = world.worker.lines.slice(from).filter((line) => line.startsWith('{"counts"'));
  const all = {};
  for (const { meter, counts } of lines.map((line) => JSON.parse(line))) {
    all[meter] ??= {};
    for (const [name, count] of Object.entries(counts)) all[meter][name] = (all[meter][name] ?? 0) + count;
  }
  return { all, result };
}

/** Until what was stored before is done with: an alarm that is set, a read that is old. */
const quiet = () => sleep(4_000);

test("an event alone: one call of the intake, 4 rows of LOG, 1 message, at most 3 rows of the intake", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/one") });
  const arrive = async (count) => {
    await emit(tenant, to.event);
    await world.receiver.arrived("/one", count);
  };
  await arrive(1);
  await quiet();
  await arrive(2);
  // Its counts are printed by then, and the routing is known for two seconds more.
  await sleep(1_000);
  const { all } = await spent(() => arrive(3));
  assert.deepEqual([all.fetch.round_trips, all.fetch.intake_requests, all.fetch.rows_written], [1, 1, 0]);
  assert.equal(all.intake.rows_written + all.queue.rows_written, 4);
  assert.equal(all.intake.queue_messages, 1);
  assert.ok(all.intake.object_rows_written <= 3, `${all.intake.object_rows_written} rows`);
});

test("a hundred events in bulk: 400 rows of LOG, 10 messages, at most 3 rows of the intake", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/bulk") });
  await emit(tenant, to.event);
  await quiet();
  const { all } = await spent(async () => {
    await emitMany(tenant, to.event, 100);
    await world.receiver.arrived("/bulk", 101);
  });
  assert.equal(all.intake.rows_written + all.queue.rows_written, 400);
  assert.equal(all.intake.queue_messages, 10);
  assert.ok(all.intake.object_rows_written <= 3, `${all.intake.object_rows_written} rows`);
});

test("under load an event costs LOG the same; what it costs the intake is told", async (t) => {
  const to = await connect(tenant, { url: world.receiver.url("/many") });
  await emit(tenant, to.event);
  await quiet();
  const count = 400;
  const { all } = await spent(async () => {
    let left = count;
    const emitting = async () => {
      while (left-- > 0) await emit(tenant, to.event);
    };
    await Promise.all(Array.from({ length: EMITTERS }, emitting));
    await world.receiver.arrived("/many", count + 1);
  });
  const each = (number) => (number / count).toFixed(2);
  t.diagnostic(`${each(all.intake.object_rows_written)} rows of the intake and ${each(all.intake.queue_messages)} messages an event`);
  assert.equal(all.intake.rows_written + all.queue.rows_written, 4 * count);
  // How many share a row depends on how many come at once: tests/it/intakes.rs counts that by a clock of its own.
  assert.ok(all.intake.queue_messages <= count, `${all.intake.queue_messages} messages`);
  assert.ok(all.intake.object_rows_written <= 3 * count, `${all.intake.object_rows_written} rows`);
});

test(`an event is read right after its 201, ${READS} times while others emit`, async () => {
  const to = await connect(tenant, { url: world.receiver.url("/read") });
  let reads = READS;
  const reading = async () => {
    while (reads-- > 0) {
      const { id } = await emit(tenant, to.event);
      const { status, body } = await tenant.api.get(`/events/${id}`);
      assert.deepEqual([status, body.id], [200, id]);
    }
  };
  await Promise.all(Array.from({ length: EMITTERS }, reading));
});

test("nothing is accepted with a key after the answer that revoked it", async () => {
  const other = await newTenant(world);
  const to = await connect(other, { url: world.receiver.url("/revoked") });
  let revokedAt = Infinity;
  const late = [];
  let ends = false;
  const emitting = async () => {
    while (!ends) {
      const began = performance.now();
      const { status } = await other.publisher.post("/events", { event: to.event, payload: {} });
      if (status === 201 && began > revokedAt) late.push(began - revokedAt);
    }
  };
  const all = Promise.all(Array.from({ length: EMITTERS }, emitting));
  await sleep(500);
  ok(await other.api.post(`/workspaces/${other.workspace.id}/publishable-key/rotate`, { grace_seconds: 0 }));
  revokedAt = performance.now();
  await sleep(1_500);
  ends = true;
  await all;
  assert.deepEqual(late, []);
});

test("what is emitted after a connection was paused is held", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/paused") });
  await emit(tenant, to.event);
  await world.receiver.arrived("/paused", 1);
  ok(await tenant.api.post(`/connections/${to.connection.id}/deactivate`, {}));
  const { id } = await emit(tenant, to.event);
  const { body } = await tenant.api.get(`/events/${id}`);
  assert.equal(body.rule_events[0].held, true);
  await sleep(500);
  assert.equal(world.receiver.at("/paused").length, 1);
});

test("an idempotency key is answered as the first time", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/keyed") });
  const keyed = () => tenant.publisher.post("/events", { event: to.event, payload: {} }, { "Idempotency-Key": "once" });
  const answers = await Promise.all(Array.from({ length: 8 }, keyed));
  const ids = new Set(answers.map((answer) => made(answer).event.id));
  assert.equal(ids.size, 1);
  await settled(tenant, [...ids][0], ["completed"]);
  assert.equal(world.receiver.at("/keyed").length, 1);
});

test("what waits at the intakes stands in /health", async () => {
  await until("nothing waits", async () => {
    const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
    const body = await (await fetch(`${world.baseUrl}/health`, { headers })).json();
    assert.deepEqual(body.intakes.map(({ intake }) => intake), [0, 1, 2, 3]);
    return body.intakes.every(({ waiting, oldest_waiting_seconds: seconds }) => waiting === 0 && seconds === 0);
  });
});
