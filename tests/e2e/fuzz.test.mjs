// Schemathesis calls every operation with what the document allows and with what it does not, with a
// valid token and real ids. Nothing of it may be a 5xx, a status that is not documented, or a body
// outside its schema; and nearly every operation must be met in a way in which it succeeds.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { mintToken } from "../../tools/lib/api.mjs";
import { HOST } from "../../tools/lib/ports.mjs";
import { run } from "../../tools/lib/run.mjs";
import { findSchemathesis, NO_SCHEMATHESIS } from "../../tools/lib/schemathesis.mjs";
import { operationAt, operationsOf, readDocument } from "./lib/openapi.mjs";
import { connect, emit, made, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const BUDGET_S = 75;
const SEED = 20_261_125;
const SUCCEEDING = 0.9;
/** Each is deleted or ended by one operation, and another operation needs one that is not. */
const SPARE = 6;
/** The operator's; it would fill the installation with organizations. */
const LEFT_OUT = ["create_organization"];
/** Of integrations that are not webhooks; and the operator's, which the credential of a product may not call. */
const NEVER = [
  "get_default_mapping", "put_default_mapping", "get_master_keys", "reseal", "get_any_organization", "update_any_organization",
  "delete_organization", "import_history",
];
const CHECKS = [
  "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
  "response_schema_conformance",
];

const python = findSchemathesis();
const skip = !python && !process.env.CI && NO_SCHEMATHESIS;

let world, tenant, folder;

before(async () => {
  if (skip) return;
  world = await openWorld();
  tenant = await newTenant(world);
  folder = mkdtempSync(join(tmpdir(), "posthorn-fuzz-"));
});
after(async () => {
  await world?.close();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

test("the document validates", { skip }, async () => {
  const file = join(folder, "served.json");
  writeFileSync(file, JSON.stringify(await readDocument(world.baseUrl)));
  await run(python, ["-m", "openapi_spec_validator", file], { timeoutMs: 60_000 });
});

test("whatever is sent is answered as the document says", { skip, timeout: (BUDGET_S + 120) * 1_000 }, async () => {
  const document = await readDocument(world.baseUrl);
  const answered = new Map(operationsOf(document).map(({ id }) => [id, new Map()]));
  const proxy = await openProxy(document, answered);
  const file = join(folder, "openapi.json");
  writeFileSync(file, JSON.stringify(withRealIds(document, await realIds())));
  // One worker: Python up to 3.11.7 reports a wrong recursion depth when two threads parse source (CPython gh-106905).
  const args = [
    "-m", "schemathesis.cli", "run", file, "--url", proxy.url, "--checks", CHECKS.join(","), "--phases", "examples,coverage,fuzzing",
    "--max-time", String(BUDGET_S), "--seed", String(SEED), "--workers", "1", "--continue-on-failure", "--no-color",
    "--suppress-health-check", "all", "--generation-database", "none", "--warnings", "off",
    "--generation-with-security-parameters", "false", ...LEFT_OUT.flatMap((id) => ["--exclude-operation-id", id]),
  ];
  const faults = await run(python, args, { cwd: folder, timeoutMs: (BUDGET_S + 90) * 1_000, what: "schemathesis" })
    .then(() => null, (error) => error.tail ?? error.message);
  await proxy.close();
  const counted = report(answered);
  assert.equal(faults, null, `\n${faults}`);
  assert.ok(counted.succeeding >= SUCCEEDING * counted.all, `${counted.succeeding} of ${counted.all} operations succeeded`);
});

/** Prints what each operation was answered, and counts those that succeeded at least once. */
function report(answered) {
  const rows = [...answered].filter(([id]) => !LEFT_OUT.includes(id) && !NEVER.includes(id));
  const succeeded = ([, statuses]) => [...statuses.keys()].some((status) => status >= 200 && status < 300);
  for (const [id, statuses] of rows) {
    const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`).join(", ");
    console.log(`${succeeded([id, statuses]) ? "ok  " : "none"} ${id.padEnd(30)} ${counts}`);
  }
  const counted = { all: rows.length, succeeding: rows.filter(succeeded).length };
  console.log(`${counted.succeeding} of ${counted.all} operations got a 2xx`);
  return counted;
}

/** Hands each request on with a credential that is valid now: machine tokens live for seconds. */
async function openProxy(document, answered) {
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const { pathname } = new URL(request.url, world.baseUrl);
    const headers = kept(request.headers, "host", "authorization", "x-meshes-publishable-key");
    const emits = /^\/api\/v1\/events(\/bulk)?$/.test(pathname) && request.method === "POST";
    if (emits) headers["x-meshes-publishable-key"] = tenant.publishableKey;
    else headers.authorization = `Bearer ${mintToken(tenant.machine)}`;
    const answer = await sent(request, headers, body).catch(() => null);
    // What no client can send reaches nobody.
    if (!answer) return response.destroy();
    const one = operationAt(document, request.method, pathname);
    const statuses = answered.get(one?.id);
    statuses?.set(answer.statusCode, (statuses.get(answer.statusCode) ?? 0) + 1);
    response.writeHead(answer.statusCode, kept(answer.headers));
    answer.pipe(response);
  });
  await new Promise((ready) => server.listen(0, HOST, ready));
  return {
    url: `http://${HOST}:${server.address().port}`,
    close: () => new Promise((done) => (server.close(done), server.closeAllConnections())),
  };
}

/** Headers but those of the connection, and but these. */
function kept(headers, ...without) {
  const left = ["connection", "keep-alive", "content-length", "transfer-encoding", ...without];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !left.includes(name)));
}

/** The same request to the Worker. Not by fetch, which refuses some methods. */
function sent({ method, url }, headers, body) {
  return new Promise((answered, failed) => {
    const length = body.length > 0 ? { "content-length": body.length } : {};
    const request = httpRequest(world.baseUrl + url, { method, headers: { ...headers, ...length } });
    request.on("response", answered).on("error", failed).end(body);
  });
}

/** Records of the tenant: by noun, and apart for the operations that use one up. */
async function realIds() {
  const { api, workspace } = tenant;
  const to = await connect(tenant, { url: world.receiver.url("/fuzz"), event: "fuzz.sent" });
  const sent = await emit(tenant, to.event);
  await settled(tenant, sent.id, ["completed"]);
  ok(await api.put("/event-types/order.completed", { label: "Order completed" }));
  const several = async (make) => {
    const all = [];
    for (let n = 0; n < SPARE; n += 1) all.push(await make(n));
    return all;
  };
  let connections = 0;
  const connection = async () => made(await api.post("/connections", {
    workspace: workspace.id, type: "webhook", name: `Spare ${++connections}`, metadata: { url: world.receiver.url("/fuzz") },
  })).connection.id;
  let rules = 0;
  const rule = async () => made(await api.post("/rules", {
    workspace: workspace.id, connection: to.connection.id, event: `spare.${++rules}`, metadata: { action: "send_webhook" },
  })).rule.id;
  let workspaces = 0;
  const spareWorkspace = async () => made(await api.post("/workspaces", { name: `Spare ${++workspaces}` })).workspace.id;
  const session = async () => ok(await api.post("/sessions", { workspace_id: workspace.id })).session_id;
  const replay = async () => made(await api.post(`/workspaces/${workspace.id}/replays`, {
    since: new Date(Date.now() - 60_000).toISOString(), until: new Date().toISOString(), event: "nothing.emitted",
  })).replay.id;
  const held = await connect(tenant, { url: world.receiver.url("/fuzz-held"), event: "fuzz.held" });
  ok(await api.post(`/connections/${held.connection.id}/deactivate`));
  const heldEvents = await several(async () => (await emit(tenant, held.event)).id);
  return {
    nouns: {
      workspaces: [workspace.id], connections: [to.connection.id], rules: [to.rule.id], events: [sent.id],
      sessions: await several(session), replays: await several(replay),
    },
    rule_id: [to.rule.id],
    url: world.receiver.url("/fuzz"),
    apart: {
      delete_connection: { id: await several(connection) },
      deactivate_connection: { id: await several(connection) },
      replace_connection: { id: await several(connection) },
      update_connection: { id: await several(connection) },
      rotate_connection_secret: { id: await several(connection) },
      delete_workspace: { id: await several(spareWorkspace) },
      update_publishable_key: { id: await several(spareWorkspace) },
      rotate_publishable_key: { id: await several(spareWorkspace) },
      revoke_machine_key: { access_key: await several(async () => made(await api.post("/machine-keys")).machine_key.access_key) },
      delete_rule: { id: await several(rule) },
      update_rule: { id: await several(rule) },
      revoke_session: { id: await several(session) },
      cancel_event: { id: heldEvents.slice(0, 3) },
      cancel_event_rule: { id: heldEvents.slice(3), rule_id: [held.rule.id] },
    },
  };
}

/** The document with real ids where it asks for one, and no URL that leads off this machine. */
function withRealIds(document, real) {
  const changed = structuredClone(document);
  for (const { id, path, operation } of operationsOf(changed)) {
    for (const parameter of operation.parameters ?? []) {
      const given = real.apart[id]?.[parameter.name] ?? idsOf(real, path, parameter);
      if (given) Object.assign(parameter, { schema: { type: "string", enum: given }, example: given[0] });
      if (parameter.in === "path" && parameter.name === "key") Object.assign(parameter, { schema: { type: "string", enum: ["order.completed"] } });
    }
    replaceIds(operation.requestBody, real);
    for (const name of namesIn(operation.requestBody)) replaceIds(changed.components.schemas[name], real);
  }
  return changed;
}

/** The schemas that a request body refers to. */
function namesIn(body) {
  const found = JSON.stringify(body ?? {}).matchAll(/#\/components\/schemas\/(\w+)/g);
  return new Set([...found].map(([, name]) => name));
}

function idsOf(real, path, { name, in: place }) {
  if (place === "path" && name === "id") return real.nouns[path.split("/")[3]];
  return name === "rule_id" ? real.rule_id : name === "workspace_id" ? real.nouns.workspaces : undefined;
}

/** In bodies: the schemas of fields that hold an id or a URL, and their values in examples. */
function replaceIds(part, real) {
  if (part === null || typeof part !== "object") return;
  const given = {
    workspace: real.nouns.workspaces[0], workspace_id: real.nouns.workspaces[0], connection: real.nouns.connections[0], url: real.url,
  };
  for (const [name, value] of Object.entries(part)) {
    if (!(name in given)) replaceIds(value, real);
    else if (typeof value === "string") part[name] = given[name];
    else if (value?.format) part[name] = { type: value.type, enum: Array.isArray(value.type) ? [given[name], null] : [given[name]] };
    else replaceIds(value, real);
  }
}
