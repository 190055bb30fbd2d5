// Pausing a connection, letting it go on, and rotating its secret, on the running Worker.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { sleep } from "./lib/until.mjs";
import { connect, emit, emitMany, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

let world, tenant;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

const act = (connection, action, body = {}) => tenant.api.post(`/connections/${connection.id}/${action}`, body);

for (const ordering of ["none", "strict"]) {
  test(`what comes while a connection is inactive is held, and delivered when it is active again (ordering ${ordering})`, async () => {
    const path = `/paused/${ordering}`;
    const { connection, event } = await connect(tenant, { url: world.receiver.url(path), metadata: { ordering } });
    assert.equal(ok(await act(connection, "deactivate")).active, false);
    const ids = await emitMany(tenant, event, 30);
    // Long enough for a delivery that nothing holds to have arrived many times over.
    await sleep(500);
    assert.equal(world.receiver.at(path).length, 0);
    for (const id of ids) {
      const [delivery] = ok(await tenant.api.get(`/events/${id}`)).rule_events;
      assert.deepEqual([delivery.status, delivery.held, delivery.attempt_count], ["pending", true, 0]);
    }
    assert.equal(ok(await act(connection, "activate")).active, true);
    await world.receiver.arrived(path, ids.length, 30_000);
    for (const id of ids) await settled(tenant, id, ["completed"]);
    const arrived = world.receiver.at(path).map(({ headers }) => headers["posthorn-event-id"]);
    assert.deepEqual([...arrived].sort(), [...ids].sort(), "each once");
    // Where the order is not strict several are under way at once, and may overtake one another.
    if (ordering === "strict") assert.deepEqual(arrived, ids);
  });
}

test("what was held can be canceled instead", async () => {
  const { connection, event } = await connect(tenant, { url: world.receiver.url("/canceled") });
  await act(connection, "deactivate");
  const { id } = await emit(tenant, event);
  ok(await act(connection, "activate", { held: "cancel" }));
  await settled(tenant, id, ["canceled"]);
  await settled(tenant, (await emit(tenant, event)).id, ["completed"]);
  assert.equal(world.receiver.at("/canceled").length, 1);
});

test("while a rotation overlaps both secrets verify, and without overlap only the new one", async () => {
  const metadata = { signing_secret: OLD };
  const { connection, event } = await connect(tenant, { url: world.receiver.url("/rotated"), metadata });
  const verifies = ({ headers, body }, secret) => {
    try {
      new Webhook(secret).verify(body, headers);
      return true;
    } catch {
      return false;
    }
  };
  const next = async () => {
    const before = world.receiver.at("/rotated").length;
    await emit(tenant, event);
    const seen = (await world.receiver.arrived("/rotated", before + 1)).at(-1);
    return [verifies(seen, OLD), verifies(seen, NEW)];
  };
  assert.deepEqual(await next(), [true, false]);
  const rotated = ok(await act(connection, "secret/rotate", { secret: NEW }));
  assert.equal(rotated.metadata.signing_secret, undefined);
  assert.deepEqual(await next(), [true, true]);
  const generated = ok(await act(connection, "secret/rotate", { overlap_seconds: 0 })).metadata.signing_secret;
  assert.match(generated, /^whsec_/);
  // The old one's own overlap of a day goes on; the one it was rotated to has none.
  assert.deepEqual(await next(), [true, false]);
});

test("a patch changes what it names", async () => {
  const { connection, url } = await connect(tenant, { url: world.receiver.url("/patched") });
  const patched = ok(await tenant.api.patch(`/connections/${connection.id}`, { metadata: { timeout_seconds: 3 } }));
  assert.deepEqual([patched.name, patched.metadata.url, patched.metadata.timeout_seconds], [connection.name, url, 3]);
});
