// What every file of these tests stands on: one Worker on a fresh state, receivers, and tenants made through the API.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiClient, asAdmin, asMachine, asPublisher } from "../../../tools/lib/api.mjs";
import { startWorker } from "../../../tools/lib/worker.mjs";
import { knownSecrets } from "./known-secrets.mjs";
import { openReceiver } from "./receiver.mjs";
import { until } from "./until.mjs";

export const ADMIN_TOKEN = "admin-token-of-the-tests-32-characters";
export const MASTER_KEYS = `test:${Buffer.alloc(32, 7).toString("base64")}`;

/** A Worker and a receiver. `vars` are more variables of the Worker, or give them for the receiver; `rateLimits` and `wrapper` (a path) see `startWorker`. Close it in `after`. */
export async function openWorld({ vars = {}, rateLimits, wrapper } = {}) {
  const stateDir = mkdtempSync(join(tmpdir(), "posthorn-e2e-"));
  const receiver = await openReceiver();
  const more = typeof vars === "function" ? vars(receiver) : vars;
  const secrets = knownSecrets();
  const start = (port, changed = {}) => {
    const all = { ADMIN_TOKEN, MASTER_KEYS, ALLOW_PRIVATE_DESTINATIONS: "true", ...more, ...changed };
    secrets.ofVars(all);
    return startWorker({ stateDir, port, rateLimits, wrapper, vars: all });
  };
  const clear = async () => {
    await receiver.close();
    rmSync(stateDir, { recursive: true, force: true });
  };
  // Without a Worker nobody closes this world, and an open receiver would keep the tests from ending.
  const worker = await start().catch(async (error) => {
    await clear();
    throw error;
  });
  const world = { stateDir, receiver, worker, secrets };
  world.baseUrl = world.worker.baseUrl;
  /** The same by another host name: for a browser it is another site than what is served on 127.0.0.1. */
  world.localUrl = `http://localhost:${world.worker.port}`;
  world.admin = secrets.watched(apiClient(world.baseUrl, asAdmin(ADMIN_TOKEN)));
  /** Starts the Worker again on the same state and port, after it was stopped or killed; `changed` are other variables. */
  world.restart = async (changed) => (world.worker = await start(world.worker.port, changed));
  /** Ends it, and looks whether a secret that its tests made stands in its log or in what is stored: promise 7. */
  world.close = async () => {
    await world.worker.stop();
    const found = secrets.foundIn(stateDir, world.worker.lines);
    await clear();
    assert.deepEqual(found, [], "a secret stands where it must not");
  };
  return world;
}

/** An organization with a workspace, and clients that call as its machine key and as its publishable key. */
export async function newTenant(world, name = "Acme") {
  const { organization, machine_key } = made(await world.admin.post("/organizations", { name }));
  const machine = {
    organizationId: organization.id,
    accessKey: machine_key.access_key,
    secretKey: machine_key.secret_key,
  };
  const client = apiClient(world.baseUrl, asMachine(machine));
  // The bench has no such world.
  const api = world.secrets?.watched(client) ?? client;
  const tenant = { organization, machine, api, ...(await newWorkspace(world, api, `${name} one`)) };
  tenant.publisher = apiClient(world.baseUrl, asPublisher(tenant.publishableKey));
  return tenant;
}

/** One more workspace of an organization: {workspace, publishableKey}. */
export async function newWorkspace(world, api, name) {
  const { workspace } = made(await api.post("/workspaces", { name }));
  const found = ok(await api.get(`/workspaces/${workspace.id}`));
  return { workspace: found, publishableKey: found.publishable_key.public_key };
}

let names = 0;

/**
 * A connection to `url` and a rule that sends the events named `event` to it; a new name where none
 * is given. Answers {connection, rule, event, url}.
 */
export async function connect(tenant, { url, metadata = {}, event = `test.event-${++names}` }) {
  const { connection } = made(await tenant.api.post("/connections", {
    workspace: tenant.workspace.id,
    type: "webhook",
    name: `To ${event} ${++names}`,
    metadata: { url, ...metadata },
  }));
  const { rule } = made(await tenant.api.post("/rules", {
    workspace: tenant.workspace.id,
    connection: connection.id,
    event,
    metadata: { action: "send_webhook" },
  }));
  return { connection, rule, event, url };
}

/** The body of `POST /events` whose payload is exactly these bytes. */
export function eventBody(event, payload) {
  const bytes = Buffer.isBuffer(payload) ? payload : Buffer.from(payload);
  return Buffer.concat([Buffer.from(`{"event":${JSON.stringify(event)},"payload":`), bytes, Buffer.from("}")]);
}

/** Emits one event and answers it as it was accepted. */
export async function emit(tenant, event, payload = '{"a":1}', headers = {}) {
  return made(await tenant.publisher.post("/events", eventBody(event, payload), headers)).event;
}

/** Emits as many events as asked for, in bulk, and answers their ids. */
export async function emitMany(tenant, event, count, payload = (index) => ({ index })) {
  const ids = [];
  for (let from = 0; from < count; from += 100) {
    const batch = Array.from({ length: Math.min(100, count - from) }, (_, i) => ({ event, payload: payload(from + i) }));
    const { records } = made(await tenant.publisher.post("/events/bulk", batch));
    ids.push(...records.map((record) => record.id));
  }
  return ids;
}

/** The event once its one delivery has a status that is asked for. */
export async function settled(tenant, eventId, statuses = ["completed", "failed", "canceled"], timeoutMs = 15_000) {
  let found;
  await until(`${eventId} is ${statuses.join(" or ")}`, async () => {
    found = ok(await tenant.api.get(`/events/${eventId}`));
    const [delivery] = found.rule_events;
    return delivery && statuses.includes(delivery.status) ? true : `it is ${delivery?.status ?? "not owed"}`;
  }, timeoutMs);
  return found;
}

/** The recorded attempts of the delivery of an event by a rule, each with its response details. */
export async function attemptsOf(tenant, eventId, ruleId) {
  const path = `/events/${eventId}/rules/${ruleId}/attempts`;
  const { records } = ok(await tenant.api.get(path));
  return Promise.all(records.map(async ({ number }) => ({
    ...ok(await tenant.api.get(`${path}/${number}`)),
    response: ok(await tenant.api.get(`${path}/${number}/response-details`)),
  })));
}

/** The body of an answer that must be 201. */
export const made = (answer) => expected(201, answer);
/** The body of an answer that must be 200. */
export const ok = (answer) => expected(200, answer);

/** The body of an answer that must have this status. */
export function expected(status, answer) {
  assert.equal(answer.status, status, answer.text);
  return answer.body;
}

/** A word that appears nowhere else, to look for. */
export const secretWord = (name) => `${name}-${randomBytes(9).toString("hex")}`;
