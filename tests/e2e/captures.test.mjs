// Every request that the management client was seen to send for the tools of its MCP server, with its
// headers, and the answers read as it reads them: ids by their pattern, words by their list, envelopes
// where there are envelopes and bare values where there are none. The rows of the events client are in
// emit.test.mjs.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mintToken } from "../../tools/lib/api.mjs";
import {
  anyText, assertError, assertShape, atLeast, count, flag, list, listOf, matching, maybe, olderUuid, oneOf, orNull, outcomes, progress, statuses, time,
  uuid, words,
} from "./lib/shapes.mjs";
import { connect, emit, made, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const SEND = { action: "send_webhook" };
const object = atLeast({});

const workspace = { id: uuid, name: words, description: orNull(anyText), created_at: time, updated_at: time };
const key = { public_key: matching(/^mesh_pub_([A-Za-z0-9\-.]+)_([A-Za-z0-9\-.]+)_([^_]+)$/), name: words };
const workspaceWithKey = { ...workspace, publishable_key: atLeast(key) };
const connection = {
  id: uuid, workspace: uuid, type: "webhook", name: words, metadata: object, created_by: words, created_at: time, updated_at: time,
};
const about = { resource: maybe(words), resource_id: maybe(words) };
const rule = {
  id: uuid, workspace: uuid, connection: uuid, type: "webhook", event: words, metadata: atLeast(SEND), active: flag, hidden: flag,
  created_by: words, created_at: time, updated_at: time, ...about,
};
const event = { id: uuid, type: "event", event: words, workspace: uuid, created_by: words, created_at: time, ...about };
const ruleEvent = {
  id: uuid, type: "rule", workspace: uuid, event: words, event_id: uuid, connection: uuid, rule: uuid, integration_type: "webhook",
  status: statuses, attempt_count: count, next_attempt_at: maybe(time), started_at: maybe(time), completed_at: maybe(time),
  last_error: maybe(words), created_by: words, created_at: time, ...about,
};
const history = { ...event, ...progress, status: statuses, rule_events: listOf(atLeast(ruleEvent)) };
const fieldsOf = ({ id, workspace }) => ({
  id: uuid, workspace_id: workspace, connection_id: id, integration_type: "webhook", catalog_version: words, refreshed_at: time,
  created_by: words, created_at: time, updated_at: time, fields: [],
});
const named = { id: uuid, key: words, label: words, description: maybe(anyText), active: flag, created_by: words, created_at: time, updated_at: time };
const session = {
  session_id: uuid, access_token: words, expires_in: count, expires_at: time, workspace_id: uuid, role: oneOf("member", "admin", "owner"),
  session_type: oneOf("workspace", "resource", "dashboard"),
};
const launched = { ...session, launch_token: words, launch_expires_at: time, launch_url: matching(/^https?:\/\/.+\/launch\?token=/) };
const action = atLeast({ key: "send_webhook", label: words, noun: words });
const integration = { name: words, type: words, authentication: object, actions: object };

let world, tenant, to, sent;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world, "Captured");
  to = await connect(tenant, { url: world.receiver.url("/captures"), event: "order.completed" });
  sent = await emit(tenant, to.event, '{"a":1.0}');
  await settled(tenant, sent.id, ["completed"]);
});
after(() => world?.close());

/** A request as the management client sends it: with a content type, whether there is a body or not. */
async function call(method, path, body) {
  const response = await fetch(`${world.baseUrl}/api/v1${path}`, {
    method,
    redirect: "manual",
    headers: {
      Authorization: `Bearer ${mintToken(tenant.machine)}`,
      "X-Meshes-Client": "Meshes API Client v1.0.0",
      "Content-Type": "application/json",
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text ? JSON.parse(text) : undefined };
}

async function answers(tool, [method, path, body], status, shape) {
  const answer = await call(method, path, body);
  assert.equal(answer.status, status, `${tool}: ${answer.text}`);
  assert.equal(answer.headers.get("content-type"), "application/json", tool);
  assertShape(answer.body, shape, tool);
  return answer.body;
}

const bare = (shape) => atLeast(shape);
const listed = (shape) => list(atLeast(shape));

test("organizations and keys have the formats that the clients insist on", () => {
  assertShape(tenant.organization.id, olderUuid);
  assertShape(tenant.machine.accessKey, matching(/^mk_[A-Za-z0-9_-]{22,}$/));
  assertShape(tenant.machine.secretKey, matching(/^[A-Za-z0-9_-]{43,}$/));
});

test("workspaces", async () => {
  const { id } = tenant.workspace;
  await answers("list_workspaces", ["GET", "/workspaces"], 200, listed(workspace));
  await answers("get_workspace", ["GET", `/workspaces/${id}`], 200, bare(workspaceWithKey));
  const created = await answers("create_workspace", ["POST", "/workspaces", { name: "Acme Corp" }], 201, { workspace: bare(workspaceWithKey) });
  const renamed = ["PUT", `/workspaces/${created.workspace.id}`, { name: "Acme Corp" }];
  await answers("update_workspace", renamed, 200, bare({ ...workspace, name: "Acme Corp" }));
  await answers("get_workspace_connections", ["GET", `/workspaces/${id}/connections`], 200, listed(connection));
  await answers("get_workspace_event_types", ["GET", `/workspaces/${id}/event-types`], 200, listOf(atLeast(named)));
  await answers("get_workspace_resources", ["GET", `/workspaces/${id}/resources`], 200, listOf(atLeast(named)));
  await answers("get_workspace_rules", ["GET", `/workspaces/${id}/rules`], 200, listed(rule));
});

test("connections", async () => {
  const metadata = { url: "https://example.com/h" };
  await answers("list_connections", ["GET", "/connections"], 200, listed(connection));
  const body = { workspace: tenant.workspace.id, type: "webhook", name: "Acme Corp", metadata };
  const created = await answers("create_connection", ["POST", "/connections", body], 201, { connection: bare(connection) });
  const path = `/connections/${created.connection.id}`;
  await answers("get_connection", ["GET", path], 200, bare(connection));
  await answers("update_connection", ["PUT", path, { name: "Acme Corp", metadata }], 200, bare(connection));
  const its = { id: created.connection.id, type: "webhook" };
  await answers("get_connection_actions", ["GET", `${path}/actions`], 200, bare({
    ...its, actions: { send_webhook: action }, data: object, refreshed_at: time,
  }));
  await answers("get_connection_fields", ["GET", `${path}/fields`], 200, bare(fieldsOf(created.connection)));
  assertError(await call("GET", `${path}/mappings/default`), 404);
  const schema = { schema_version: 1, fields: [] };
  assertError(await call("PUT", `${path}/mappings/default`, { schema }), 422, "schema");
  await answers("delete_connection", ["DELETE", path, { force_delete: true }], 200, its);
  await answers("list_integrations", ["GET", "/integrations"], 200, listed(integration));
});

test("rules", async () => {
  await answers("list_rules", ["GET", "/rules"], 200, listed(rule));
  await answers("get_rule", ["GET", `/rules/${to.rule.id}`], 200, bare(rule));
  const body = { workspace: tenant.workspace.id, connection: to.connection.id, event: "order.captured", metadata: SEND };
  const created = await answers("create_rule", ["POST", "/rules", body], 201, { rule: bare(rule) });
  const gone = { id: created.rule.id, connection: to.connection.id, type: "webhook", event: "order.captured" };
  await answers("delete_rule", ["DELETE", `/rules/${created.rule.id}`], 200, bare(gone));
});

test("events", async () => {
  const body = { workspace: tenant.workspace.id, event: "order.completed", payload: { a: 1 } };
  await answers("emit_event", ["POST", "/events", body], 201, { event: bare(event) });
  const bulk = [{ workspace: tenant.workspace.id, event: "x", payload: { a: 1 } }];
  await answers("emit_bulk_events", ["POST", "/events/bulk", bulk], 201, bare({ count: 1, records: listOf(atLeast(event)) }));
  await answers("get_workspace_events", ["GET", `/workspaces/${tenant.workspace.id}/events`], 200, listed(history));
  await answers("list_events", ["GET", "/events"], 200, listed(history));
  await answers("get_event", ["GET", `/events/${sent.id}`], 200, bare({ ...history, payload: { a: 1 } }));
  await answers("get_event_payload", ["GET", `/events/${sent.id}/payload`], 200, bare({ ...history, payload: { a: 1 } }));
  assert.match((await call("GET", `/events/${sent.id}/payload`)).text, /,"payload":\{"a":1\.0\}\}$/, "byte for byte");
  await answers("retry_event_rule", ["POST", `/events/${sent.id}/rules/${to.rule.id}/retry`], 200, bare(ruleEvent));
  const attempts = ok(await call("GET", `/events/${sent.id}/rules/${to.rule.id}/attempts`));
  assertShape(attempts, listed({ id: uuid, number: count, outcome: outcomes, started_at: time }));
});

test("sessions", async () => {
  const { id } = tenant.workspace;
  const created = await answers("create_session", ["POST", "/sessions", { workspace_id: id }], 200, bare(launched));
  const record = { id: uuid, session_id: uuid, workspace_id: uuid, status: oneOf("active", "revoked"), is_expired: flag, created_at: time };
  await answers("list_sessions", ["GET", `/sessions?workspace_id=${id}`], 200, listed(record));
  const path = `/sessions/${created.session_id}`;
  const refreshed = await answers("refresh_session", ["POST", `${path}/refresh`], 200, bare({ ...session, session_id: created.session_id }));
  assert.notEqual(refreshed.access_token, created.access_token);
  assert.ok(!("launch_url" in refreshed));
  await answers("revoke_session", ["DELETE", path], 200, { revoked: true });
});

test("what a client refuses is refused here, too", () => {
  const refuses = (check, value) => assert.throws(() => assertShape(value, check));
  refuses(bare(workspace), { workspace: {} });
  refuses(listed(workspace), []);
  refuses(listOf(atLeast(named)), { count: 0, limit: 50, next_cursor: null, records: [] });
  refuses(bare(event), { ...sent, id: "evt_1" });
  refuses(bare(ruleEvent), { status: "delivered" });
  assertShape(made({ status: 201, body: sent }), bare(event));
});
