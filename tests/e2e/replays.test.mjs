// Replays on the running Worker: what the preview counts is what is sent, while more goes on dying; stopping stops.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { sleep, until } from "./lib/until.mjs";
import { connect, emitMany, expected, made, newTenant, newWorkspace, ok, openWorld } from "./lib/world.mjs";

const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const STEP = 100;

let world, tenant;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

/** An endpoint that wants nothing to do with any event but those that `takes` names. */
function picky(path, takes) {
  world.receiver.on(path, ({ headers }, response) => {
    const isTaken = takes.has(headers["posthorn-event-id"]);
    response.writeHead(isTaken ? 204 : 500, isTaken ? {} : { "webhook-delivery": "abort-message" }).end();
  });
}

const replays = () => `/workspaces/${tenant.workspace.id}/replays`;
const iso = (atMs) => new Date(atMs).toISOString();
const idOf = ({ headers }) => headers["posthorn-event-id"];

async function allDied(to, count) {
  const path = `/workspaces/${tenant.workspace.id}/events?event=${to.event}&status=failed&limit=200`;
  await until(`${count} deliveries of ${to.event} died`, async () => {
    let died = 0;
    for (let cursor = ""; cursor !== null; ) {
      const page = ok(await tenant.api.get(`${path}${cursor && `&cursor=${cursor}`}`));
      died += page.records.length;
      cursor = page.next_cursor;
    }
    return died >= count || `${died} have`;
  }, 60_000);
}

async function over(id) {
  let replay;
  await until("the replay is over", async () => {
    replay = ok(await tenant.api.get(`/replays/${id}`));
    return replay.status !== "running" || `${replay.replayed} of ${replay.count}`;
  }, 60_000);
  return replay;
}

test("what the preview counts is what is sent, while other events keep dying", async () => {
  const takes = new Set(), count = 2 * STEP + 30, since = iso(Date.now());
  const to = await connect(tenant, { url: world.receiver.url("/picky"), metadata: { signing_secret: SECRET } });
  picky("/picky", takes);
  const failed = await emitMany(tenant, to.event, count);
  await allDied(to, count);
  const range = { connection: to.connection.id, since, until: iso(Date.now() + 60_000) };
  assert.deepEqual(ok(await tenant.api.post(replays(), { ...range, dry_run: true })), { count });
  failed.forEach((id) => takes.add(id));
  const { replay } = made(await tenant.api.post(replays(), range));
  assert.deepEqual([replay.status, replay.count, replay.replays], ["running", count, "failed"]);
  await emitMany(tenant, to.event, 50);
  const done = await over(replay.id);
  assert.deepEqual([done.status, done.replayed, done.count], ["done", count, count]);
  const again = (await world.receiver.arrived("/picky", 2 * count + 50, 60_000))
    .filter(({ headers }) => headers["posthorn-attempt"] === "2");
  assert.deepEqual(again.map(idOf).sort(), [...failed].sort(), "those that were counted, each once");
  for (const { body, headers } of again) new Webhook(SECRET).verify(body, headers);
  const first = new Map(world.receiver.at("/picky").map((request) => [idOf(request), request.headers["webhook-id"]]));
  for (const request of again) assert.equal(request.headers["webhook-id"], first.get(idOf(request)), "same message");
  await allDied(to, 50);
});

test("a replay that is stopped sends no more", async () => {
  const count = 3 * STEP, since = iso(Date.now());
  const to = await connect(tenant, { url: world.receiver.url("/stopped") });
  picky("/stopped", new Set());
  await emitMany(tenant, to.event, count);
  await allDied(to, count);
  const range = { connection: to.connection.id, since, until: iso(Date.now() + 60_000) };
  const { replay } = made(await tenant.api.post(replays(), range));
  await world.receiver.arrived("/stopped", count + 1);
  const stopped = ok(await tenant.api.delete(`/replays/${replay.id}`));
  assert.equal(stopped.status, "canceled");
  assert.ok(stopped.replayed > 0 && stopped.replayed < count, `${stopped.replayed} of ${count} before it was stopped`);
  await world.receiver.arrived("/stopped", count + stopped.replayed);
  await sleep(5_000);
  assert.equal(world.receiver.at("/stopped").length, count + stopped.replayed, "nothing after that");
  assert.deepEqual(ok(await tenant.api.get(`/replays/${replay.id}`)), stopped);
  const { records } = ok(await tenant.api.get(replays()));
  assert.equal(records[0].id, replay.id, "the newest stands first");
});

test("a range that is none, or too long, or of another workspace is refused", async () => {
  const day = 86_400_000, now = Date.now();
  const post = (body) => tenant.api.post(replays(), body);
  const range = (sinceMs, untilMs, more = {}) => ({ since: iso(sinceMs), until: iso(untilMs), ...more });
  for (const [status, param, body] of [
    [400, "since", { until: iso(now) }],
    [400, "until", range(now, now)],
    [422, "until", range(now - 14 * day - 1, now)],
    [400, "status", range(now - day, now, { status: "held" })],
  ]) {
    const refused = expected(status, await post(body));
    assert.equal(refused.error.data[0].param, param, JSON.stringify(refused));
  }
  const other = await newTenant(world, "Other");
  const foreign = await connect(other, { url: world.receiver.url("/foreign") });
  expected(404, await post(range(now - day, now, { connection: foreign.connection.id })));
  const { workspace } = await newWorkspace(world, other.api, "Elsewhere");
  expected(404, await tenant.api.post(`/workspaces/${workspace.id}/replays`, range(now - day, now)));
});
