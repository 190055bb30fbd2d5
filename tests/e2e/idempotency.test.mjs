// Emits with an Idempotency-Key on the real Worker: many at once, repeated in bulk, and after a restart.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertError } from "./lib/shapes.mjs";
import { sleep } from "./lib/until.mjs";
import { connect, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

let world, tenant;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

async function post(path, key, body) {
  const headers = { "X-Meshes-Publishable-Key": tenant.publishableKey, "Content-Type": "application/json", "Idempotency-Key": key };
  const response = await fetch(`${world.baseUrl}/api/v1${path}`, { method: "POST", headers, body });
  const text = await response.text();
  const { status, headers: answered } = response;
  return { status, headers: answered, replayed: answered.get("idempotent-replayed"), text, body: JSON.parse(text) };
}

const body = (event, n) => `{"event":"${event}","resource":"order","payload":{"n":${n}.0}}`;

/** How many events of this name the history has. */
async function stored(event) {
  const { records } = ok(await tenant.api.get(`/workspaces/${tenant.workspace.id}/events?event=${event}`));
  return records.length;
}

test("50 at once with one key make one event, get 50 equal answers, and deliver once", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/fifty") });
  const answers = await Promise.all(Array.from({ length: 50 }, () => post("/events", "fifty", body(to.event, 1))));
  for (const answer of answers) assert.equal(answer.status, 201, answer.text);
  assert.equal(new Set(answers.map(({ text }) => text)).size, 1, "equal byte for byte");
  assert.equal(answers.filter(({ replayed }) => replayed !== "true").length, 1, "one is the first");
  assert.equal(await stored(to.event), 1);
  await settled(tenant, answers[0].body.event.id);
  await sleep(500);
  assert.equal(world.receiver.at("/fifty").length, 1);
});

test("another body among 50 at once is 409", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/mixed") });
  const bodies = Array.from({ length: 50 }, (_, n) => body(to.event, n === 25 ? 2 : 1));
  const answers = await Promise.all(bodies.map((one) => post("/events", "mixed", one)));
  const first = answers.find(({ status, replayed }) => status === 201 && !replayed);
  const won = bodies[answers.indexOf(first)];
  for (const [index, answer] of answers.entries()) {
    if (bodies[index] === won) assert.equal(answer.text, first.text);
    else assertError(answer, 409, "Idempotency-Key");
  }
  assert.equal(await stored(to.event), 1);
});

test("a bulk that was taken in part is answered the same, also after a restart", async () => {
  const items = `[${body("bulk.keyed", 1)},{"event":" bad ","payload":{}},${body("bulk.keyed", 2)}]`;
  const first = await post("/events/bulk", "bulk", items);
  assert.deepEqual([first.status, first.replayed, first.body.count], [207, null, 2]);
  await world.worker.kill9();
  await world.restart();
  const again = await post("/events/bulk", "bulk", items);
  assert.deepEqual([again.status, again.replayed, again.text], [207, "true", first.text]);
  assert.equal(await stored("bulk.keyed"), 2);
});

test("a key that is none is 400 and names the header", async () => {
  for (const key of ["x".repeat(256), "caf\u00e9"]) assertError(await post("/events", key, body("bad.key", 1)), 400, "Idempotency-Key");
  assert.equal(await stored("bad.key"), 0);
});
