// Promise 5: a healthy delivery never waits for another connection's answer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hang } from "./lib/receiver.mjs";
import { sleep } from "./lib/until.mjs";
import { connect, emitMany, newTenant, newWorkspace, openWorld } from "./lib/world.mjs";
import { apiClient, asPublisher } from "../../tools/lib/api.mjs";

const BURST = 500;
const HEALTHY = 500;
const QUEUED_FIRST = 120;
/** Endpoints that hang, and how much longer than alone the healthy events may take beside them at all. */
const NEIGHBOURS = [1, 10, 50];
const STUCK_MS = 60_000;
const MORE_MS_MAX = 3_000;
const ROUNDS = 3;

let world, tenant, neighbour;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
  const other = await newWorkspace(world, tenant.api, "Neighbour");
  neighbour = { ...tenant, ...other, publisher: apiClient(world.baseUrl, asPublisher(other.publishableKey)) };
});
after(() => world?.close());

test(`a burst of ${BURST} events arrives, each once`, async () => {
  const to = await connect(tenant, { url: world.receiver.url("/burst") });
  const began = Date.now();
  const ids = await emitMany(tenant, to.event, BURST);
  const requests = await world.receiver.arrived("/burst", BURST, 60_000);
  console.log(`burst of ${BURST}: ${Date.now() - began} ms from the first emit to the last arrival`);
  assert.deepEqual(requests.map(({ headers }) => headers["posthorn-event-id"]).sort(), ids.sort());
});

// Times on a busy machine say little: they are printed. What one hanging endpoint may cost others is bounded.
for (const count of NEIGHBOURS) {
  test(`${HEALTHY} events beside ${count} hanging endpoints`, async () => {
    const aloneMs = await median(() => healthyRun());
    const event = `hanging.${count}`;
    for (let index = 0; index < count; index += 1) {
      const path = `/hanging/${count}/${index}`;
      world.receiver.on(path, hang());
      await connect(neighbour, { url: world.receiver.url(path), metadata: { timeout_seconds: 10 }, event });
    }
    await emitMany(neighbour, event, Math.max(1, Math.ceil(QUEUED_FIRST / count)));
    const onsetMs = await healthyRun();
    if (count === 1) {
      const hung = world.receiver.at("/hanging/1/0").length;
      assert.ok(hung >= 1 && hung < QUEUED_FIRST, `${hung} attempts hang`);
      assert.ok(onsetMs <= aloneMs + MORE_MS_MAX, `${onsetMs} ms beside, ${aloneMs} ms alone`);
    }
    await sleep(2_000);
    const steadyMs = await median(async () => {
      await emitMany(neighbour, event, 2);
      return healthyRun();
    });
    console.log(`${HEALTHY} healthy events beside ${count} hanging endpoints: alone ${aloneMs} ms, at onset `
      + `${onsetMs - aloneMs} ms more, in steady state ${(steadyMs / aloneMs).toFixed(2)} times (median of ${ROUNDS})`);
    const hung = world.receiver.requests.filter(({ path }) => path.startsWith(`/hanging/${count}/`)).length;
    assert.ok(hung >= count, `${hung} attempts hang`);
  });
}

async function median(round) {
  const times = [];
  for (let n = 0; n < ROUNDS; n += 1) times.push(await round());
  return times.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)];
}

let runs = 0;

/** Milliseconds from the first emit until every event of the healthy tenant has arrived. */
async function healthyRun() {
  const path = `/healthy/${++runs}`;
  const to = await connect(tenant, { url: world.receiver.url(path) });
  const began = Date.now();
  await emitMany(tenant, to.event, HEALTHY);
  await world.receiver.arrived(path, HEALTHY, STUCK_MS);
  return Date.now() - began;
}
