// Promise 5: a healthy delivery never waits for another connection's answer.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readLog } from "./lib/d1.mjs";
import { pause } from "./lib/process.mjs";
import { answer, hang } from "./lib/receiver.mjs";
import { sleep, until } from "./lib/until.mjs";
import { connect, emitMany, newTenant, newWorkspace, ok, openWorld } from "./lib/world.mjs";
import { apiClient, asPublisher } from "../../tools/lib/api.mjs";

const BURST = 500;
const HEALTHY = 500;
const QUEUED_FIRST = 120;
/** Endpoints that hang, and how much longer than alone the healthy events may take beside them at all. */
const NEIGHBOURS = [1, 10, 50];
const STUCK_MS = 60_000;
const MORE_MS_MAX = 3_000;
const ROUNDS = 5;
const TIMEOUT_S = 10;
const PAUSES = 5;
/** Longer than a receiver may take until it is slow. */
const PAUSE_MS = 400;

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

test("a pause of the runtime itself makes no receiver slow", async () => {
  world.receiver.on("/paused", answer(204, { afterMs: 20 }));
  const to = await connect(tenant, { url: world.receiver.url("/paused") });
  for (let n = 1; n <= PAUSES; n += 1) {
    const before = world.receiver.at("/paused").length;
    const emitted = emitMany(tenant, to.event, 100);
    await until("its deliveries are under way", () => world.receiver.at("/paused").length > before);
    await pause(world.worker, PAUSE_MS);
    await emitted;
    await world.receiver.arrived("/paused", n * 100, 60_000);
  }
  const lanes = readLog(world.stateDir, "select mode, reason from lanes where connection = ?", to.connection.id);
  assert.deepEqual(lanes, []);
});

// Times on a busy machine say little: they are printed. What one hanging endpoint may cost others is bounded.
for (const count of NEIGHBOURS) {
  test(`${HEALTHY} events beside ${count} hanging endpoints`, async () => {
    const aloneMs = await median(() => healthyRun());
    let neighbours;
    const onsetMs = await median(async (round) => {
      // Those of the round before are gone, so that each round meets as many as it says.
      await neighbours?.leave();
      neighbours = await hangingEndpoints(count, round);
      await emitMany(neighbour, neighbours.event, Math.max(1, Math.ceil(QUEUED_FIRST / count)));
      return healthyRun();
    });
    // What is steady begins when every one of them was found out, and those of the rounds before are over.
    await until("every endpoint hangs", () => neighbours.hung().every((attempts) => attempts > 0), STUCK_MS);
    await sleep(TIMEOUT_S * 1_000 + 1_000);
    const steadyMs = await median(async () => {
      await emitMany(neighbour, neighbours.event, 2);
      return healthyRun();
    });
    console.log(`${HEALTHY} healthy events beside ${count} hanging endpoints: alone ${aloneMs} ms, at onset `
      + `${onsetMs - aloneMs} ms more, in steady state ${(steadyMs / aloneMs).toFixed(2)} times (medians of ${ROUNDS})`);
    if (count === 1) {
      assert.ok(neighbours.hung()[0] < QUEUED_FIRST, "most of its events wait for its lane");
      assert.ok(onsetMs <= aloneMs + MORE_MS_MAX, `${onsetMs} ms beside, ${aloneMs} ms alone`);
    }
  });
}

/** So many endpoints that hang, which get the events of one name. */
async function hangingEndpoints(count, round) {
  const event = `hanging.${count}.${round}`;
  const paths = Array.from({ length: count }, (_, index) => `/hanging/${count}/${round}/${index}`);
  const connections = [];
  for (const path of paths) {
    world.receiver.on(path, hang());
    const metadata = { timeout_seconds: TIMEOUT_S };
    connections.push((await connect(neighbour, { url: world.receiver.url(path), metadata, event })).connection);
  }
  return {
    event,
    hung: () => paths.map((path) => world.receiver.at(path).length),
    leave: async () => {
      for (const { id } of connections) ok(await neighbour.api.delete(`/connections/${id}`, { force_delete: true }));
    },
  };
}

async function median(round) {
  const times = [];
  for (let n = 0; n < ROUNDS; n += 1) times.push(await round(n));
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
