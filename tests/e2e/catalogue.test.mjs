// The catalogue of event types, and test events made from it, on the running Worker.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertError } from "./lib/shapes.mjs";
import { connect, emit, made, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const EXAMPLE = '{ "total":49.90,"id":12345678901234567890, "id":1e400 }';

let world, tenant;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

test("a test event carries its example's exact bytes and is marked", async () => {
  ok(await tenant.api.put("/event-types/order.completed", { label: "Order completed", example: EXAMPLE }));
  const { connection } = await connect(tenant, { url: world.receiver.url("/tested") });
  const { event } = made(await tenant.api.post(`/connections/${connection.id}/test`, { event: "order.completed" }));
  assert.equal(event.test, true);
  const [seen] = await world.receiver.arrived("/tested");
  assert.deepEqual(seen.body, Buffer.from(EXAMPLE));
  assert.equal(seen.headers["posthorn-test"], "true");
  assert.equal(seen.headers["posthorn-event"], "order.completed");
  const found = await settled(tenant, event.id, ["completed"]);
  const [delivery] = found.rule_events;
  const attempts = ok(await tenant.api.get(`/events/${event.id}/rules/${delivery.rule}/attempts`));
  assert.equal(attempts.count, 1);
});

test("a workspace's event types are the catalogue and what it emitted, without test events", async () => {
  const { event } = await connect(tenant, { url: world.receiver.url("/emitted") });
  await emit(tenant, event);
  const keys = ok(await tenant.api.get(`/workspaces/${tenant.workspace.id}/event-types`)).map(({ key }) => key);
  assert.deepEqual(keys, ["order.completed", event]);
  assert.deepEqual(ok(await tenant.api.get(`/workspaces/${tenant.workspace.id}/resources`)), []);
});

test("a bad event type is refused by its field", async () => {
  assertError(await tenant.api.put("/event-types/x", { example: "[1]" }), 400, "example");
  assertError(await tenant.api.put("/event-types/%20x", {}), 400, "key");
  assertError(await tenant.api.get("/event-types/nothing"), 404);
});

test("a rule that is patched routes by what it says now", async () => {
  const { rule, event } = await connect(tenant, { url: world.receiver.url("/patched") });
  ok(await tenant.api.patch(`/rules/${rule.id}`, { active: false }));
  assert.equal(ok(await tenant.api.get(`/events/${(await emit(tenant, event)).id}`)).rule_events.length, 0);
  ok(await tenant.api.patch(`/rules/${rule.id}`, { active: true, event: "patched.event" }));
  await settled(tenant, (await emit(tenant, "patched.event")).id, ["completed"]);
  assert.equal(world.receiver.at("/patched").length, 1);
});
