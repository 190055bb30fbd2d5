// An attempt of several requests is cut in two by kill -9 of everything: it starts over, what was done is found or done
// again with the same result, and nothing is lost.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { answer, hang } from "./lib/receiver.mjs";
import { emit, made, newTenant, openWorld, settled } from "./lib/world.mjs";

const json = (body, status = 200) => answer(status, { headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
const PERSON = JSON.stringify({ email: "ann@acme.example", id: "u1", name: "Ann" });
/** What was under way is taken up again once its lease is over. */
const RECOVERED_MS = 120_000;

let world, tenant, names = 0;

before(async () => {
  world = await openWorld({
    vars: (receiver) => ({
      PROVIDER_BASES: JSON.stringify({ hubspot: receiver.url("/hubspot"), intercom: receiver.url("/intercom") }),
    }),
  });
  tenant = await newTenant(world);
});
after(() => world?.close());

async function route(type, says) {
  const event = `crash.event-${(names += 1)}`;
  const { connection } = made(await tenant.api.post("/connections", {
    workspace: tenant.workspace.id, type, name: event, skip_test: true, metadata: { access_token: "token-1" },
  }));
  made(await tenant.api.post("/rules", { workspace: tenant.workspace.id, connection: connection.id, event, metadata: says }));
  return event;
}

/** Emits, kills everything once a request has arrived at `path`, and starts it again with what `then` sets. */
async function crashAt(path, event, then) {
  const { id } = await emit(tenant, event, PERSON);
  await world.receiver.arrived(path);
  await world.worker.kill9();
  then();
  await world.restart();
  const found = await settled(tenant, id, ["completed", "failed"], RECOVERED_MS);
  assert.equal(found.rule_events[0].status, "completed");
}

const at = (path) => world.receiver.at(path);

test("HubSpot: killed while a list waits for its contact; the contact is written once more, the same", async () => {
  const [upsert, add] = ["/hubspot/crm/objects/2026-03/contacts/batch/upsert", "/hubspot/crm/lists/2026-03/44/memberships/add"];
  world.receiver.on(upsert, json({ results: [{ id: "501" }] }));
  world.receiver.on(add, hang());
  const event = await route("hubspot", { action: "add_to_list", id: "44" });
  await crashAt(add, event, () => world.receiver.on(add, json({})));
  for (const path of [upsert, add]) {
    const bodies = at(path).map(({ body }) => body.toString());
    assert.equal(bodies.length, 2, `${path} once before and once after the crash`);
    assert.equal(bodies[0], bodies[1], path);
  }
});

test("Intercom: killed while a contact is made; it is found then and not made twice", async () => {
  const [search, contacts, tags] = ["/intercom/contacts/search", "/intercom/contacts", "/intercom/contacts/c1/tags"];
  const people = [];
  world.receiver.on(search, (seen, response) => json({ type: "list", data: people })(seen, response));
  // It was made, but nobody is there any more for the answer.
  world.receiver.on(contacts, () => void people.push({ id: "c1", external_id: "u1", email: "ann@acme.example" }));
  world.receiver.on("/intercom/contacts/c1", json({ id: "c1" }));
  world.receiver.on(tags, json({ id: "t1" }));
  const event = await route("intercom", { action: "add_tag", id: "t1" });
  await crashAt(contacts, event, () => {});
  assert.equal(at(contacts).length, 1, "made once");
  assert.equal(at(search).length, 2, "looked for once before and once after the crash");
  assert.equal(at(tags).length, 1);
});
