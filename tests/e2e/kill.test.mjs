// Promise 1 and 8: what was accepted survives kill -9 of everything, and what is repeated is counted.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { readLog } from "./lib/d1.mjs";
import { answer } from "./lib/receiver.mjs";
import { sleep, until } from "./lib/until.mjs";
import { connect, newTenant, ok, openWorld } from "./lib/world.mjs";

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 5);
const BULKS = 4;
const EVENTS_PER_BULK = 60;
const UNSETTLED_MIN = 100;
// Slow enough that a queue of hundreds is never done before the kill, quick enough to be no slow endpoint.
const ANSWER_MS = 150;

let world, tenant, to;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
  to = await connect(tenant, { url: world.receiver.url("/kill") });
});
after(() => world?.close());

test(`${ROUNDS} times killed with ${UNSETTLED_MIN} deliveries unsettled, everything accepted arrives`, async (t) => {
  for (let round = 1; round <= ROUNDS; round += 1) {
    await t.test(`round ${round}`, async () => {
      world.receiver.on("/kill", answer(204, { afterMs: ANSWER_MS }));
      const accepted = await emitUntilKilled(round);
      const settled = settledIn(world.stateDir, accepted);
      const unsettled = accepted.length - settled;
      assert.ok(unsettled >= UNSETTLED_MIN, `only ${unsettled} of ${accepted.length} were unsettled at the kill`);
      // What the failed Worker had sent may still be on its way to the receiver.
      await sleep(100);
      const beforeRestart = arrivals();
      world.receiver.on("/kill", answer(204));
      await world.restart();
      await allArrive(accepted);
      await allCompleted(accepted);
      const repeats = accepted.filter((id) => arrivals().get(id) > 1).length;
      const early = accepted.filter((id) => beforeRestart.has(id)).length;
      console.log(`round ${round}: ${accepted.length} accepted, ${early} had arrived and ${unsettled} were `
        + `unsettled at the kill; ${repeats} arrived more than once`);
      // Only what was under way at the kill may come again: what was recorded must not.
      assert.ok(repeats <= early - settled, `${repeats} repeats`);
    });
  }
});

/** Emits in bulk and one by one, and kills everything in the middle of it. Answers what was accepted. */
async function emitUntilKilled(round) {
  const accepted = [];
  const keep = (path, body) => tenant.publisher.post(path, body).then(({ status, body: { event, records } }) => {
    assert.equal(status, 201);
    accepted.push(...(records ?? [event]).map(({ id }) => id));
  });
  const bulk = () => Array.from({ length: EVENTS_PER_BULK }, (_, index) => ({ event: to.event, payload: { round, index } }));
  for (let sent = 0; sent < BULKS; sent += 1) await keep("/events/bulk", bulk());
  let killed = false;
  const singles = (async () => {
    while (!killed) {
      try {
        await keep("/events", { event: to.event, payload: { round } });
      } catch (error) {
        // Not answered, so not accepted; any other failure is one.
        if (!killed) throw error;
      }
    }
  })();
  // Another moment in every round, so that the kill falls into other steps.
  await sleep(150 + round * 130);
  killed = true;
  await world.worker.kill9();
  await singles;
  return accepted;
}

/** How many of these are settled. The others are open in LOG, or wait at an intake. */
function settledIn(stateDir, accepted) {
  const sql = "select count(*) as n from deliveries where open = 0 and event in (select value from json_each(?))";
  return readLog(stateDir, sql, JSON.stringify(accepted))[0].n;
}

/** How often each event has arrived so far. */
function arrivals() {
  const counts = new Map();
  for (const { headers } of world.receiver.at("/kill")) {
    const id = headers["posthorn-event-id"];
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

async function allArrive(accepted) {
  await until("every accepted event has arrived", () => {
    const arrived = arrivals();
    const missing = accepted.filter((id) => !arrived.has(id));
    return missing.length === 0 || `${missing.length} of ${accepted.length} are missing`;
  }, 60_000);
}

async function allCompleted(accepted) {
  const open = new Set(accepted);
  await until("every accepted event is completed", async () => {
    let cursor = "";
    do {
      const page = ok(await tenant.api.get(`/events?limit=200${cursor && `&cursor=${cursor}`}`));
      for (const { id, status } of page.records) if (status === "completed") open.delete(id);
      cursor = page.next_cursor;
    } while (cursor);
    return open.size === 0 || `${open.size} of ${accepted.length} are not`;
  }, 30_000, 250);
}
