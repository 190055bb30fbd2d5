// Every operation of the document on the real Worker: one success whose body is exactly what the
// document says, and one bad input whose field is named. The operations come from the document, and
// the document from the route table, so none can be missed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { apiClient, asNobody } from "../../tools/lib/api.mjs";
import { judge, operationsOf, readDocument } from "./lib/openapi.mjs";
import { assertError } from "./lib/shapes.mjs";
import { connect, emit, made, newTenant, newWorkspace, ok, openWorld, settled } from "./lib/world.mjs";

const NOBODYS = "00000000-0000-4000-8000-000000000000";
const NOBODYS_OWN = { n: 1, key: "no.such", access_key: "mk_AAAAAAAAAAAAAAAAAAAAAAAA" };
const HOOK = "https://example.com/hook";

let seconds = 0;
let world, tenant, document, findFault, delivered;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
  document = await readDocument(world.baseUrl);
  findFault = judge(document);
  const to = await connect(tenant, { url: world.receiver.url("/contract"), event: "contract.checked" });
  const { id } = await emit(tenant, to.event);
  await settled(tenant, id, ["completed"]);
  delivered = { id, rule_id: to.rule.id, n: 1, connection: to.connection.id };
  ok(await tenant.api.put("/event-types/contract.listed", { label: "Listed" }));
});
after(() => world?.close());

const api = () => tenant.api;
let numbers = 0;
const id = (one) => ({ id: one.id });
const ofWorkspace = () => id(tenant.workspace);
const newConnection = async () =>
  made(await api().post("/connections", { workspace: tenant.workspace.id, type: "webhook", name: `New ${++numbers}`, metadata: { url: HOOK } })).connection;
const ruleBody = (connection, event = `contract.routed.${++numbers}`) =>
  ({ workspace: tenant.workspace.id, connection, event, metadata: { action: "send_webhook" } });
const newRule = async () => made(await api().post("/rules", ruleBody(delivered.connection))).rule;
const ofSecond = async () => id((await newWorkspace(world, api(), `Second ${++seconds}`)).workspace);
const FILTER = { or: [{ path: "total", gt: 100, lt: 200.5 }, { not: { path: "currency", in: ["EUR", null] } }] };
const ofSession = async () => ({ id: ok(await api().post("/sessions", { workspace_id: tenant.workspace.id })).session_id });
const range = () => ({ since: new Date(Date.now() - 3_600_000).toISOString(), until: new Date(Date.now() + 60_000).toISOString() });
const ofReplay = async () =>
  id(made(await api().post(`/workspaces/${tenant.workspace.id}/replays`, { ...range(), status: "completed", event: "nothing.emitted" })).replay);

const ofOrganization = async () => id(made(await world.admin.post("/organizations", { name: "Another" })).organization);
const ofErasure = async () => {
  const about = { resource: "order", resource_id: "1" };
  const { erasure } = made(await api().post(`/workspaces/${tenant.workspace.id}/erasures`, about));
  return { id: tenant.workspace.id, erasure: erasure.id };
};

/** An event that is held, so that it can be canceled. */
async function held() {
  const to = await connect(tenant, { url: world.receiver.url("/held") });
  ok(await api().post(`/connections/${to.connection.id}/deactivate`));
  return { id: (await emit(tenant, to.event)).id, rule_id: to.rule.id };
}

/**
 * For each operation: `path` gives its parameters, `query` and `body` what it succeeds with, and `bad`
 * what is refused: [query or body, named field]. Where there is no `bad`, an id that nobody has is
 * 404; an operation that takes nothing at all has no bad input.
 * `never` is what an operation answers that is there for other integrations only.
 */
const cases = {
  get_health: { call: () => fetchHealth() },
  get_master_keys: { as: () => world.admin },
  reseal: { as: () => world.admin },
  create_organization: { as: () => world.admin, body: () => ({ name: "Another" }), bad: [{ name: " " }, "name"] },
  get_any_organization: { as: () => world.admin, path: ofOrganization },
  update_any_organization: {
    as: () => world.admin, path: ofOrganization, body: () => ({ suspended: true }), bad: [{ suspended: "yes" }, "suspended"],
  },
  delete_organization: { as: () => world.admin, path: ofOrganization },
  get_organization: {},
  update_organization: { body: () => ({ name: "Acme" }), bad: [{ allowed_origins: ["x"] }, "allowed_origins"] },
  list_machine_keys: {},
  create_machine_key: { body: () => ({ name: "Second" }), bad: [{ name: " " }, "name"] },
  revoke_machine_key: { path: async () => ({ access_key: made(await api().post("/machine-keys")).machine_key.access_key }) },
  list_workspaces: { query: () => "environment=staging" },
  create_workspace: { body: () => ({ name: "Contract new", external_id: "c-1", environment: "staging" }), bad: [{ name: "ab" }, "name"] },
  get_workspace: { path: ofWorkspace },
  replace_workspace: { path: ofWorkspace, body: () => ({ name: "Acme one" }), bad: [{}, "name"] },
  update_workspace: { path: ofWorkspace, body: () => ({ description: "Berlin" }), bad: [{ environment: 7 }, "environment"] },
  delete_workspace: { path: ofSecond, body: () => ({}), bad: [{ force_delete: 1 }, "force_delete"] },
  update_publishable_key: {
    path: ofSecond, body: () => ({ events: ["order.*"], origins: ["https://shop.example.com"] }), bad: [{ events: [] }, "events"],
  },
  rotate_publishable_key: { path: ofSecond, body: () => ({ grace_seconds: 60 }), bad: [{ grace_seconds: -1 }, "grace_seconds"] },
  get_workspace_stats: { path: ofWorkspace, query: () => "days=3", bad: ["days=32", "days"] },
  get_stats: { bad: ["days=0", "days"] },
  list_usage: { query: () => "month=2026-10", bad: ["month=2026-13", "month"] },
  list_workspace_connections: { path: ofWorkspace },
  list_workspace_rules: { path: ofWorkspace },
  list_workspace_events: { path: ofWorkspace, query: () => "status=completed", bad: ["status=lost", "status"] },
  export_history: { path: ofWorkspace },
  import_history: { as: () => world.admin, path: ofWorkspace, body: () => ({ events: [] }), bad: [{ events: [{}] }, "events"] },
  list_workspace_event_types: { path: ofWorkspace },
  list_workspace_resources: { path: ofWorkspace },
  list_event_types: {},
  get_event_type: { path: () => ({ key: "contract.listed" }) },
  put_event_type: { path: () => ({ key: "contract.put" }), body: () => ({ label: "Put", example: '{"a":1.0}' }), bad: [{ example: "[]" }, "example"] },
  update_event_type: { path: () => ({ key: "contract.put" }), body: () => ({ label: "Put again" }), bad: [{ example: "[]" }, "example"] },
  delete_event_type: {
    path: async () => (ok(await api().put("/event-types/contract.gone", {})), { key: "contract.gone" }),
  },
  list_connections: { query: () => "health=failing", bad: ["health=fine", "health"] },
  create_connection: {
    body: () => ({ workspace: tenant.workspace.id, type: "webhook", name: "CRM", metadata: { url: HOOK, generate_secret: true } }),
    bad: [{ type: "webhook", name: "CRM", metadata: { url: HOOK } }, "workspace"],
  },
  get_connection: { path: () => ({ id: delivered.connection }) },
  replace_connection: {
    path: async () => id(await newConnection()),
    body: () => ({ name: "ERP", metadata: { auth_scheme: "bearer", auth_token: "t0ken", custom_headers: [{ name: "X-A", value: "b" }] } }),
    bad: [{ name: "ERP", metadata: { timeout_seconds: 26 } }, "metadata.timeout_seconds"],
  },
  update_connection: {
    path: async () => id(await newConnection()), body: () => ({ metadata: { signing_scheme: "body", ordering: "strict" } }),
    bad: [{ hidden: "yes" }, "hidden"],
  },
  delete_connection: { path: async () => id(await newConnection()), body: () => ({ force_delete: true }), bad: [{ force_delete: 1 }, "force_delete"] },
  activate_connection: { path: async () => id(await newConnection()), body: () => ({ held: "cancel" }), bad: [{ held: "x" }, "held"] },
  deactivate_connection: {
    path: async () => id(await newConnection()), body: () => ({ reason: "secrets_missing" }), bad: [{ reason: "gone" }, "reason"],
  },
  test_connection: { path: () => ({ id: delivered.connection }), body: () => ({ event: "contract.tried" }), bad: [{ event: " " }, "event"] },
  // Nothing waits to be sent.
  probe_connection: { path: async () => id(await newConnection()), never: 409 },
  rotate_connection_secret: {
    path: async () => id(await newConnection()), body: () => ({ overlap_seconds: 60 }), bad: [{ secret: "short" }, "secret"],
  },
  list_connection_deliveries: { path: () => ({ id: delivered.connection }), query: () => "status=completed", bad: ["status=sent", "status"] },
  list_connection_actions: { path: () => ({ id: delivered.connection }) },
  list_connection_fields: { path: () => ({ id: delivered.connection }) },
  get_default_mapping: { path: () => ({ id: delivered.connection }), never: 404 },
  put_default_mapping: { path: () => ({ id: delivered.connection }), body: () => ({ schema: {} }), never: 422 },
  list_integrations: {},
  list_rules: { query: () => "event=contract.checked" },
  create_rule: {
    body: () => ({ ...ruleBody(delivered.connection, "contract.*"), resource: "order", resource_id: "1", filter: FILTER }),
    bad: [() => ({ ...ruleBody(delivered.connection), filter: { and: [{ path: "a", gt: null }] } }), "filter.and[0].gt"],
  },
  test_filter: { body: () => ({ filter: FILTER, payload: { total: 1 } }), bad: [{ filter: { path: "a" }, payload: {} }, "filter"] },
  get_rule: { path: () => ({ id: delivered.rule_id }) },
  update_rule: { path: async () => id(await newRule()), body: () => ({ resource: "order", active: false }), bad: [{ event: "a*b" }, "event"] },
  preview_rule: { path: () => ({ id: delivered.rule_id }), body: () => ({ payload: { a: 1 } }), bad: [{ payload: 7 }, "payload"] },
  delete_rule: { path: async () => id(await newRule()) },
  emit_event: { as: () => tenant.publisher, body: () => ({ event: "contract.emitted", payload: { a: 1 } }), bad: [{ event: "x" }, "payload"] },
  emit_events: { as: () => tenant.publisher, body: () => [{ event: "contract.emitted", payload: {} }], bad: [[], "body"] },
  list_events: {},
  get_event: { path: () => ({ id: delivered.id }) },
  get_event_payload: { path: () => ({ id: delivered.id }) },
  erase_event_payload: { path: async () => ({ id: (await held()).id }) },
  create_erasure: {
    path: ofWorkspace, body: () => ({ resource: "order", resource_id: "1" }), bad: [{ external_user_id: " " }, "external_user_id"],
  },
  get_erasure: { path: ofErasure },
  retry_event_rule: { path: () => delivered },
  cancel_event_rule: { path: held },
  cancel_event: { path: held },
  create_cancellation: {
    path: ofWorkspace, body: () => ({ ...range(), dry_run: true }), bad: [() => ({ ...range(), until: "tomorrow" }), "until"],
  },
  get_message: { path: async () => ({ message_id: ok(await api().get(`/events/${delivered.id}`)).rule_events[0].message_id }) },
  list_attempts: { path: () => delivered },
  get_attempt: { path: () => delivered },
  get_response_details: { path: () => delivered },
  create_replay: {
    path: ofWorkspace, body: () => ({ ...range(), dry_run: true }), bad: [() => ({ ...range(), since: "yesterday" }), "since"],
  },
  list_changes: { path: ofWorkspace },
  list_replays: { path: ofWorkspace },
  get_replay: { path: ofReplay },
  cancel_replay: { path: ofReplay },
  create_session: { body: () => ({ workspace_id: tenant.workspace.id, role: "admin" }), bad: [{ role: "admin" }, "workspace_id"] },
  list_sessions: { query: () => `workspace_id=${tenant.workspace.id}`, bad: ["workspace_id=acme", "workspace_id"] },
  refresh_session: { path: ofSession },
  revoke_session: { path: ofSession },
};

async function fetchHealth() {
  const answer = await fetch(`${world.baseUrl}/health`);
  return { status: answer.status, headers: answer.headers, body: await answer.json() };
}

const filled = (path, params) => path.replace("/api/v1", "").replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(params[name]));

test("every operation: a success with its exact body, and a bad input with its named field", async (t) => {
  const operations = operationsOf(document);
  assert.deepEqual(Object.keys(cases).sort(), operations.map((one) => one.id).sort(), "a case for each operation");
  for (const one of operations) await t.test(one.id, () => check(one, cases[one.id]));
});

async function check(one, { as = api, call, path = () => ({}), query, body, bad, never }) {
  const params = await path();
  const send = (given, asked, content) => as()[one.method](filled(one.path, given) + (asked ? `?${asked}` : ""), content);
  const answer = call ? await call() : await send(params, query?.(), body?.());
  if (never) assert.equal(answer.status, never, answer.text);
  else assert.ok(answer.status >= 200 && answer.status < 300, `${answer.status} ${answer.text}`);
  assert.equal(findFault(one, answer.status, answer.headers.get("content-type"), answer.body), null, answer.text);
  const takesLimit = one.operation.parameters?.some(({ name }) => name === "limit");
  const [input, field] = bad ?? (takesLimit ? [[query?.(), "limit=0"].filter(Boolean).join("&"), "limit"] : []);
  if (input !== undefined) {
    const wrong = typeof input === "function" ? input() : input;
    const refused = typeof wrong === "string" ? await send(params, wrong) : await send(params, query?.(), wrong);
    assertError(refused, 400, field);
    assert.equal(findFault(one, 400, refused.headers.get("content-type"), refused.body), null, refused.text);
  }
  if (one.path.includes("{")) {
    const nobodys = Object.fromEntries(Object.keys(params).map((name) => [name, NOBODYS_OWN[name] ?? NOBODYS]));
    const missing = one.id === "put_event_type" ? undefined : await send(nobodys, query?.(), body?.());
    if (missing) assertError(missing, 404);
  }
}

test("bulk with a bad item has its own documented shape", async () => {
  const items = [{ event: "contract.emitted", payload: {} }, { event: " " }];
  const answer = await tenant.publisher.post("/events/bulk", items);
  const one = operationsOf(document).find(({ id }) => id === "emit_events");
  assert.equal(answer.status, 207);
  assert.equal(findFault(one, 207, answer.headers.get("content-type"), answer.body), null, answer.text);
});

test("the judge finds what is not documented", () => {
  const one = operationsOf(document).find(({ id }) => id === "delete_event_type");
  const json = "application/json";
  assert.equal(findFault(one, 200, json, { key: "a" }), null);
  assert.match(findFault(one, 200, json, { key: "a", more: 1 }), /additional/);
  assert.match(findFault(one, 200, json, {}), /key/);
  assert.match(findFault(one, 204, json, {}), /not documented/);
  assert.match(findFault(one, 200, "text/html", { key: "a" }), /content type/);
});

test("without credentials every operation that needs some is 401", async () => {
  const nobody = apiClient(world.baseUrl, asNobody);
  for (const one of operationsOf(document).filter(({ operation }) => operation.security.length)) {
    const params = { id: NOBODYS, rule_id: NOBODYS, erasure: NOBODYS, n: 1, key: "x", access_key: "mk_x" };
    assertError(await nobody[one.method](filled(one.path, params)), 401);
  }
});
