// A workspace as it looks after a while: connections that work, fail, rest and were refused, and events
// in every state.
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { apiClient, asAdmin, asMachine, asPublisher, expected } from "../lib/api.mjs";
import { ensureCatalogue } from "../lib/catalogue.mjs";
import { HOST } from "../lib/ports.mjs";

const SETTLED_MS = 30_000;
const LONG_NAME = "Warehouse notifications for the northern distribution centre (legacy system, do not rename)";
const LONG_OTHER = "Accounts receivable of the northern distribution centre (nightly import, ask finance before changing)";
const LONG_PATH = "/integrations/partners/northern-distribution/v2/webhooks/incoming/orders-and-refunds"
  + "?tenant=acme-ceramics-northern&environment=production&token_hint=3f9c2b7a1d5e4f60&format=application%2Fjson";

/** Receivers by path: what they answer. */
const ANSWERS = {
  "/erp/webhooks": [200, '{"received":true}'],
  "/audit": [204, ""],
  "/gone": [410, "This endpoint is gone."],
  [LONG_PATH]: [503, "<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.</body></html>"],
  "/import": [409, "Closed for the month", { "webhook-delivery": "abort-message" }],
  "/refunds": [422, '{"error":"unknown account","account_id":"acc_acme"}'],
};

/** Starts the customer's servers. Answers {url(path), close()}. */
export async function openReceivers() {
  const server = createServer((request, response) => {
    const [status, body, more = {}] = ANSWERS[request.url] ?? [404, "Not here"];
    const type = body.startsWith("<") ? "text/html" : body.startsWith("{") ? "application/json" : "text/plain";
    request.resume().on("end", () => setTimeout(() =>
      response.writeHead(status, { "content-type": type, server: "nginx/1.27.4", "x-request-id": "8f3a61c2", ...more }).end(body), 40));
  });
  await new Promise((ready, failed) => server.on("error", failed).listen(0, HOST, ready));
  const close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { url: (path) => `http://${HOST}:${server.address().port}${path}`, close };
}

/** A tenant with an empty workspace: {machine, api, workspace, publishableKey, publisher}. */
export async function newTenant({ baseUrl, adminToken, organization, name }) {
  const answer = await apiClient(baseUrl, asAdmin(adminToken)).post("/organizations", { name: organization });
  const { organization: { id }, machine_key } = expected("the organization", 201, answer);
  const machine = { organizationId: id, accessKey: machine_key.access_key, secretKey: machine_key.secret_key };
  const api = apiClient(baseUrl, asMachine(machine));
  const { workspace } = expected("the workspace", 201, await api.post("/workspaces", { name }));
  const found = expected("the workspace", 200, await api.get(`/workspaces/${workspace.id}`));
  const publishableKey = found.publishable_key.public_key;
  await ensureCatalogue(api);
  return { machine, api, workspace, publishableKey, publisher: apiClient(baseUrl, asPublisher(publishableKey)) };
}

/**
 * Fills the tenant's workspace. Answers what pages are about: {connections, events, rule}, by name.
 */
export async function fill(tenant, receivers) {
  const connect = async (name, path, events, metadata = {}) => {
    const url = receivers.url(path);
    const connection = await made(tenant, "/connections", {
      workspace: tenant.workspace.id, type: "webhook", name, metadata: { url, generate_secret: true, ...metadata },
    });
    const rules = [];
    for (const event of events) rules.push(await addRule(tenant, connection, event));
    return { ...connection, rules };
  };
  const act = async (connection, action) =>
    expected(action, 200, await tenant.api.post(`/connections/${connection.id}/${action}`, {}));
  const connections = {
    erp: await connect("Orders to ERP", "/erp/webhooks", ["order.completed", "order.refunded"], {
      auth_scheme: "bearer", auth_token: "not-shown", custom_headers: [{ name: "X-Channel", value: "not-shown" }],
    }),
    audit: await connect("Audit log", "/audit", ["order.completed", "customer.created", "invoice.paid"], {
      signing_scheme: "body", signature_prefix: "sha256=", signing_algorithm: "hmac-sha512",
    }),
    failing: await connect(LONG_NAME, LONG_PATH, ["order.completed"]),
    paused: await connect("Newsletter sign-ups", "/newsletter", ["customer.created"]),
    gone: await connect("Old shop system", "/gone", ["invoice.paid"]),
    finance: await connect(LONG_OTHER, "/import", ["invoice.overdue"]),
    refunds: await connect("Refund desk", "/refunds", ["order.refunded"], { retry_schedule_seconds: [1] }),
  };
  const limited = await addRule(tenant, connections.refunds, "order.completed", { resource: "order", resource_id: "ord_20399" });
  await act(connections.paused, "deactivate");
  return { connections, events: await emitEvents(tenant, connections), rule: limited };
}

const made = async (tenant, path, body) => expected(path, 201, await tenant.api.post(path, body))[path.slice(1, -1)];

/** The ids of a connection to Slack and one to HubSpot, which are not asked. */
export async function providers(tenant) {
  const connect = async (type, metadata) => {
    const body = { workspace: tenant.workspace.id, type, name: `Sales in ${type}`, skip_test: true, metadata };
    return (await made(tenant, "/connections", body)).id;
  };
  return {
    chat: await connect("slack", { bot_token: "xoxb-1-2-abcdef" }),
    people: await connect("hubspot", { access_token: "pat-eu1-0000" }),
  };
}

const addRule = (tenant, connection, event, limits = {}) => made(tenant, "/rules", {
  workspace: tenant.workspace.id, connection: connection.id, event, metadata: { action: "send_webhook" }, ...limits,
});

/** Replays the events of a name that were delivered in the last hour; the replay's id. */
export async function replayDelivered({ api, workspace }, event) {
  const at = (ms) => new Date(Date.now() + ms).toISOString();
  const range = { status: "completed", event, since: at(-3_600_000), until: at(0) };
  return expected("a replay", 201, await api.post(`/workspaces/${workspace.id}/replays`, range)).replay.id;
}

/** A connection that was sent so much that sending it again takes a while. */
export async function fillWithMany(tenant, receivers) {
  const metadata = { url: receivers.url("/audit"), generate_secret: true };
  const body = { workspace: tenant.workspace.id, type: "webhook", name: "Audit log", metadata };
  await addRule(tenant, await made(tenant, "/connections", body), "order.completed");
  const one = { event: "order.completed", payload: { order_id: "ord_20399" } };
  let last;
  for (let batch = 0; batch < 3; batch += 1) {
    const { records } = expected("a batch", 201, await tenant.publisher.post("/events/bulk", Array(100).fill(one)));
    last = records.at(-1).id;
  }
  await settles(tenant, last, "completed");
}

async function emitEvents(tenant, connections) {
  const emit = async (event, resource, number, payload) => {
    const body = { event, resource, resource_id: `${resource.slice(0, 3)}_${number}`, payload };
    return expected(event, 201, await tenant.publisher.post("/events", body)).event.id;
  };
  const order = (number, total_cents) => ({
    order_id: `ord_${number}`, customer_id: "cus_8842", account_id: "acc_acme", total_cents, currency: "eur", items: 3,
    completed_at: "2026-04-17T18:22:00Z",
  });
  const events = {
    failed: await emit("order.refunded", "order", 20399, { order_id: "ord_20399", amount_cents: 4300, reason: "damaged_in_transit" }),
    held: await emit("customer.created", "customer", 8842, { customer_id: "cus_8842", name: "Zoë Okonkwo", country: "NL" }),
    paid: await emit("invoice.paid", "invoice", "2026_0093", { invoice_id: "inv_2026_0093", total_cents: 48650 }),
    overdue: await emit("invoice.overdue", "invoice", "2026_0071", { invoice_id: "inv_2026_0071", days: 30 }),
    unrouted: await emit("stock.low", "product", 117, { product_id: "pro_117", left: 2 }),
  };
  for (const [index, total] of [12900, 4300, 8650, 2400].entries()) events.retrying = await emit("order.completed", "order", 20417 + index, order(20417 + index, total));
  const path = `/connections/${connections.erp.id}/test`;
  events.test = expected("a test event", 201, await tenant.api.post(path, { event: "order.completed" })).event.id;
  for (const [id, status] of [[events.failed, "failed"], [events.overdue, "failed"], [events.test, "completed"], [events.retrying, "retrying"]]) {
    await settles(tenant, id, status);
  }
  return events;
}

/** Waits until one of the event's deliveries has the status and none is on its way. */
async function settles(tenant, id, status) {
  for (const until = Date.now() + SETTLED_MS; ; await sleep(200)) {
    const { rule_events } = expected("the event", 200, await tenant.api.get(`/events/${id}`));
    const states = rule_events.map((delivery) => delivery.status);
    if (states.includes(status) && !states.includes("processing")) return;
    if (Date.now() > until) throw new Error(`event ${id} is ${states}, not ${status}`);
  }
}
