// The 33 operations of the public clients, called as they call them: no limit, no origins, a base URL that ends in a
// slash, `global` for no resource. Each answer is held against what their types say, nulls included; what was emitted
// is there in every read at once; and their tokens are made by a stock library.
import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { SignJWT } from "jose";
import { contractJudge } from "./lib/contract-schemas.mjs";
import { newTenant, openWorld } from "./lib/world.mjs";
import { until } from "./lib/until.mjs";

const SEND = { action: "send_webhook" };
const PAYLOAD = { email: "ann@example.com", first_name: "Ann", id: "7" };
const judge = contractJudge();
const called = new Set();

let world, tenant, workspace, connection, rule, sent, session;

before(async () => {
  world = await openWorld({ vars: (receiver) => ({ PROVIDER_BASES: JSON.stringify({ hubspot: receiver.url("/hubspot") }) }) });
  tenant = await newTenant(world, "Clients");
});
after(() => world?.close());

/** A machine token as jose makes it; `claims` are more or other claims. */
async function token(claims = {}) {
  const { organizationId, accessKey, secretKey } = tenant.machine;
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: `urn:meshes:m2m:${accessKey}`, aud: "meshes-api", org: organizationId, iat: now, exp: now + 30, ...claims };
  return new SignJWT(all).setProtectedHeader({ alg: "HS256", typ: "JWT", kid: accessKey }).sign(new TextEncoder().encode(secretKey));
}

async function send(method, path, body, headers) {
  // A client whose base URL ends in a slash.
  const answer = await fetch(`${world.baseUrl}/api/v1/${path}`, {
    method,
    redirect: "manual",
    headers: { "content-type": "application/json", ...(headers ?? { authorization: `Bearer ${await token()}` }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  return { status: answer.status, text, body: text ? JSON.parse(text) : undefined };
}

/** Calls an operation and holds its answer against the clients' types; the body. */
async function call(operation, method, path, body, headers) {
  called.add(operation);
  const answer = await send(method, path, body, headers);
  assert.equal(judge.faultOf(operation, answer), null, `${operation}: ${answer.text}`);
  return answer.body;
}

const ids = (list) => (list.records ?? list).map((one) => one.id);

suite("every operation of the clients", { concurrency: false }, () => {
  test("workspaces", async () => {
    ({ workspace } = await call("CreateWorkspace", "POST", "/workspaces", { name: "Acme Corp" }));
    assert.ok(ids(await call("GetWorkspaces", "GET", "/workspaces")).includes(workspace.id));
    await call("GetWorkspace", "GET", `/workspaces/${workspace.id}`);
    await call("UpdateWorkspace", "PUT", `/workspaces/${workspace.id}`, { name: "Acme Inc", description: "Berlin" });
  });

  test("connections", async () => {
    const metadata = { url: world.receiver.url("/clients") };
    ({ connection } = await call("CreateConnection", "POST", "/connections", { workspace: workspace.id, type: "webhook", name: "CRM", metadata }));
    const path = `/connections/${connection.id}`;
    await call("GetConnection", "GET", path);
    await call("UpdateConnection", "PUT", path, { name: "CRM", metadata });
    assert.ok(ids(await call("GetConnections", "GET", "/connections")).includes(connection.id));
    assert.ok(ids(await call("GetWorkspaceConnections", "GET", `/workspaces/${workspace.id}/connections`)).includes(connection.id));
    await call("GetConnectionActions", "GET", `${path}/actions`);
    await call("GetConnectionFields", "GET", `${path}/fields`);
    const spare = { workspace: workspace.id, type: "webhook", name: "Spare", metadata };
    const { connection: gone } = await call("CreateConnection", "POST", "/connections", spare);
    const inactive = await send("POST", `/connections/${gone.id}/deactivate`);
    assert.equal(judge.faultOf("GetConnection", inactive), null, inactive.text);
    assert.equal(inactive.body.inactive_reason, "manually_inactivated");
    await call("DeleteConnection", "DELETE", `/connections/${gone.id}`, { force_delete: true });
    await call("GetIntegrations", "GET", "/integrations");
  });

  test("rules, with global for no resource", async () => {
    const body = { workspace: workspace.id, connection: connection.id, event: "order.paid", resource: "global", metadata: { ...SEND, name: "Paid orders" } };
    ({ rule } = await call("CreateRule", "POST", "/rules", body));
    await call("GetRule", "GET", `/rules/${rule.id}`);
    for (const query of ["", "?event=order.paid", "?resource=global"]) {
      assert.deepEqual(ids(await call("GetRules", "GET", `/rules${query}`)), [rule.id], query);
    }
    assert.deepEqual(ids(await call("GetWorkspaceRules", "GET", `/workspaces/${workspace.id}/rules`)), [rule.id]);
    const { rule: gone } = await call("CreateRule", "POST", "/rules", { ...body, event: "order.gone" });
    await call("DeleteRule", "DELETE", `/rules/${gone.id}`);
  });

  test("an emit is at once in every read that the clients have", async () => {
    const body = { workspace: workspace.id, event: "order.paid", payload: PAYLOAD };
    ({ event: sent } = await call("CreateEvent", "POST", "/events", body));
    const [path, of] = [`/events/${sent.id}`, `/workspaces/${workspace.id}`];
    const event = await call("GetEvent", "GET", path);
    assert.deepEqual([event.total_rules, event.rule_events.map((one) => one.rule)], [1, [rule.id]]);
    assert.deepEqual((await call("GetEventPayload", "GET", `${path}/payload`)).payload, PAYLOAD);
    assert.ok(ids(await call("GetEvents", "GET", "/events")).includes(sent.id));
    assert.ok(ids(await call("GetWorkspaceEvents", "GET", `${of}/events`)).includes(sent.id));
    assert.ok(ids(await call("GetWorkspaceEvents", "GET", `${of}/events?event=order.paid&resource=global`)).includes(sent.id));
    const types = await call("GetWorkspaceEventTypes", "GET", `${of}/event-types`);
    assert.deepEqual(types.map((one) => one.key), ["order.paid"]);
    await call("GetWorkspaceResources", "GET", `${of}/resources`);
  });

  test("bulks, whole and in part", async () => {
    const key = (await call("GetWorkspace", "GET", `/workspaces/${workspace.id}`)).publishable_key.public_key;
    const publisher = { "x-meshes-publishable-key": key };
    const good = { event: "order.seen", payload: PAYLOAD, resource: "order", resource_id: "7" };
    const whole = await call("CreateBulkEvent", "POST", "/events/bulk", [good, good], publisher);
    assert.equal(whole.count, 2);
    const part = await call("CreateBulkEvent", "POST", "/events/bulk", [good, { event: "", payload: {} }], publisher);
    assert.deepEqual([part.count, part.error_count], [1, 1]);
    const resources = await call("GetWorkspaceResources", "GET", `/workspaces/${workspace.id}/resources`);
    assert.deepEqual(resources.map((one) => one.key), ["order"]);
  });

  test("a delivery that is settled is sent again", async () => {
    await until("it is delivered", async () => (await send("GET", `/events/${sent.id}`)).body.status === "completed");
    await call("GetEvent", "GET", `/events/${sent.id}`);
    await call("RetryEventRule", "POST", `/events/${sent.id}/rules/${rule.id}/retry`);
  });

  test("sessions, without origins", async () => {
    session = await call("CreateSession", "POST", "/sessions", { workspace_id: workspace.id });
    await call("RefreshSession", "POST", `/sessions/${session.session_id}/refresh`);
    const resource = { workspace_id: workspace.id, session_type: "resource", resource: "order", resource_id: "7", external_user_id: "ann" };
    await call("CreateSession", "POST", "/sessions", resource);
    await call("RevokeSession", "DELETE", `/sessions/${session.session_id}`);
    const listed = await call("ListSessions", "GET", `/sessions?workspace_id=${workspace.id}`);
    assert.deepEqual(listed.records.map((one) => one.status).sort(), ["active", "revoked"]);
  });

  test("mappings and fields of a destination that keeps persons", async () => {
    const metadata = { access_token: "pat-eu1-of-the-clients" };
    const body = { workspace: workspace.id, type: "hubspot", name: "Contacts", metadata };
    const { connection: contacts } = await call("CreateConnection", "POST", "/connections", body);
    const path = `/connections/${contacts.id}`;
    const { mapping, status } = await call("GetConnectionDefaultMappings", "GET", `${path}/mappings/default`);
    assert.deepEqual([status, mapping.version], ["generated", 0]);
    const changed = { schema: { ...mapping.schema, fields: mapping.schema.fields.slice(0, 1) }, expected_version: mapping.version };
    const stored = await call("UpdateConnectionDefaultMappings", "PUT", `${path}/mappings/default`, changed);
    assert.deepEqual([stored.status, stored.mapping.version, stored.mapping.schema], ["stored", 1, changed.schema]);
    assert.deepEqual(await call("GetConnectionDefaultMappings", "GET", `${path}/mappings/default`), stored);
    await call("GetConnectionFields", "GET", `${path}/fields`);
    await call("GetConnectionActions", "GET", `${path}/actions`);
    await call("GetConnection", "GET", path);
  });

  test("no operation was left out", () => {
    assert.equal(judge.operations.length, 33);
    assert.deepEqual(judge.operations.filter((operation) => !called.has(operation)), []);
  });
});

test("tokens of a stock library: an audience may be a list, times may have a fraction, and nothing else holds", async () => {
  const now = Date.now() / 1000;
  const status = async (claims) => (await send("GET", "/workspaces", undefined, { authorization: `Bearer ${await token(claims)}` })).status;
  for (const good of [{}, { aud: ["other", "meshes-api"] }, { iat: now - 0.5, exp: now + 29.25 }, { iat: Math.floor(now) - 20, exp: Math.floor(now) + 30 }]) {
    assert.equal(await status(good), 200, JSON.stringify(good));
  }
  for (const bad of [{ aud: "other" }, { aud: ["other"] }, { exp: now - 60 }, { iat: now, exp: now + 120 }, { org: workspace.id }, { iss: "urn:meshes:m2m:mk_other" }]) {
    assert.equal(await status(bad), 401, JSON.stringify(bad));
  }
  const { accessKey, secretKey } = tenant.machine;
  const other = await new SignJWT({ aud: "meshes-api" }).setProtectedHeader({ alg: "HS512", kid: accessKey }).sign(new TextEncoder().encode(secretKey));
  assert.equal((await send("GET", "/workspaces", undefined, { authorization: `Bearer ${other}` })).status, 401);
});
