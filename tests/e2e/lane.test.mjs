// The lane on the running Worker: retries in order, strict order through a kill, what receivers ask for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { answer } from "./lib/receiver.mjs";
import { sleep, until } from "./lib/until.mjs";
import { attemptsOf, connect, emit, emitMany, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const STRICT_EVENTS = 1_000;
const STRICT_FAILURES = 100;

let world, tenant;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

const events = (path) => world.receiver.at(path).map(({ headers }) => headers["posthorn-event-id"]);
const connectionOf = (to) => tenant.api.get(`/connections/${to.connection.id}`).then(ok);

/** Fails when a retry started while an older one had been due for longer than a lane takes to look again. */
function retriesStartOldestFirst(requests, steps) {
  const LATE_MS = 1_500;
  const seen = requests.map(({ headers, atMs }) => (
    { event: headers["posthorn-event-id"], attempt: Number(headers["posthorn-attempt"]), atMs }
  ));
  for (const { event, attempt, atMs } of seen.filter((one) => one.attempt > 1)) {
    for (const older of seen.filter((one) => one.event < event && one.atMs < atMs)) {
      const dueMs = older.atMs + steps[older.attempt - 1] * 1_100 + LATE_MS;
      const next = seen.find((one) => one.event === older.event && one.attempt === older.attempt + 1);
      const isPassed = next && next.atMs > atMs && dueMs < atMs;
      assert.ok(!isPassed, `attempt ${attempt} of ${event} passes attempt ${older.attempt + 1} of ${older.event}`);
    }
  }
}

/** The secrets that a request verifies with, by the official library. */
function verifiedBy({ headers, body }, ...secrets) {
  return secrets.filter((secret) => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  });
}

test("an endpoint that fails 6 times and recovers receives everything, retries oldest first, each signed anew", async () => {
  const down = answer(500), up = answer(204);
  world.receiver.on("/outage", ...Array(6).fill(down), up);
  const steps = [1, 1, 2, 2, 2, 2];
  const metadata = { signing_secret: OLD, retry_schedule_seconds: steps };
  const to = await connect(tenant, { url: world.receiver.url("/outage"), metadata });
  const ids = [];
  for (let n = 0; n < 4; n += 1) ids.push((await emit(tenant, to.event)).id);
  for (const id of ids) await settled(tenant, id, ["completed"], 60_000);
  const requests = world.receiver.at("/outage");
  assert.deepEqual([...new Set(events("/outage"))].sort(), [...ids].sort(), "everything arrives");
  for (const request of requests) assert.deepEqual(verifiedBy(request, OLD), [OLD]);
  const signatures = requests.map(({ headers }) => `${headers["webhook-timestamp"]} ${headers["webhook-signature"]}`);
  assert.equal(new Set(signatures).size, requests.length, "no signature is used twice");
  retriesStartOldestFirst(requests, steps);
  const [first] = ids;
  const attempts = await attemptsOf(tenant, first, to.rule.id);
  assert.equal(attempts.at(-1).outcome, "delivered");
  assert.deepEqual(attempts.map(({ number }) => number), attempts.map((_, index) => index + 1));
});

test(`${STRICT_EVENTS} events in strict order through ${STRICT_FAILURES} failures and a kill -9`, async () => {
  const numbers = [];
  let requests = 0, failures = 0;
  world.receiver.on("/strict", (seen, response) => {
    requests += 1;
    // Every seventh request fails.
    const fails = requests % 7 === 0 && failures < STRICT_FAILURES;
    if (fails) failures += 1;
    else numbers.push(JSON.parse(seen.body).index);
    response.writeHead(fails ? 503 : 204).end();
  });
  const metadata = { ordering: "strict", retry_schedule_seconds: Array(20).fill(1) };
  const to = await connect(tenant, { url: world.receiver.url("/strict"), metadata });
  const began = Date.now();
  await emitMany(tenant, to.event, STRICT_EVENTS);
  const killAt = 300 + Math.floor(Math.random() * 400);
  await until(`${killAt} events arrived`, () => new Set(numbers).size >= killAt || `${numbers.length}`, 240_000, 5);
  await world.worker.kill9();
  const atKill = numbers.length;
  await world.restart();
  await until("every event arrived", () => new Set(numbers).size === STRICT_EVENTS || `${numbers.length}`, 400_000, 50);
  const ms = Date.now() - began;
  // What was under way at the kill may come again; nothing may come early or be left out.
  const order = numbers.filter((n, index) => n !== numbers[index - 1]);
  assert.deepEqual(order, Array.from({ length: STRICT_EVENTS }, (_, n) => n));
  assert.equal(failures, STRICT_FAILURES);
  console.log(`${STRICT_EVENTS} events in strict order, ${failures} failures, killed after ${atKill}: `
    + `${(ms / 1000).toFixed(1)} s, ${numbers.length - STRICT_EVENTS} came twice`);
});

test("Retry-After in seconds and as a date is not shortened", async () => {
  const date = () => new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_000).toUTCString();
  for (const [path, header] of [["/after/seconds", () => "3"], ["/after/date", date]]) {
    let told;
    world.receiver.on(path, (_, response) => {
      told = header();
      response.writeHead(503, { "retry-after": told }).end();
    }, answer(204));
    const metadata = { retry_schedule_seconds: [1] };
    const to = await connect(tenant, { url: world.receiver.url(path), metadata });
    await emit(tenant, to.event);
    const [first, second] = await world.receiver.arrived(path, 2, 30_000);
    const notBefore = Number.isNaN(Number(told)) ? Date.parse(told) : first.atMs + 3_000;
    assert.ok(second.atMs >= notBefore, `${path}: ${second.atMs - notBefore} ms`);
  }
});

test("a receiver aborts a message by a response header", async () => {
  world.receiver.on("/abort", answer(400, { headers: { "webhook-delivery": "abort-message" } }), answer(204));
  const to = await connect(tenant, { url: world.receiver.url("/abort"), metadata: { retry_schedule_seconds: [1] } });
  const { id } = await emit(tenant, to.event);
  await settled(tenant, id, ["failed"]);
  const next = await emit(tenant, to.event);
  await settled(tenant, next.id, ["completed"]);
  assert.equal((await connectionOf(to)).active, true);
  assert.deepEqual(events("/abort"), [id, next.id]);
});

test("a receiver disables its connection by a response header; nothing is lost", async () => {
  world.receiver.on("/disable", answer(500, { headers: { "webhook-delivery": "disable" } }), answer(204));
  const to = await connect(tenant, { url: world.receiver.url("/disable"), metadata: { retry_schedule_seconds: [1] } });
  const { id } = await emit(tenant, to.event);
  await until("it is inactive", async () => (await connectionOf(to)).inactive_detail === "disabled_by_receiver" || "not yet");
  const late = await emit(tenant, to.event);
  await sleep(2_000);
  assert.equal(world.receiver.at("/disable").length, 1);
  ok(await tenant.api.post(`/connections/${to.connection.id}/activate`, {}));
  for (const event of [id, late.id]) await settled(tenant, event, ["completed"], 30_000);
});

test("410 ends the delivery and holds what follows", async () => {
  world.receiver.on("/gone", answer(410), answer(204));
  const to = await connect(tenant, { url: world.receiver.url("/gone") });
  const { id } = await emit(tenant, to.event);
  await settled(tenant, id, ["failed"]);
  assert.equal((await connectionOf(to)).inactive_detail, "endpoint_gone");
  const held = await emit(tenant, to.event);
  assert.equal((await settled(tenant, held.id, ["pending"])).rule_events[0].held, true);
});

for (const [overlap, accepted] of [[0, [NEW]], [60, [OLD, NEW]]]) {
  test(`a rotation in the middle of a backoff with an overlap of ${overlap} s`, async () => {
    const path = `/rotation/${overlap}`;
    world.receiver.on(path, answer(500), answer(204));
    const metadata = { signing_secret: OLD, retry_schedule_seconds: [2] };
    const to = await connect(tenant, { url: world.receiver.url(path), metadata });
    const { id } = await emit(tenant, to.event);
    await world.receiver.arrived(path, 1);
    ok(await tenant.api.post(`/connections/${to.connection.id}/secret/rotate`, { secret: NEW, overlap_seconds: overlap }));
    await settled(tenant, id, ["completed"], 30_000);
    const [first, second] = world.receiver.at(path);
    assert.deepEqual(verifiedBy(first, OLD, NEW), [OLD]);
    assert.deepEqual(verifiedBy(second, OLD, NEW), accepted);
    assert.equal(first.headers["webhook-id"], second.headers["webhook-id"]);
  });
}

test("headers that are too late are a timeout and retried; a body that is too late after a 200 changes nothing", async () => {
  const slowBody = (_, response) => {
    response.writeHead(200);
    response.write("begun");
  };
  for (const [path, behaviour, outcomes] of [
    ["/late/headers", () => {}, ["timeout", "delivered"]], ["/late/body", slowBody, ["delivered"]],
  ]) {
    world.receiver.on(path, behaviour, answer(204));
    const metadata = { timeout_seconds: 1, retry_schedule_seconds: [1] };
    const to = await connect(tenant, { url: world.receiver.url(path), metadata });
    const { id } = await emit(tenant, to.event);
    await settled(tenant, id, ["completed"], 30_000);
    const attempts = await attemptsOf(tenant, id, to.rule.id);
    assert.deepEqual(attempts.map(({ outcome }) => outcome), outcomes);
  }
});

test("deleting a connection under load leaves nothing open", async () => {
  const flaky = (number) => (number % 3 ? answer(500) : answer(204, { afterMs: 300 }));
  world.receiver.on("/deleted", ...Array.from({ length: 400 }, (_, number) => flaky(number)));
  const metadata = { retry_schedule_seconds: [1, 1, 1, 1] };
  const to = await connect(tenant, { url: world.receiver.url("/deleted"), metadata });
  const ids = await emitMany(tenant, to.event, 200);
  const more = emitMany(tenant, to.event, 200);
  await world.receiver.arrived("/deleted", 20, 30_000);
  ok(await tenant.api.delete(`/connections/${to.connection.id}`, { force_delete: true }));
  ids.push(...(await more));
  const ended = ({ status }) => ["completed", "failed", "canceled"].includes(status);
  for (const id of ids) {
    // One that was emitted after the deletion is owed to nobody.
    const isOver = async () => ok(await tenant.api.get(`/events/${id}`)).rule_events.every(ended) || `${id} is open`;
    await until("nothing is open", isOver, 90_000);
  }
  const arrived = world.receiver.at("/deleted").length;
  await sleep(3_000);
  assert.equal(world.receiver.at("/deleted").length, arrived, "nobody is called any more");
});

test("a throttled connection gets no more in a second than it asked for", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/throttled"), metadata: { max_per_second: 5 } });
  await emitMany(tenant, to.event, 25);
  const times = (await world.receiver.arrived("/throttled", 25, 60_000)).map(({ atMs }) => atMs);
  // Half of it is allowed for the way from the lane to the receiver.
  times.forEach((from, index) => {
    const within = times.slice(index).filter((ms) => ms < from + 500).length;
    assert.ok(within <= 5, `${within} within half a second`);
  });
  assert.ok(times.at(-1) - times[0] >= 3_500, `${times.at(-1) - times[0]} ms`);
});
