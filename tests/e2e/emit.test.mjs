// Every row of what the official events client was seen to send, with its headers, and the refusals
// of emit: what was refused leaves nothing behind.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { asMachine, apiClient, mintToken } from "../../tools/lib/api.mjs";
import { acceptedEvent, assertError, assertShape, list, listOf, maybe, progress, ruleEvent, statuses, words } from "./lib/shapes.mjs";
import { connect, made, newTenant, newWorkspace, ok, openWorld, settled } from "./lib/world.mjs";

const ORDER = '{"order_id":"ord_lannister_77","customer_id":"cus_lannister","account_id":"acc_casterly",'
  + '"total_cents":12900,"currency":"usd","items":3,"completed_at":"2026-04-17T18:22:00Z"}';
const KEY = "X-Meshes-Publishable-Key";

let world, tenant, stranger;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
  stranger = await newTenant(world, "Stranger");
});
after(() => world?.close());

/** The headers that the events client sends. */
const clientHeaders = (key = tenant.publishableKey) => ({
  "X-Meshes-Client": "Meshes Events Client v1.0.0",
  "Content-Type": "application/json",
  Accept: "application/json",
  [KEY]: key,
  "accept-language": "*",
  "sec-fetch-mode": "cors",
  "user-agent": "node",
  "accept-encoding": "gzip, deflate",
});

/** Posts to a path of the server, not below /api/v1, as the events client does. */
async function post(path, body, headers = {}) {
  const all = { ...clientHeaders(), ...headers };
  for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
  const init = { method: "POST", redirect: "manual", headers: all, body };
  const response = await fetch(`${world.baseUrl}${path}`, init);
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: text ? JSON.parse(text) : undefined };
}

const single = (body, headers) => post("/api/v1/events", body, headers);
const bulk = (body, headers) => post("/api/v1/events/bulk", body, headers);

function assertAccepted(answer, shape) {
  assert.equal(answer.status, 201, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/json");
  assertShape(answer.body, { event: shape });
  assert.equal(answer.body.event.workspace, tenant.workspace.id);
  return answer.body.event;
}

/** How many events there are of all workspaces, to see that nothing was written. */
async function stored() {
  const pages = await Promise.all([tenant, stranger].map(({ api }) => api.get("/events?limit=200")));
  for (const page of pages) assert.equal(ok(page).next_cursor, null);
  return pages.map(({ body }) => body.count).join("+");
}

/** Every one of these requests is refused in the error shape and leaves nothing behind. */
async function refused(cases) {
  const before = await stored();
  for (const [name, status, params, send] of cases) {
    const answer = await send();
    try {
      assertError(answer, status, ...params);
      assert.equal(answer.headers.get("access-control-allow-origin"), "*");
    } catch (error) {
      error.message = `${name}: ${error.message}`;
      throw error;
    }
  }
  assert.equal(await stored(), before);
}

test("one event, exactly as captured, is accepted, stored and delivered", async () => {
  const { rule } = await connect(tenant, { url: world.receiver.url("/captured"), event: "order.completed" });
  const body = `{"event":"order.completed","resource":"order","resource_id":"ord_lannister_77","payload":${ORDER}}`;
  const about = { resource: "order", resource_id: "ord_lannister_77" };
  const event = assertAccepted(await single(body), acceptedEvent("order.completed", about));
  const [request] = await world.receiver.arrived("/captured");
  assert.ok(request.body.equals(Buffer.from(ORDER)), request.body.toString());
  const found = await settled(tenant, event.id);
  assertShape(found, { ...event, ...progress, status: "completed", rule_events: listOf({ ...ruleEvent, rule: rule.id }), payload: JSON.parse(ORDER) });
  assert.deepEqual([found.rule_events[0].resource, found.rule_events[0].resource_id], Object.values(about));
});

test("the other captured requests that are accepted", async () => {
  const minimal = '{"event":"x","payload":{"a":1}}';
  const x = acceptedEvent("x");
  assertAccepted(await single(minimal), x);
  const unknown = `{"type":"event","workspace":"${tenant.workspace.id}","idempotency_key":"k1","event":"x",`
    + '"payload":{"a":0,"b":false,"n":null,"e":""}}';
  assertAccepted(await single(unknown), x);
  const extra = { "Idempotency-Key": "key-1", "X-Trace": "t-1", "X-Request-Id": "req-1" };
  const traced = await single(minimal, extra);
  assertAccepted(traced, x);
  assert.equal(traced.headers.get("x-request-id"), "req-1");
  assertAccepted(await post("/api/v1/events?dry_run=true&n=1", minimal), x);
  assertAccepted(await post("/api/v1//events", minimal), x);
  const { id } = assertAccepted(await single('{"event":"x","payload":{"a":1}}'), x);
  assert.match((await tenant.api.get(`/events/${id}/payload`)).text, /,"payload":\{"a":1\}\}$/);
});

test("non-ASCII as raw UTF-8 is delivered in the same bytes", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/utf8") });
  const payload = '{"name":"Zo\u00eb \u2014 \u65e5\u672c \u{1f600}"}';
  assertAccepted(await single(Buffer.from(`{"event":"${to.event}","payload":${payload}}`)), acceptedEvent(to.event));
  const [request] = await world.receiver.arrived("/utf8");
  assert.ok(request.body.equals(Buffer.from(payload)));
});

test("captured requests that are refused name the field", () => refused([
  ["a name with spaces around", 400, ["event"], () => single('{"event":" x ","payload":{"a":1}}')],
  ["a name of 300", 400, ["event"], () => single(`{"event":"${"n".repeat(300)}","payload":{"a":1}}`)],
  ["a resource_id with spaces", 400, ["resource_id"], () => single('{"event":"x","resource_id":"a b","payload":{"a":1}}')],
  ["another workspace", 404, ["workspace"], () => single(`{"workspace":"${stranger.workspace.id}","event":"x","payload":{"a":1}}`)],
  ["bulk of 0", 400, ["body"], () => bulk("[]")],
  ["bulk of 101", 400, ["body"], () => bulk(JSON.stringify(Array(101).fill({ event: "x", payload: {} })))],
  ["bulk of an object", 400, ["body"], () => bulk('{"event":"x","payload":{}}')],
]));

test("only the origin as base URL: 404 in the error shape", async () => {
  assertError(await post("/events", '{"event":"x","payload":{"a":1}}'), 404);
  assertError(await post("/api/v2/events", '{"event":"x","payload":{"a":1}}'), 404);
});

test("bulk of 2 and of 100", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/bulk") });
  for (const size of [2, 100]) {
    const items = Array.from({ length: size }, (_, n) => `{"event":"${to.event}","payload":{"n":${n}.0}}`);
    const from = world.receiver.at("/bulk").length;
    const { body: answered, status, text } = await bulk(`[${items}]`);
    assert.equal(status, 201, text);
    assertShape(answered, { count: size, records: listOf(acceptedEvent(to.event)) });
    assert.equal(answered.records.length, size);
    assert.equal(new Set(answered.records.map(({ id }) => id)).size, size);
    const requests = (await world.receiver.arrived("/bulk", from + size)).slice(from);
    for (const [n, { id }] of answered.records.entries()) {
      const request = requests.find(({ headers }) => headers["posthorn-event-id"] === id);
      assert.equal(request.body.toString(), `{"n":${n}.0}`, "records keep the input order");
    }
  }
});

test("bulk with bad items: 207, each in its place, the good ones accepted", async () => {
  const good = '{"event":"mixed","payload":{"a":1}}';
  const items = [good, '{"event":" bad ","payload":{}}', good, "7", '{"event":"mixed"}',
    `{"workspace":"${stranger.workspace.id}","event":"mixed","payload":{}}`];
  const { status, body, text } = await bulk(`[${items}]`);
  assert.equal(status, 207, text);
  assertShape(body, { count: 2, error_count: 4, records: (records) => Array.isArray(records) });
  const refusal = (...params) => ({
    message: words,
    error: { name: words, message: words, data: (data) => data.map(({ param }) => param).join() === params.join() || params.join() },
  });
  const expected = [acceptedEvent("mixed"), refusal("event"), acceptedEvent("mixed"), refusal("body"), refusal("payload"), refusal("workspace")];
  assert.equal(body.records.length, expected.length);
  body.records.forEach((record, index) => assertShape(record, expected[index], `[${index}]`));
  const { records } = ok(await tenant.api.get(`/workspaces/${tenant.workspace.id}/events?limit=200`));
  assert.equal(records.filter(({ event }) => event === "mixed").length, 2);
});

test("a machine token emits to the workspaces of its organization, named in each event", async () => {
  const { workspace: second } = await newWorkspace(world, tenant.api, "Second");
  const answer = await tenant.api.post("/events", { workspace: second.id, event: "x", payload: { a: 1 } });
  const { event } = made(answer);
  assertShape(event, { ...acceptedEvent("x"), workspace: second.id });
  const items = [tenant.workspace.id, second.id].map((workspace) => ({ workspace, event: "x", payload: { a: 1 } }));
  const { records } = made(await tenant.api.post("/events/bulk", items));
  assert.deepEqual(records.map(({ workspace }) => workspace), [tenant.workspace.id, second.id]);
  await refused([
    ["no workspace", 400, ["workspace"], () => tenant.api.post("/events", { event: "x", payload: {} })],
    ["a foreign workspace", 404, ["workspace"], () => stranger.api.post("/events", { workspace: second.id, event: "x", payload: {} })],
    ["an unknown workspace", 404, ["workspace"],
      () => tenant.api.post("/events", { workspace: "00000000-0000-4000-8000-000000000000", event: "x", payload: {} })],
    ["a workspace that is no UUID", 400, ["workspace"], () => tenant.api.post("/events", { workspace: "acme", event: "x", payload: {} })],
  ]);
});

test("credentials that do not hold are 401, whatever the body is", () => {
  const now = Math.floor(Date.now() / 1000);
  const signed = (options, machine = tenant.machine) => ({ [KEY]: undefined, authorization: `Bearer ${mintToken(machine, options)}` });
  const [header, claims, signature] = mintToken(tenant.machine).split(".");
  const body = JSON.stringify({ workspace: tenant.workspace.id, event: "x", payload: {} });
  const headers = {
    none: { [KEY]: undefined },
    "an empty key": { [KEY]: "" },
    "no key at all": { [KEY]: "nonsense" },
    "an unknown key": { [KEY]: "mesh_pub_ws.1_key-1_secret123" },
    "a key with one letter changed": { [KEY]: tenant.publishableKey.replace(/.$/, (c) => (c === "0" ? "1" : "0")) },
    "an expired token": signed({ claims: { iat: now - 120, exp: now - 60 } }),
    "a token of an hour": signed({ claims: { exp: now + 3600 } }),
    "a token of tomorrow": signed({ claims: { iat: now + 86_400, exp: now + 86_430 } }),
    "another audience": signed({ claims: { aud: "other" } }),
    "another issuer": signed({ claims: { iss: "urn:meshes:m2m:mk_other" } }),
    "another organization": signed({ claims: { org: stranger.organization.id } }),
    "another key's secret": signed({}, { ...tenant.machine, secretKey: stranger.machine.secretKey }),
    "an unknown access key": signed({}, { ...tenant.machine, accessKey: "mk_AAAAAAAAAAAAAAAAAAAAAAAA" }),
    "alg none": { [KEY]: undefined, authorization: `Bearer ${signed({ header: { alg: "none" } }).authorization.slice(7).replace(/\.[^.]*$/, ".")}` },
    HS512: signed({ header: { alg: "HS512" } }),
    "no signature": { [KEY]: undefined, authorization: `Bearer ${header}.${claims}.` },
    "half a token": { [KEY]: undefined, authorization: `Bearer ${header}.${signature}` },
    "the admin token": { [KEY]: undefined, authorization: "Bearer admin-token-of-the-tests-32-characters" },
    "a publishable key as a token": { [KEY]: undefined, authorization: `Bearer ${tenant.publishableKey}` },
    Basic: { [KEY]: undefined, authorization: "Basic YTpi" },
  };
  return refused(Object.entries(headers).flatMap(([name, given]) => [
    [name, 401, [], () => single(body, given)],
    [`${name}, bulk`, 401, [], () => bulk(`[${body}]`, given)],
    [`${name}, bad body`, 401, [], () => single("{", given)],
  ]));
});

test("bad bodies", () => {
  const large = (bytes) => `{"event":"x","payload":{"a":"${"x".repeat(bytes - 8)}"}}`;
  return refused([
    ["no body", 400, [], () => single("")],
    ["cut short", 400, [], () => single('{"event":"x","payload":{"a":1}')],
    ["an array", 400, ["body"], () => single('[{"event":"x","payload":{}}]')],
    ["all fields wrong", 400, ["event", "resource", "resource_id", "payload", "type", "workspace"],
      () => single('{"type":"x","workspace":"w","event":7,"resource":"a*","resource_id":"","payload":[]}')],
    ["nothing in it", 400, ["event", "payload"], () => single("{}")],
    ["payload twice", 400, ["payload"], () => single('{"event":"x","payload":{},"payload":{}}')],
    ["65 levels", 400, ["payload"], () => single(`{"event":"x","payload":${'{"a":'.repeat(64)}{}${"}".repeat(64)}}`)],
    ["a payload of 512 KiB and a byte", 413, ["payload"], () => single(large(512 * 1024 + 1))],
    ["a body of 700 KB", 413, [], () => single(large(700_000))],
    ["a bulk body of 9 MB", 413, [], () => bulk(`[${Array(18).fill(large(500_000))}]`)],
    ["XML", 415, [], () => single("<a/>", { "Content-Type": "application/xml" })],
    ["a form", 415, [], () => bulk("a=1", { "Content-Type": "application/x-www-form-urlencoded" })],
  ]);
});

test("CORS: any origin may emit, and a preflight is answered without a key", async () => {
  for (const path of ["/api/v1/events", "/api/v1/events/bulk"]) {
    const response = await fetch(world.baseUrl + path, {
      method: "OPTIONS",
      headers: {
        origin: "https://shop.example", "access-control-request-method": "POST",
        "access-control-request-headers": "x-meshes-publishable-key,x-custom",
      },
    });
    assert.equal(response.status, 204);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.ok(response.headers.get("access-control-allow-methods").split(", ").includes("POST"));
    const allowed = response.headers.get("access-control-allow-headers").toLowerCase().split(/\s*,\s*/);
    for (const name of ["x-meshes-publishable-key", "x-meshes-client", "content-type", "idempotency-key", "x-request-id", "x-custom"]) {
      assert.ok(allowed.includes(name), name);
    }
  }
  const answer = await single('{"event":"x","payload":{"a":1}}', { origin: "https://shop.example" });
  assert.equal(answer.headers.get("access-control-allow-origin"), "*");
});

test("other methods are 405 with Allow", async () => {
  const api = apiClient(world.baseUrl, asMachine(tenant.machine));
  for (const [method, path, allow] of [
    ["put", "/events", "GET, HEAD, POST"], ["delete", "/events/bulk", "POST"], ["delete", "/workspaces", "GET, HEAD, POST"],
    ["post", `/events/${tenant.workspace.id}/payload`, "DELETE, GET, HEAD"],
  ]) {
    const answer = await api[method](path, {});
    assertError(answer, 405);
    assert.deepEqual(answer.headers.get("allow").split(", ").sort(), allow.split(", "));
  }
});

test("what was accepted is listed newest first, page by page", async () => {
  const seen = [];
  let cursor;
  do {
    const page = ok(await tenant.api.get(`/events?limit=50${cursor ? `&cursor=${cursor}` : ""}`));
    const about = { resource: maybe(words), resource_id: maybe(words) };
    assertShape(page, list({ ...acceptedEvent(words, about), ...progress, status: statuses, rule_events: listOf(ruleEvent) }));
    assert.deepEqual([page.limit, page.count], [50, page.records.length]);
    seen.push(...page.records.map(({ id }) => id));
    cursor = page.next_cursor;
  } while (cursor);
  assert.ok(seen.length > 100);
  assert.deepEqual(seen, [...new Set(seen)].sort().reverse());
});
