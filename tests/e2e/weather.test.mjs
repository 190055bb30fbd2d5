// Promises 1 and 8 while LOG can be read but not written: what was accepted arrives, and at most one repeat of each. An
// emit meanwhile is accepted by an intake; without intakes it is told that its outcome is unknown. `WEATHER_SECONDS` says how long it lasts.
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { answer } from "./lib/receiver.mjs";
import { sleep, until } from "./lib/until.mjs";
import { connect, emitMany, newTenant, ok, openWorld } from "./lib/world.mjs";

const SECONDS = Number(process.env.WEATHER_SECONDS ?? 15);
const WAITING = 200;
const EMITS_PER_SECOND = 10;
// What waits longest is a message that failed again and again: its delay doubles each time.
const RECOVERS_MS = (120 + 2 * SECONDS) * 1_000;

let world, tenant, to;

after(() => world?.close());

async function begin(intakes) {
  await world?.close();
  world = await openWorld({ wrapper: join(import.meta.dirname, "lib", "weather.mjs"), vars: { INTAKES: intakes } });
  tenant = await newTenant(world);
  to = await connect(tenant, { url: world.receiver.url("/weather") });
}

const weather = async (unwritable) => assert.equal((await fetch(`${world.baseUrl}/__weather?unwritable=${unwritable}`)).status, 204);

/** How often each event has arrived. */
function arrivals() {
  const counts = new Map();
  for (const { headers } of world.receiver.at("/weather")) {
    const id = headers["posthorn-event-id"];
    counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

for (const intakes of ["4", "0"]) {
  test(`LOG cannot be written for ${SECONDS} s under load, ${intakes} intakes: nothing is lost, and at most one repeat of each delivery`, (t) => underLoad(t, intakes));
}

async function underLoad(t, intakes) {
  await begin(intakes);
  world.receiver.on("/weather", answer(204, { afterMs: 100 }));
  const accepted = new Set(await emitMany(tenant, to.event, WAITING));
  const refused = [];
  const emitting = async () => {
    for (let n = 0; n < SECONDS * EMITS_PER_SECOND; n += 1) {
      const { status, headers, body } = await tenant.publisher.post("/events", { event: to.event, payload: { n } });
      if (status === 201) accepted.add(body.event.id);
      else refused.push({ status, wait: headers.get("retry-after"), message: body.message });
      await sleep(1_000 / EMITS_PER_SECOND);
    }
  };
  await until("some have arrived", () => arrivals().size >= 20);
  await weather(true);
  const before = arrivals().size;
  await emitting();
  await weather(false);
  t.diagnostic(`${before} of ${accepted.size} had arrived before, ${arrivals().size} when it could be written again; ${refused.length} emits refused`);
  // An intake takes it all the same.
  assert.equal(refused.length > 0, intakes === "0", JSON.stringify(refused[0]));
  for (const { status, wait, message } of refused) {
    assert.equal(status, 503, message);
    assert.ok(Number(wait) >= 1, `retry-after: ${wait}`);
    assert.match(message, /Idempotency-Key/);
  }
  const last = (await tenant.publisher.post("/events", { event: to.event, payload: {} }));
  assert.equal(last.status, 201, last.text);
  accepted.add(last.body.event.id);
  await until("everything accepted has arrived", () => {
    const arrived = arrivals();
    const missing = [...accepted].filter((id) => !arrived.has(id));
    return missing.length === 0 || `${missing.length} of ${accepted.size} are missing`;
  }, RECOVERS_MS, 250);
  const open = new Set(accepted);
  await until("everything accepted is completed", async () => {
    for (const id of [...open].slice(0, 50)) {
      if (ok(await tenant.api.get(`/events/${id}`)).status === "completed") open.delete(id);
    }
    return open.size === 0 || `${open.size} are not`;
  }, RECOVERS_MS, 250);
  const repeats = [...arrivals().values()].filter((count) => count > 1);
  t.diagnostic(`${repeats.length} arrived twice`);
  assert.ok(repeats.every((count) => count === 2), `${Math.max(0, ...repeats)} arrivals of one delivery`);
}
