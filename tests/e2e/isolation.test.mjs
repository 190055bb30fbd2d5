// Promise 5: a healthy delivery never waits for another connection's answer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { hang } from "./lib/receiver.mjs";
import { connect, emitMany, newTenant, newWorkspace, openWorld } from "./lib/world.mjs";
import { apiClient, asPublisher } from "../../tools/lib/api.mjs";

const BURST = 500;
const HEALTHY = 200;
const QUEUED_FIRST = 120;
const MORE_MS_MAX = 3_000;

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

test(`${HEALTHY} events beside a hanging endpoint take at most ${MORE_MS_MAX} ms more than alone`, async () => {
  const aloneMs = await healthyRun("/alone");
  world.receiver.on("/hanging", hang());
  const metadata = { timeout_seconds: 10 };
  const hanging = await connect(neighbour, { url: world.receiver.url("/hanging"), metadata });
  await emitMany(neighbour, hanging.event, QUEUED_FIRST);
  const besideMs = await healthyRun("/beside");
  const hung = world.receiver.at("/hanging").length;
  console.log(`${HEALTHY} healthy events: ${aloneMs} ms alone, ${besideMs} ms beside a hanging endpoint `
    + `(${QUEUED_FIRST} queued there first, ${hung} attempts hang)`);
  assert.ok(hung >= 1 && hung < QUEUED_FIRST, `${hung} attempts hang`);
  assert.ok(besideMs <= aloneMs + MORE_MS_MAX, `${besideMs} ms beside, ${aloneMs} ms alone`);
});

/** Milliseconds from the first emit until every event of the healthy tenant has arrived. */
async function healthyRun(path) {
  const to = await connect(tenant, { url: world.receiver.url(path) });
  const began = Date.now();
  await emitMany(tenant, to.event, HEALTHY);
  await world.receiver.arrived(path, HEALTHY, 90_000);
  return Date.now() - began;
}
