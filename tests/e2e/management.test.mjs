// The management API: the exact shape of every success, the named field of every refusal, walls
// between organizations, and secrets that no answer shows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiClient, asMachine, asNobody, asPublisher } from "../../tools/lib/api.mjs";
import { answer } from "./lib/receiver.mjs";
import * as shapes from "./lib/shapes.mjs";
import { acceptedEvent, assertError, assertShape, atLeast, count, flag, list, listOf, matching, olderUuid, orNull, time, uuid, words } from "./lib/shapes.mjs";
import { until } from "./lib/until.mjs";
import { connect, emit, emitMany, made, newTenant, newWorkspace, ok, openWorld, secretWord, settled } from "./lib/world.mjs";

const NOBODYS = "00000000-0000-4000-8000-000000000000";
const SEND = { action: "send_webhook" };

const workspace = {
  id: uuid, name: words, description: orNull(words), environment: shapes.maybe(words), external_id: shapes.maybe(words),
  retention_days: count, retention_unsettled_days: count,
  created_at: time, updated_at: time,
};
const publicKey = matching(/^mesh_pub_([A-Za-z0-9\-.]+)_([A-Za-z0-9\-.]+)_([^_]+)$/);
const publishableKey = { public_key: publicKey, name: words, events: shapes.maybe(listOf(words)), origins: shapes.maybe(listOf(words)) };
const withKey = { ...workspace, publishable_key: publishableKey };
const machineKey = {
  access_key: matching(/^mk_[A-Za-z0-9_-]{22,}$/), name: shapes.maybe(words), created_by: shapes.maybe(words), created_at: time,
};
const metadata = {
  url: words, http_method: "POST", payload_mode: "raw", auth_scheme: "none", custom_headers: [],
  signing_algorithm: "hmac-sha256", signing_scheme: "standard", signature_header: words, signature_encoding: "hex",
  signature_prefix: "", timestamp_header: words, has_signing_secret: true, signing_secret_set_at: time,
  secret_set_by: "generated", timeout_seconds: 15,
  retry_schedule_seconds: [5, 30, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
  ordering: "none",
};
const connection = {
  id: uuid, workspace: uuid, type: "webhook", name: words, metadata, active: true, hidden: flag,
  created_by: words, created_at: time, updated_at: time,
};
const anyConnection = { ...connection, metadata: (value) => typeof value === "object" && value !== null };
const rule = {
  id: uuid, workspace: uuid, connection: uuid, type: "webhook", event: words, resource: shapes.maybe(words),
  resource_id: shapes.maybe(words), metadata: SEND, active: flag, hidden: flag, created_by: words, created_at: time, updated_at: time,
};

let world, acme, rival;
/** Everything that any client of these tests was answered, to look for secrets in. */
const answered = [];

before(async () => {
  world = await openWorld();
  [acme, rival] = [listening(await newTenant(world)), listening(await newTenant(world, "Rival"))];
});
after(() => world?.close());

/** The same tenant whose client keeps every answer. */
function listening(tenant) {
  const keep = (method) => async (...args) => {
    const found = await tenant.api[method](...args);
    answered.push(`${method} ${args[0]}: ${found.text} ${JSON.stringify([...found.headers])}`);
    return found;
  };
  const methods = ["get", "post", "put", "patch", "delete"];
  return { ...tenant, api: Object.fromEntries(methods.map((method) => [method, keep(method)])) };
}

let connections = 0;
const newConnection = (more = {}, url = "https://example.com/hook") => ({
  workspace: acme.workspace.id, type: "webhook", name: `CRM ${++connections}`, metadata: { url, ...more },
});

test("organizations: only the operator makes them, and the secret key is shown once", async () => {
  const created = await world.admin.post("/organizations", { name: "Third" });
  assert.equal(created.status, 201);
  assertShape(created.body, {
    organization: { id: olderUuid, name: "Third", created_at: time },
    machine_key: { access_key: matching(/^mk_[A-Za-z0-9_-]{22,}$/), secret_key: matching(/^[A-Za-z0-9_-]{43,}$/) },
  });
  assert.equal(created.headers.get("cache-control"), "no-store");
  assertError(await world.admin.post("/organizations", { name: " " }), 400, "name");
  assertError(await world.admin.post("/organizations", {}), 400, "name");
  for (const { api } of [acme, { api: apiClient(world.baseUrl, asNobody) }]) {
    assertError(await api.post("/organizations", { name: "Mine" }), 401);
  }
});

test("machine keys: create, list, revoke", async () => {
  const tenant = listening(await newTenant(world, "Keys"));
  assertError(await tenant.api.delete(`/machine-keys/${tenant.machine.accessKey}`), 409);
  // Not through the client whose answers are searched for secrets: this one shows a secret once.
  const created = await apiClient(world.baseUrl, asMachine(tenant.machine)).post("/machine-keys", { name: "Billing" });
  const { machine_key: second } = made(created);
  assertShape(second, { ...machineKey, name: "Billing", created_by: words, secret_key: matching(/^[A-Za-z0-9_-]{43,}$/) });
  assert.equal(created.headers.get("cache-control"), "no-store");
  const api = apiClient(world.baseUrl, asMachine({
    organizationId: tenant.organization.id, accessKey: second.access_key, secretKey: second.secret_key,
  }));
  const listed = ok(await api.get("/machine-keys"));
  assertShape(listed, list(machineKey));
  assert.deepEqual(listed.records.map(({ access_key }) => access_key), [tenant.machine.accessKey, second.access_key]);
  assertError(await tenant.api.post("/machine-keys", { name: "" }), 400, "name");
  assertError(await tenant.api.get("/machine-keys?limit=0"), 400, "limit");
  assertError(await acme.api.delete(`/machine-keys/${second.access_key}`), 404);
  assertShape(ok(await tenant.api.delete(`/machine-keys/${second.access_key}`)), { access_key: second.access_key });
  assertError(await api.get("/machine-keys"), 401);
  assertError(await tenant.api.delete(`/machine-keys/${second.access_key}`), 404);
});

test("workspaces: environment, external id, deletion", async () => {
  const { api } = acme;
  const body = { name: "Customer 7", environment: "staging", external_id: "cus_7" };
  // Many at once make one.
  const answers = await Promise.all(Array.from({ length: 10 }, () => api.post("/workspaces", body)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [...Array(9).fill(200), 201]);
  const [{ workspace: one }] = answers.map((answer) => answer.body);
  assertShape(one, { ...withKey, ...body, description: null });
  for (const answer of answers) assert.deepEqual(answer.body.workspace, one);
  const found = async (query) => ok(await api.get(`/workspaces?${query}`)).records.map(({ id }) => id);
  assert.deepEqual(await found("external_id=cus_7"), [one.id]);
  assert.deepEqual(await found("environment=staging"), [one.id]);
  assert.deepEqual(await found("environment=production"), []);
  for (const [field, value] of [["environment", "e".repeat(33)], ["external_id", ""], ["external_id", "x".repeat(256)]]) {
    assertError(await api.post("/workspaces", { ...body, [field]: value }), 400, field);
    assertError(await api.patch(`/workspaces/${one.id}`, { [field]: value }), 400, field);
  }
  assertError(await api.patch(`/workspaces/${acme.workspace.id}`, { external_id: "cus_7" }), 409, "external_id");

  const customer = { ...acme, workspace: one, publisher: apiClient(world.baseUrl, asPublisher(one.publishable_key.public_key)) };
  const to = await connect(customer, { url: world.receiver.url("/gone") });
  const { id } = await emit(customer, to.event);
  await settled(customer, id, ["completed"]);
  assertError(await api.delete(`/workspaces/${one.id}`), 409);
  assertError(await api.delete(`/workspaces/${one.id}`, { force_delete: 1 }), 400, "force_delete");
  assertShape(ok(await api.delete(`/workspaces/${one.id}`, { force_delete: true })), { id: one.id });
  assertError(await customer.publisher.post("/events", { event: to.event, payload: {} }), 401);
  for (const path of [`/workspaces/${one.id}`, `/connections/${to.connection.id}`, `/rules/${to.rule.id}`, `/events/${id}`]) {
    assertError(await api.get(path), 404);
  }
});

test("publishable keys: rotation, limits", async () => {
  const { workspace: own, publishableKey: former } = await newWorkspace(world, acme.api, "Keys of a shop");
  const path = `/workspaces/${own.id}/publishable-key`;
  const emitWith = (key, event, headers) => apiClient(world.baseUrl, asPublisher(key)).post("/events", { event, payload: {} }, headers);
  const rotated = ok(await acme.api.post(`${path}/rotate`, { grace_seconds: 60 }));
  assertShape(rotated, { publishable_key: publishableKey, former_valid_until: time });
  const key = rotated.publishable_key.public_key;
  assert.notEqual(key, former);
  made(await emitWith(former, "order.completed"));
  made(await emitWith(key, "order.completed"));
  assertError(await acme.api.post(`${path}/rotate`, { grace_seconds: 604_801 }), 400, "grace_seconds");
  const limits = { events: ["order.*"], origins: ["https://shop.example.com"] };
  const limited = ok(await acme.api.patch(path, { name: "Shop", ...limits }));
  assertShape(limited, { public_key: key, name: "Shop", ...limits });
  const origin = { origin: "https://shop.example.com" };
  made(await emitWith(key, "order.completed", origin));
  assertError(await emitWith(key, "invoice.paid", origin), 403, "event");
  assertError(await emitWith(key, "order.completed"), 403, "origin");
  assertError(await emitWith(former, "order.completed", { origin: "https://evil.example" }), 403, "origin");
  assertError(await acme.api.patch(path, { events: ["order*"] }), 400, "events");
  assertError(await acme.api.patch(path, { origins: ["shop"] }), 400, "origins");
  assertError(await rival.api.patch(path, { name: "Mine" }), 404);
});

test("integrations: all of one shape; a webhook has one action, no lists, fields or mappings", async () => {
  const { api } = acme;
  const display = { label: words, description: words };
  const actions = { send_webhook: { key: "send_webhook", label: words, noun: words, data: [], fields: [], display } };
  const field = atLeast({ key: words, label: words, type: words });
  const integration = { name: words, type: words, authentication: { type: words, fields: listOf(field) }, actions: atLeast({}) };
  const listed = ok(await api.get("/integrations"));
  assertShape(listed, list(integration));
  const webhook = { ...integration, type: "webhook", authentication: { type: "none", fields: listOf(field) }, actions };
  assertShape(listed.records[0], webhook);
  assertError(await api.get("/integrations?limit=x"), 400, "limit");
  const { id } = made(await api.post("/connections", newConnection())).connection;
  assertShape(ok(await api.get(`/connections/${id}/actions`)), { id, type: "webhook", actions, data: {}, refreshed_at: time });
  assertShape(ok(await api.get(`/connections/${id}/fields`)), {
    id: uuid, workspace_id: uuid, connection_id: id, integration_type: "webhook", catalog_version: words,
    refreshed_at: time, created_by: words, created_at: time, updated_at: time, fields: [],
  });
  assertError(await api.get(`/connections/${id}/mappings/default`), 404);
  const schema = { schema_version: 1, fields: [] };
  assertError(await api.put(`/connections/${id}/mappings/default`, { schema }), 422, "schema");
  for (const below of ["actions", "fields"]) assertError(await api.get(`/connections/${NOBODYS}/${below}`), 404);
});

test("deliveries of a connection, and connections that fail", async () => {
  world.receiver.on("/ill", answer(500), answer(200));
  const to = await connect(acme, { url: world.receiver.url("/ill"), metadata: { retry_schedule_seconds: [600] } });
  const [failed, done] = [await emit(acme, to.event), await emit(acme, to.event)];
  const path = `/connections/${to.connection.id}/deliveries`;
  await settled(acme, failed.id, ["retrying", "completed"]);
  await settled(acme, done.id, ["retrying", "completed"]);
  const listed = ok(await acme.api.get(path));
  assertShape(listed, list(shapes.ruleEvent));
  assert.deepEqual(listed.records.map(({ event_id }) => event_id), [done.id, failed.id]);
  const found = async (status) => ok(await acme.api.get(`${path}?status=${status}`)).count;
  assert.deepEqual([await found("retrying"), await found("completed"), await found("failed")], [1, 1, 0]);
  assertError(await acme.api.get(`${path}?status=lost`), 400, "status");
  assertError(await acme.api.get(`${path}?cursor=lost`), 400, "cursor");
  const ill = await connect(acme, { url: world.receiver.url("/iller"), metadata: { retry_schedule_seconds: [600] } });
  world.receiver.on("/iller", answer(500));
  await settled(acme, (await emit(acme, ill.event)).id, ["retrying"]);
  const failing = ok(await acme.api.get("/connections?health=failing"));
  assertShape(failing, list({ ...anyConnection, failing_since: time }));
  assert.ok(failing.records.some(({ id }) => id === ill.connection.id));
  assertError(await acme.api.get("/connections?health=well"), 400, "health");
});

test("statistics of a workspace and of an organization", async () => {
  const tenant = await newTenant(world, "Counted");
  const path = `/workspaces/${tenant.workspace.id}/stats`;
  world.receiver.on("/counted", answer(200), answer(410));
  const to = await connect(tenant, { url: world.receiver.url("/counted") });
  for (const status of ["completed", "failed"]) await settled(tenant, (await emit(tenant, to.event)).id, [status]);
  // The installation counts at once when it starts again.
  assert.equal((await world.worker.sweep("@restart")).ok, true);
  await until("the deliveries are counted", async () => {
    const { total } = ok(await tenant.api.get(path));
    return (total.completed === 1 && total.failed === 1) || JSON.stringify(total);
  });
  const percentiles = shapes.maybe((value) => assertShape(value, { p50: count, p95: count, p99: count }) ?? true);
  const tally = {
    pending: count, completed: count, failed: count, canceled: count, success_rate: shapes.maybe((rate) => rate >= 0 && rate <= 1),
    receiver_latency_ms: percentiles, delivery_time_ms: percentiles,
  };
  const day = { ...tally, day: matching(/^\d{4}-\d\d-\d\d$/) };
  const stats = { as_of: time, since: time, total: tally, days: listOf(day) };
  const found = ok(await tenant.api.get(path));
  const kept = { retention_days: count, retention_unsettled_days: count };
  assertShape(found, { ...stats, ...kept, connections: listOf({ ...tally, connection: uuid, days: listOf(day) }) });
  const { completed, failed, success_rate, receiver_latency_ms } = found.connections[0];
  assert.deepEqual([completed, failed, success_rate, found.connections.length], [1, 1, 0.5, 1]);
  assert.ok(receiver_latency_ms.p50 >= 1);
  const all = ok(await tenant.api.get("/stats?days=1"));
  assertShape(all, { ...stats, workspaces: listOf({ ...tally, workspace: uuid }) });
  assert.deepEqual([all.total.completed, all.workspaces.length], [1, 1]);
  for (const query of ["days=0", "days=32", "days=x"]) {
    assertError(await tenant.api.get(`/stats?${query}`), 400, "days");
    assertError(await tenant.api.get(`${path}?${query}`), 400, "days");
  }
  assertError(await rival.api.get(path), 404);
});

test("a walk over 1,000 events while 1,000 more are emitted sees each of the first once", async () => {
  const tenant = await newTenant(world, "Walker");
  const first = new Set(await emitMany(tenant, "walk.first", 1_000));
  const seen = [];
  let pages = 0, more = [];
  const emitting = (async () => {
    while (more.length < 1_000) more = more.concat(await emitMany(tenant, "walk.more", 20));
  })();
  const path = `/workspaces/${tenant.workspace.id}/events?limit=20`;
  for (let cursor = ""; cursor !== null; pages += 1) {
    const page = ok(await tenant.api.get(`${path}${cursor && `&cursor=${cursor}`}`));
    seen.push(...page.records.map(({ id }) => id));
    cursor = page.next_cursor;
  }
  const duringWalk = more.length;
  await emitting;
  const ofFirst = seen.filter((id) => first.has(id));
  console.log(`walked ${seen.length} events in ${pages} pages; ${ofFirst.length} of the first 1,000, ${new Set(ofFirst).size} of them different; `
    + `${duringWalk} of ${more.length} were emitted meanwhile`);
  assert.deepEqual([ofFirst.length, new Set(ofFirst).size, new Set(seen).size], [1_000, 1_000, seen.length]);
  assert.ok(duringWalk >= 500, "the emits and the walk overlap");
});

test("workspaces: create, get, list, change", async () => {
  const { api } = acme;
  const created = made(await api.post("/workspaces", { name: "Acme Corp", description: "Berlin" }));
  assertShape(created, { workspace: { ...withKey, name: "Acme Corp", description: "Berlin" } });
  const { id, publishable_key } = created.workspace;
  assertShape(ok(await api.get(`/workspaces/${id}`)), { ...withKey, name: "Acme Corp", publishable_key });
  assertShape(ok(await api.put(`/workspaces/${id}`, { name: "Acme Inc" })), { ...workspace, name: "Acme Inc", description: "Berlin" });
  const cleared = await api.put(`/workspaces/${id}`, { name: "Acme Inc", description: null });
  assertShape(ok(cleared), { ...workspace, name: "Acme Inc", description: null });
  assertShape(ok(await api.get("/workspaces")), list(workspace));
  assertError(await api.post("/workspaces", { name: "Acme Inc" }), 409, "name");
  assertError(await api.put(`/workspaces/${id}`, { name: acme.workspace.name }), 409, "name");
  for (const [body, ...params] of [
    [{ name: "ab" }, "name"], [{ name: "n".repeat(51) }, "name"], [{ name: "no/slash" }, "name"], [{}, "name"],
    [{ name: "good name", description: "d".repeat(1_025) }, "description"], [{ name: 7, description: 7 }, "name", "description"],
  ]) {
    assertError(await api.post("/workspaces", body), 400, ...params);
    assertError(await api.put(`/workspaces/${id}`, body), 400, ...params);
  }
  assert.equal(ok(await api.get(`/workspaces/${id}`)).name, "Acme Inc");
});

test("lists: limit and cursor", async () => {
  for (const name of ["List a", "List b", "List c"]) await newWorkspace(world, rival.api, name);
  const first = ok(await rival.api.get("/workspaces?limit=2"));
  assert.deepEqual([first.count, first.limit, first.records.length], [2, 2, 2]);
  const second = ok(await rival.api.get(`/workspaces?limit=2&cursor=${first.next_cursor}`));
  assert.deepEqual([second.count, second.next_cursor], [2, null]);
  const names = [...first.records, ...second.records].map(({ name }) => name);
  assert.deepEqual(names, ["List a", "List b", "List c", "Rival one"]);
  for (const path of ["/workspaces", "/connections", "/rules", "/events", `/workspaces/${rival.workspace.id}/events`]) {
    // Clients of the contract ask for these without a limit and follow no cursor.
    const unasked = path.endsWith("/events") ? 50 : 200;
    assert.equal(ok(await rival.api.get(path)).limit, unasked);
    for (const limit of ["0", "201", "x", "1.5", ""]) assertError(await rival.api.get(`${path}?limit=${limit}`), 400, "limit");
    assertError(await rival.api.get(`${path}?cursor=bm9uc2Vuc2U`), 400, "cursor");
  }
  assertError(await rival.api.get(`/rules?cursor=${first.next_cursor}`), 400, "cursor");
});

test("connections: create, get, list, change, delete", async () => {
  const { api } = acme;
  const body = newConnection();
  const created = made(await api.post("/connections", body));
  assertShape(created, { connection: { ...connection, name: body.name, hidden: false } });
  const { id } = created.connection;
  for (const name of [body.name, ` ${body.name.toLowerCase()} `]) {
    const taken = await api.post("/connections", { ...newConnection(), name });
    assertError(taken, 409, "name");
    assert.equal(taken.body.error.code, "name_taken");
  }
  assertShape(ok(await api.get(`/connections/${id}`)), created.connection);
  assertShape(ok(await api.get("/connections")), list(anyConnection));
  assertShape(ok(await api.get(`/workspaces/${acme.workspace.id}/connections`)), list(anyConnection));
  const change = { name: "ERP", metadata: { http_method: "PUT", timeout_seconds: 3 }, hidden: true };
  const changed = ok(await api.put(`/connections/${id}`, change));
  assertShape(changed, { ...connection, name: "ERP", hidden: true, metadata: { ...metadata, http_method: "PUT", timeout_seconds: 3 } });
  assert.equal(changed.metadata.url, "https://example.com/hook");
  const made2 = made(await api.post("/rules", { workspace: acme.workspace.id, connection: id, event: "x", metadata: SEND })).rule;
  assertError(await api.delete(`/connections/${id}`, {}), 409);
  assertShape(ok(await api.delete(`/connections/${id}`, { force_delete: true })), { id, type: "webhook" });
  assertError(await api.get(`/connections/${id}`), 404);
  assertError(await api.get(`/rules/${made2.id}`), 404);
});

test("connections: every bad field is named, and nothing is saved", async () => {
  const { api } = acme;
  const before = ok(await api.get("/connections")).count;
  const kept = made(await api.post("/connections", newConnection({ auth_scheme: "bearer", auth_token: "t0ken" }))).connection;
  for (const [more, ...params] of [
    [{ url: 7 }, "url"], [{ http_method: "GET" }, "http_method"], [{ payload_mode: "xml" }, "payload_mode"],
    [{ auth_scheme: "digest" }, "auth_scheme"], [{ auth_scheme: "basic" }, "auth_username", "auth_password"],
    [{ auth_scheme: "header", auth_header_value: "x" }, "auth_header_name"],
    [{ auth_scheme: "header", auth_header_name: "Cookie", auth_header_value: "x" }, "auth_header_name"],
    [{ custom_headers: [{ name: "Webhook-Id", value: "x" }] }, "custom_headers[0].name"],
    [{ custom_headers: [{ name: "X-A", value: "x" }, { name: "x-a", value: "y" }] }, "custom_headers[1].name"],
    [{ custom_headers: [{ name: "X-A", value: "line\nbreak" }] }, "custom_headers[0].value"],
    [{ custom_headers: Array.from({ length: 6 }, (_, n) => ({ name: `X-${n}`, value: "x" })) }, "custom_headers"],
    [{ signing_algorithm: "md5" }, "signing_algorithm"], [{ signing_scheme: "jwt" }, "signing_scheme"],
    [{ signing_secret: "short" }, "signing_secret"], [{ signing_secret: "whsec_no base64!" }, "signing_secret"],
    [{ signing_secret: `whsec_${Buffer.alloc(23).toString("base64")}` }, "signing_secret"],
    [{ signing_secret: " with spaces around " }, "signing_secret"],
    [{ timeout_seconds: 0 }, "timeout_seconds"], [{ timeout_seconds: 26 }, "timeout_seconds"],
    [{ timeout_seconds: "5" }, "timeout_seconds"], [{ retry_schedule_seconds: [0] }, "retry_schedule_seconds"],
    [{ retry_schedule_seconds: [] }, "retry_schedule_seconds"], [{ retry_schedule_seconds: Array(21).fill(5) }, "retry_schedule_seconds"],
    [{ unknown_setting: 1 }, "unknown_setting"],
  ]) {
    const below = params.map((param) => `metadata.${param}`);
    assertError(await api.post("/connections", newConnection(more)), 400, ...below);
    if (!("auth_header_value" in more)) {
      assertError(await api.put(`/connections/${kept.id}`, { name: "CRM", metadata: more }), 400, ...below);
    }
  }
  assertError(await api.post("/connections", {}), 400, "type", "workspace", "name", "metadata");
  assertError(await api.post("/connections", { ...newConnection(), type: "fax" }), 400, "type");
  assertError(await api.post("/connections", { ...newConnection(), name: "n".repeat(129) }), 400, "name");
  assertError(await api.post("/connections", { ...newConnection(), metadata: [] }), 400, "metadata");
  assertError(await api.post("/connections", { ...newConnection(), metadata: {} }), 400, "metadata.url");
  for (const url of [
    "ftp://example.com/", "nonsense", "https://user:pass@example.com/", "https://example.com:22/", "http://169.254.169.254/",
    `https://example.com/${"p".repeat(2_048)}`, `${world.baseUrl}/api/v1/events`,
  ]) {
    assertError(await api.post("/connections", newConnection({}, url)), 422, "metadata.url");
  }
  assert.deepEqual(ok(await api.get(`/connections/${kept.id}`)), kept);
  assert.equal(ok(await api.get("/connections")).count, before + 1);
});

test("rules: create, get, list by filter, delete", async () => {
  const { api } = acme;
  const to = made(await api.post("/connections", newConnection())).connection.id;
  const body = { workspace: acme.workspace.id, connection: to, event: "rule.tested", metadata: SEND };
  const plain = made(await api.post("/rules", body));
  assertShape(plain, { rule: { ...rule, active: true, hidden: false, connection: to, event: "rule.tested" } });
  for (const same of [{}, { resource: "global" }, { active: false }]) {
    const double = await api.post("/rules", { ...body, ...same });
    assertError(double, 409, "event");
    assert.equal(double.body.error.code, "duplicate");
  }
  const about = { resource: "order", resource_id: "ord_1" };
  const narrow = made(await api.post("/rules", { ...body, ...about, active: false, hidden: true })).rule;
  assertShape(narrow, { ...rule, ...about, active: false, hidden: true });
  assertShape(ok(await api.get(`/rules/${narrow.id}`)), narrow);
  for (const path of ["/rules", `/workspaces/${acme.workspace.id}/rules`]) {
    const found = async (query) => ok(await api.get(`${path}?${query}`)).records.map(({ id }) => id);
    assertShape(ok(await api.get(path)), list(rule));
    assert.deepEqual(await found("event=rule.tested"), [plain.rule.id, narrow.id]);
    assert.deepEqual(await found("event=rule.tested&resource=order&resource_id=ord_1"), [narrow.id]);
    assert.deepEqual(await found("event=nothing"), []);
  }
  const gone = ok(await api.delete(`/rules/${narrow.id}`));
  assertShape(gone, { id: narrow.id, connection: to, type: "webhook", event: "rule.tested", ...about });
  assertError(await api.get(`/rules/${narrow.id}`), 404);
  assertError(await api.delete(`/rules/${narrow.id}`), 404);
  for (const [more, ...params] of [
    [{ event: " x " }, "event"], [{ event: undefined }, "event"], [{ resource: "a*" }, "resource"],
    [{ resource_id: "a b" }, "resource_id"], [{ workspace: "w" }, "workspace"], [{ connection: 1 }, "connection"],
    [{ metadata: undefined }, "metadata"], [{ metadata: { action: "send_email" } }, "metadata.action"], [{ active: "yes" }, "active"],
  ]) {
    assertError(await api.post("/rules", { ...body, ...more }), 400, ...params);
  }
  assertError(await api.post("/rules", { ...body, connection: NOBODYS }), 404);
  assert.equal(ok(await api.get("/rules?event=rule.tested")).count, 1);
});

test("events, attempts and response details", async () => {
  world.receiver.on("/details", answer(503, { body: "not now", headers: { "x-request-id": "busy" } }), answer(200, { body: "thanks" }));
  const to = await connect(acme, { url: world.receiver.url("/details"), metadata: { retry_schedule_seconds: [1] } });
  const { id } = await emit(acme, to.event, '{"b":1.0,"a":2}');
  const found = await settled(acme, id, ["completed"]);
  const shown = { ...acceptedEvent(to.event), ...shapes.progress, status: "completed", rule_events: listOf({ ...shapes.ruleEvent, attempt_count: 2 }) };
  assertShape(found, { ...shown, payload: { b: 1, a: 2 } });
  const [newest] = ok(await acme.api.get(`/workspaces/${acme.workspace.id}/events?limit=1`)).records;
  assertShape(newest, { ...shown, id });
  const path = `/events/${id}/rules/${to.rule.id}/attempts`;
  const attempts = ok(await acme.api.get(path));
  assertShape(attempts, list(shapes.attempt));
  assert.deepEqual(attempts.records.map(({ number, outcome }) => [number, outcome]), [[1, "rejected_server_error"], [2, "delivered"]]);
  assertShape(ok(await acme.api.get(`${path}/2`)), attempts.records[1]);
  const details = ok(await acme.api.get(`${path}/1/response-details`));
  assertShape(details, { ...shapes.responseDetails, number: 1, status_code: 503, body: "not now", truncated: false });
  assert.ok(details.headers.some(({ name, value }) => name === "x-request-id" && value === "busy"));
  for (const absent of [`${path}/0`, `${path}/3`, `${path}/x`, `${path}/3/response-details`, `/events/${id}/rules/${NOBODYS}/attempts`,
    `/events/${NOBODYS}`, `/events/${NOBODYS}/payload`, "/events/nonsense", "/rules/nonsense", "/connections/nonsense", "/workspaces/nonsense"]) {
    assertError(await acme.api.get(absent), 404);
  }
});

test("tenants are walls: what is another's is not there", async () => {
  const to = await connect(acme, { url: world.receiver.url("/walls") });
  const { id } = await emit(acme, to.event);
  await settled(acme, id, ["completed"]);
  const { connection: theirs } = await connect(rival, { url: world.receiver.url("/walls") });
  const second = await newWorkspace(world, rival.api, "Rival two");
  const [w, c, r] = [acme.workspace.id, to.connection.id, to.rule.id];
  const body = { workspace: rival.workspace.id, connection: c, event: "x", metadata: SEND };
  for (const [method, path, sent] of [
    ["get", `/workspaces/${w}`], ["put", `/workspaces/${w}`, { name: "Mine now" }], ["get", `/workspaces/${w}/connections`],
    ["get", `/workspaces/${w}/rules`], ["get", `/workspaces/${w}/events`], ["get", `/connections/${c}`],
    ["put", `/connections/${c}`, { name: "Mine", metadata: { url: "https://evil.example/" } }],
    ["delete", `/connections/${c}`, { force_delete: true }], ["get", `/rules/${r}`], ["delete", `/rules/${r}`],
    ["get", `/events/${id}`], ["get", `/events/${id}/payload`], ["get", `/events/${id}/rules/${r}/attempts`],
    ["get", `/events/${id}/rules/${r}/attempts/1`], ["get", `/events/${id}/rules/${r}/attempts/1/response-details`],
    ["post", "/connections", { ...newConnection(), workspace: w }], ["post", "/rules", body],
    ["post", "/rules", { ...body, workspace: w, connection: theirs.id }],
    // Two workspaces of one organization are walls as well.
    ["post", "/rules", { ...body, workspace: second.workspace.id, connection: theirs.id }],
  ]) {
    const refused = await rival.api[method](path, sent);
    assertError(refused, 404);
    assert.ok(!refused.text.includes(acme.organization.id), refused.text);
  }
  for (const path of ["/workspaces", "/connections", "/rules", "/events"]) {
    const { text } = await rival.api.get(`${path}?limit=200`);
    for (const foreign of [w, c, r, id]) assert.ok(!text.includes(foreign), `${path} shows ${foreign}`);
  }
  assert.equal(ok(await acme.api.get(`/connections/${c}`)).metadata.url, to.url);
  ok(await acme.api.get(`/rules/${r}`));
});

test("a publishable key may only emit", async () => {
  const api = apiClient(world.baseUrl, asPublisher(acme.publishableKey));
  for (const path of ["/workspaces", "/connections", "/rules", "/events", `/workspaces/${acme.workspace.id}`]) {
    assertError(await api.get(path), 401);
  }
  assertError(await api.post("/rules", {}), 401);
  assertError(await apiClient(world.baseUrl, asMachine({ ...acme.machine, secretKey: rival.machine.secretKey })).get("/rules"), 401);
});

test("no answer shows a secret", async () => {
  const { api } = acme;
  const [token, password, header, value, secret, second] = ["token", "password", "header", "value", "secret", "second"].map(secretWord);
  const texts = [token, password, header, value, secret, second];
  const kinds = [
    { auth_scheme: "bearer", auth_token: token, signing_secret: secret },
    { auth_scheme: "basic", auth_username: "ann", auth_password: password },
    { auth_scheme: "header", auth_header_name: "X-Key", auth_header_value: header },
    { custom_headers: [{ name: "X-Team", value }], signing_secret: second },
  ];
  const shown = [];
  for (const more of kinds) {
    const to = await connect(acme, { url: world.receiver.url("/secrets"), metadata: more });
    await settled(acme, (await emit(acme, to.event)).id, ["completed"]);
    shown.push(ok(await api.get(`/connections/${to.connection.id}`)).metadata);
    await api.get(`/events/${ok(await api.get("/events?limit=1")).records[0].id}/rules/${to.rule.id}/attempts`);
    ok(await api.put(`/connections/${to.connection.id}`, { name: `Again ${to.event}`, metadata: {} }));
    // Bad input is told without repeating what else was sent.
    assertError(await api.put(`/connections/${to.connection.id}`, { name: "", metadata: more }), 400, "name");
    assertError(await api.put(`/connections/${to.connection.id}`, { name: "x", metadata: { ...more, timeout_seconds: 0 } }), 400, "metadata.timeout_seconds");
  }
  for (const path of ["/connections?limit=200", "/rules?limit=200", "/events?limit=200", "/workspaces"]) await api.get(path);
  const [bearer, basic, byHeader, custom] = shown;
  assert.deepEqual([bearer.has_auth_token, bearer.secret_set_by], [true, "given"]);
  assert.deepEqual([basic.has_auth_username, basic.has_auth_password], [true, true]);
  assert.deepEqual([byHeader.has_auth_header_value, byHeader.auth_header_name], [true, "X-Key"]);
  assert.deepEqual(custom.custom_headers, [{ name: "X-Team", has_value: true }]);
  const generated = made(await acme.api.post("/connections", newConnection({ generate_secret: true }))).connection;
  assert.match(generated.metadata.signing_secret, /^whsec_/);
  assert.equal(ok(await api.get(`/connections/${generated.id}`)).metadata.signing_secret, undefined);
  const everything = [...answered, ...world.worker.lines].join("\n");
  for (const text of [...texts, acme.machine.secretKey, rival.machine.secretKey]) assert.ok(!everything.includes(text), text);
  assert.equal(everything.split(generated.metadata.signing_secret).length - 1, 1, "a generated secret is shown once");
  assert.ok(answered.length > 100);
});

test("changes: who changed which fields, and nothing for what changed nothing", async () => {
  const tenant = listening(await newTenant(world, "Changed"));
  const path = `/workspaces/${tenant.workspace.id}/changes`;
  const { connection } = await connect(tenant, { url: world.receiver.url("/changed") });
  const rename = { name: "Renamed", metadata: { timeout_seconds: 9 } };
  ok(await tenant.api.patch(`/connections/${connection.id}`, rename));
  ok(await tenant.api.patch(`/connections/${connection.id}`, rename));
  ok(await tenant.api.post(`/connections/${connection.id}/deactivate`, {}));
  const listed = ok(await tenant.api.get(path));
  const machineKey = { kind: "machine_key", id: tenant.machine.accessKey };
  assertShape(listed, list({
    id: uuid, at: time, actor: machineKey, record: { type: shapes.oneOf("workspace", "connection", "rule"), id: uuid, name: words },
    action: shapes.oneOf("created", "updated", "deactivated"), fields: listOf(words),
  }));
  assert.deepEqual(listed.records.map(({ record, action, fields }) => [record.type, action, ...fields]), [
    ["connection", "deactivated"], ["connection", "updated", "name", "timeout_seconds"], ["rule", "created"],
    ["connection", "created"], ["workspace", "created"],
  ]);
});
