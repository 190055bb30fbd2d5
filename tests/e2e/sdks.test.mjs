// Posthorn and the official SDKs of the providers, against one recording stand-in: what both send for the same thing is
// the same request, but for a list of differences that say why.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ACCOUNTS, CASES, DIFFERENCES, PAYLOAD } from "./lib/sdk-cases.mjs";
import { leading, openRecorder } from "./lib/recorder.mjs";
import { attemptsOf, emit, made, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

let world, tenant, recorder, names = 0;

before(async () => {
  recorder = await openRecorder();
  const types = new Set(CASES.map(({ type }) => type));
  world = await openWorld({ vars: { PROVIDER_BASES: JSON.stringify(Object.fromEntries([...types].map((type) => [type, recorder.base]))) } });
  tenant = await newTenant(world);
});
after(async () => {
  await world?.close();
  await recorder?.close();
});

/** What Posthorn sends for an event, and what the SDK has to know to send the same. */
async function ours({ type, metadata, says, answers }) {
  const event = `sdk.event-${(names += 1)}`;
  const { connection } = made(await tenant.api.post("/connections", {
    workspace: tenant.workspace.id, type, name: event, skip_test: true, metadata: { ...metadata, max_per_second: 50 },
  }));
  const { rule } = made(await tenant.api.post("/rules", {
    workspace: tenant.workspace.id, connection: connection.id, event, metadata: says,
  }));
  recorder.script(answers);
  const sent = await emit(tenant, event, JSON.stringify(PAYLOAD));
  await settled(tenant, sent.id, ["completed"]);
  const requests = recorder.requests;
  const [attempt] = await attemptsOf(tenant, sent.id, rule.id);
  return { requests, attempt, facts: { event, at: sent.created_at, message: messageIn(requests) } };
}

/** The message id that Posthorn gave the event, wherever the provider has a place for it. */
function messageIn(requests) {
  return /msg_[A-Za-z0-9_-]+/.exec(JSON.stringify(requests))?.[0];
}

/** What the SDK sends. */
async function theirs(answers, sdk, facts) {
  recorder.script(answers);
  await leading(recorder, () => sdk(facts));
  return recorder.requests;
}

/** The same, where it differs on purpose made as Posthorn sends it. */
const likeOurs = (type, asked) => {
  const differing = DIFFERENCES.filter(({ types }) => types.includes(type));
  return asked.map((request) => differing.reduce((same, { same: make }) => make(same), request)).map(compared);
};
const compared = ({ host, ...request }) => request;

for (const one of CASES) {
  test(`${one.type} ${one.says.action}${one.note ? ` ${one.note}` : ""} is what its SDK sends`, { timeout: 60_000 }, async () => {
    const { requests, attempt, facts } = await ours(one);
    const asked = await theirs(one.answers, one.sdk, facts);
    assert.deepEqual(requests.map(compared), likeOurs(one.type, asked));
    assert.equal(new URL(attempt.request.url).host, asked.at(-1).host);
  });
}

for (const { type, metadata, answers, check, lists } of ACCOUNTS) {
  test(`${type}: the test of credentials and the live lists are what its SDK asks`, { timeout: 60_000 }, async () => {
    recorder.script(answers);
    const { connection } = made(await tenant.api.post("/connections", {
      workspace: tenant.workspace.id, type, name: `Account of ${type}`, metadata,
    }));
    const tested = recorder.requests;
    if (check) assert.deepEqual(tested.map(compared), likeOurs(type, await theirs(answers, check)));
    if (!lists) return;
    recorder.script(answers);
    const { errors = [] } = ok(await tenant.api.get(`/connections/${connection.id}/actions?refresh=true`));
    assert.deepEqual(errors, []);
    const read = recorder.requests.map(compared);
    assert.deepEqual(each(read), each(likeOurs(type, await theirs(answers, lists))));
  });
}

/** Each request once, in an order that does not depend on who asked. */
function each(requests) {
  return [...new Map(requests.map((one) => [`${one.method} ${one.path} ${JSON.stringify(one.query)}`, one]).sort()).values()];
}

test("each difference that is declared is one", async () => {
  const facts = { event: "x", at: new Date(0).toISOString(), message: "msg_1" };
  for (const { types, why, same } of DIFFERENCES) {
    for (const type of types) {
      const asked = [];
      for (const { answers, sdk, check, lists } of [...CASES, ...ACCOUNTS].filter((row) => row.type === type)) {
        for (const call of [sdk, check, lists].filter(Boolean)) asked.push(...await theirs(answers, call, facts));
      }
      assert.notDeepEqual(asked.map(same), asked, `${type}: ${why}`);
    }
  }
});
