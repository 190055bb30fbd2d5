// Rate limits by the bindings of the local runtime, set low.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { assertError } from "./lib/shapes.mjs";
import { sleep } from "./lib/until.mjs";
import { newTenant, openWorld } from "./lib/world.mjs";

let world, tenant, other;

before(async () => {
  world = await openWorld({ rateLimits: { PUBLISHABLE_KEY_LIMIT: 5 } });
  tenant = await newTenant(world);
  other = await newTenant(world, "Other");
});
after(() => world?.close());

const event = { event: "x", payload: { a: 1 } };

/** Waits until there is time enough left in a period for what a test does in it. */
async function early() {
  const left = 10_000 - (Date.now() % 10_000);
  if (left < 5_000) await sleep(left + 50);
}

test("the sixth emit in ten seconds is 429, says when to go on, and holds nobody else up", async () => {
  await early();
  const answers = [];
  for (let n = 0; n < 7; n += 1) answers.push(await tenant.publisher.post("/events", event));
  assert.deepEqual(answers.map(({ status }) => status), [201, 201, 201, 201, 201, 429, 429]);
  const refused = answers.at(-1);
  assertError(refused, 429);
  assert.equal(refused.headers.get("retry-after"), "10");
  assert.equal(refused.body.retry_after, 10);
  assert.equal((await other.publisher.post("/events", event)).status, 201);
  const emit = { ...event, workspace: tenant.workspace.id };
  assert.equal((await tenant.api.post("/events", emit)).status, 201, "a machine key has its own limit, here none");
  await sleep(10_050 - (Date.now() % 10_000));
  assert.equal((await tenant.publisher.post("/events", event)).status, 201);
});
