// What an instance holds at its largest: 64 MiB of wasm memory at most, where the platform ends an isolate at 128 MB in
// all. The memory never shrinks, so each case stands on all before it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { newSession } from "./lib/embed.mjs";
import { wasmBytes } from "./lib/process.mjs";
import { answer, hang } from "./lib/receiver.mjs";
import { connect, made, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const MIB = 1024 * 1024;
const WASM_BYTES_MAX = 64 * MIB;
/** While an isolate only delivers: each payload under way is held once. */
const JOBS_BYTES_MAX = 44 * MIB;
const LARGE = JSON.stringify({ filler: "x".repeat(510 * 1024) });

let world, tenant;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

function withinBounds(t, most = WASM_BYTES_MAX) {
  const bytes = wasmBytes(world.worker);
  t.diagnostic(`${(bytes / MIB).toFixed(1)} MiB of wasm memory`);
  assert.ok(bytes <= most, `${bytes} bytes`);
}

const emitLarge = (event, headers) => (
  tenant.publisher.post("/events", Buffer.from(`{"event":"${event}","payload":${LARGE}}`), headers)
);

test("a hundred jobs of 512 KiB", async (t) => {
  world.receiver.on("/jobs", answer(204, { afterMs: 50 }));
  const { event } = await connect(tenant, { url: world.receiver.url("/jobs") });
  let left = 100;
  const emitting = async () => {
    while (left-- > 0) made(await emitLarge(event));
  };
  await Promise.all([emitting(), emitting(), emitting(), emitting()]);
  await world.receiver.arrived("/jobs", 100, 60_000);
  withinBounds(t, JOBS_BYTES_MAX);
});

test("large payloads to 60 endpoints that hang, and a small one beside them", async (t) => {
  const paths = Array.from({ length: 60 }, (_, n) => `/hangs/${n}`);
  const event = "large.event";
  for (const path of paths) {
    world.receiver.on(path, hang());
    await connect(tenant, { url: world.receiver.url(path), event });
  }
  const small = await connect(tenant, { url: world.receiver.url("/small") });
  made(await emitLarge(event));
  await world.receiver.arrived(paths[0]);
  made(await tenant.publisher.post("/events", { event: small.event, payload: {} }));
  await world.receiver.arrived("/small", 1, 5_000);
  for (const path of paths) await world.receiver.arrived(path, 1, 120_000);
  withinBounds(t, JOBS_BYTES_MAX);
});

test("bulks of 8 MiB at once: more than two wait or are 503; a slow receiver gets them beside those that hang", async (t) => {
  world.receiver.on("/bulks", answer(204, { afterMs: 400 }));
  const { event } = await connect(tenant, { url: world.receiver.url("/bulks") });
  const body = Buffer.from(`[${Array.from({ length: 15 }, () => `{"event":"${event}","payload":${LARGE}}`).join(",")}]`);
  assert.ok(body.length > 7.4 * MIB && body.length <= 8 * MIB);
  const answers = await Promise.all([1, 2, 3, 4].map(() => tenant.publisher.post("/events/bulk", body)));
  const taken = answers.filter(({ status }) => status === 201).length;
  t.diagnostic(`${taken} of 4 accepted`);
  assert.ok(taken >= 1);
  assert.ok(answers.every(({ status }) => [201, 503].includes(status)), answers.map(({ text }) => text.slice(0, 200)).join("\n"));
  await world.receiver.arrived("/bulks", 15 * taken, 60_000);
  withinBounds(t);
});

test("the page of an event with 30 deliveries of 510 KB, and of one of its attempts", async (t) => {
  const first = await connect(tenant, { url: world.receiver.url("/page") });
  for (let n = 1; n < 30; n += 1) await connect(tenant, { url: world.receiver.url("/page"), event: first.event });
  const { event } = made(await emitLarge(first.event));
  await world.receiver.arrived("/page", 30, 60_000);
  await settled(tenant, event.id, ["completed"]);
  const session = await newSession(world, tenant);
  const launched = await fetch(session.launch_url, { redirect: "manual" });
  const [cookie] = launched.headers.get("set-cookie").split(";");
  const home = `${world.localUrl}/embed/s/${session.session_id}/events/${event.id}`;
  for (const path of ["", `/rules/${first.rule.id}/attempts/1`, "/payload"]) {
    const answers = await Promise.all([1, 2].map(() => fetch(home + path, { headers: { cookie } })));
    for (const one of answers) {
      assert.equal(one.status, 200, path);
      await one.arrayBuffer();
    }
  }
  withinBounds(t);
});

test("lists at their largest", async (t) => {
  const types = Array.from({ length: 30 }, (_, n) => n);
  for (const n of types) {
    const answered = await tenant.api.put(`/event-types/large.type-${n}`, { example: LARGE });
    assert.ok([200, 201].includes(answered.status), answered.text.slice(0, 300));
  }
  const { event } = await connect(tenant, { url: world.receiver.url("/lists") });
  for (let n = 1; n < 100; n += 1) await connect(tenant, { url: world.receiver.url("/lists"), event });
  for (let n = 0; n < 20; n += 1) made(await tenant.publisher.post("/events", { event, payload: { n } }));
  await world.receiver.arrived("/lists", 2_000, 90_000);
  for (const path of ["/events?limit=200", "/event-types?limit=100", "/connections?limit=100", "/rules?limit=100"]) {
    const read = await Promise.all([1, 2, 3].map(() => tenant.api.get(path)));
    read.forEach((one) => ok(one));
  }
  withinBounds(t);
});
