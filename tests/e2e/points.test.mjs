// Where the binding `ATTEMPTS` is there, each attempt is one point of Workers Analytics Engine (docs/operate.md).
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { answer } from "./lib/receiver.mjs";
import { until } from "./lib/until.mjs";
import { connect, emit, newTenant, openWorld, settled } from "./lib/world.mjs";

let world, tenant;

before(async () => {
  world = await openWorld({ wrapper: join(import.meta.dirname, "lib", "points.mjs") });
  tenant = await newTenant(world);
});
after(() => world?.close());

const points = async () => (await fetch(`${world.baseUrl}/__points`)).json();

test("each attempt is one point: whose it was, what came of it, and how long it took", async () => {
  world.receiver.on("/taken", answer(204, { afterMs: 50 }));
  world.receiver.on("/gone", answer(410));
  const expected = [];
  for (const [path, blobs, status] of [["/taken", ["delivered", "delivered"], 204], ["/gone", ["gone", "failed"], 410]]) {
    const { connection, event } = await connect(tenant, { url: world.receiver.url(path) });
    const { id } = await emit(tenant, event);
    await settled(tenant, id);
    const workspace = tenant.workspace.id;
    expected.push({ indexes: [workspace], blobs: [workspace, connection.id, ...blobs], status, attempt: 1 });
  }
  await until("two points", async () => (await points()).length >= 2);
  const found = (await points()).map(({ indexes, blobs, doubles: [took, status, attempt, ...more] }) => {
    assert.ok(took >= 0 && took < 30_000, `${took} ms`);
    assert.deepEqual(more, []);
    return { took, shown: { indexes, blobs, status, attempt } };
  });
  assert.deepEqual(found.map(({ shown }) => shown), expected);
  assert.ok(found[0].took >= 50, `${found[0].took} ms`);
});
