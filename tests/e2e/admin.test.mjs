// `npm run admin` against the running Worker, as an operator types it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { inRepo } from "../../tools/lib/paths.mjs";
import { newSession } from "./lib/embed.mjs";
import { ADMIN_TOKEN, connect, made, newTenant, newWorkspace, ok, openWorld, secretWord, settled } from "./lib/world.mjs";

let world, tenant, folder;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
  folder = mkdtempSync(join(tmpdir(), "posthorn-admin-"));
});
after(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a command: {code, out, err}. */
const admin = (...args) => adminOf({ world, tenant }, ...args);

/** The same at another installation. */
async function adminOf(at, ...args) {
  const { organizationId, accessKey, secretKey } = at.tenant.machine;
  const env = {
    ...process.env, POSTHORN_URL: at.world.baseUrl, ADMIN_TOKEN, POSTHORN_DEPLOY_DIR: folder,
    ORGANIZATION_ID: organizationId, ACCESS_KEY: accessKey, SECRET_KEY: secretKey,
  };
  return promisify(execFile)(process.execPath, [inRepo("tools", "admin.mjs"), ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, out: stdout.trim(), err: stderr }),
    ({ code, stdout, stderr }) => ({ code, out: stdout.trim(), err: stderr }),
  );
}

async function done(...args) {
  const { code, out, err } = await admin(...args);
  assert.equal(code, 0, `${args.join(" ")}\n${out}\n${err}`);
  return out;
}

test("a token for the shell, and a machine key whose secret is in a file only", async () => {
  const token = await done("token");
  const answer = await fetch(`${world.baseUrl}/api/v1/workspaces`, { headers: { authorization: `Bearer ${token}` } });
  assert.equal(answer.status, 200);
  const [, key, file] = (await done("key", "create", "Shell")).match(/^Machine key (mk_\S+); its secret is in (.*)$/);
  assert.equal(statSync(file).mode & 0o077, 0);
  const { secret_key: secret, access_key: access } = JSON.parse(readFileSync(file, "utf8"));
  assert.equal(access, key);
  const list = await done("key", "list");
  assert.ok(list.includes(key) && !list.includes(secret));
  const refused = await admin("key", "revoke", key);
  assert.equal(refused.code, 1);
  assert.match(refused.err + refused.out, /--yes/);
  await done("key", "revoke", key, "--yes");
  assert.ok(!(await done("key", "list")).includes(key));
});

test("an organization, whose key is not printed", async () => {
  const out = await done("org", "create", "Another");
  assert.match(out, /^Organization [0-9a-f-]{36} Another\nIts machine key mk_\S+ is in /);
  const files = readdirSync(folder).filter((name) => name.endsWith(".key.json"));
  for (const name of files) assert.ok(!out.includes(JSON.parse(readFileSync(join(folder, name), "utf8")).secret_key));
});

test("a workspace: create, list, show, a link for staff, erase", async () => {
  const [, id] = (await done("workspace", "create", "By hand", "--external-id", "cust-7")).match(/^Workspace (\S+) By hand\nPublishable key mesh_pub_/);
  assert.match(await done("workspace", "list"), new RegExp(`${id}  cust-7  By hand`));
  assert.match(await done("workspace", "show", id), /0 connections, 0 rules/);
  const url = await done("open", id);
  assert.ok(url.startsWith(`${world.baseUrl}/embed/`), url);
  const page = await fetch(url, { redirect: "manual" });
  assert.ok(page.status < 400, `${page.status}`);
  const [session] = ok(await tenant.api.get(`/sessions?workspace_id=${id}`)).records;
  assert.deepEqual([session.role, session.scopes], ["member", []]);
  assert.match(session.external_user_id, /^staff:/);
  assert.equal((await admin("workspace", "erase", id)).code, 1);
  await done("workspace", "erase", id, "--yes");
  assert.equal((await tenant.api.get(`/workspaces/${id}`)).status, 404);
});

test("an export has no secret, and a fresh installation has its configuration and history, paused where secrets are missing", async (t) => {
  const source = { ...tenant, ...(await newWorkspace(world, tenant.api, "To move")) };
  const [bearer, header] = [secretWord("bearer"), secretWord("header")];
  const { connection, event } = await connect(source, {
    url: world.receiver.url("/moved"),
    metadata: { auth_scheme: "bearer", auth_token: bearer, custom_headers: [{ name: "X-Key", value: header }], timeout_seconds: 7 },
  });
  await connect(source, { url: world.receiver.url("/unsigned"), metadata: { signing_algorithm: "none" } });
  const token = secretWord("pat");
  const { connection: people } = made(await tenant.api.post("/connections", {
    workspace: source.workspace.id, type: "hubspot", name: "People", metadata: { access_token: token }, skip_test: true,
  }));
  const schema = { schema_version: 1, fields: [{ dest: "email", source: { type: "path", value: "user.mail" } }] };
  ok(await tenant.api.put(`/connections/${people.id}/mappings/default`, { schema, name: "Mapped" }));
  for (const [integration, metadata] of [["slack", { bot_token: "xoxb-1-2-abc" }], ["discord", { webhook_url: "https://discord.com/api/webhooks/100000000000000001/abc" }],
    ["mailchimp", { api_key: "key-us21" }], ["http", { url: world.receiver.url("/plain") }]]) {
    made(await tenant.api.post("/connections", { workspace: source.workspace.id, type: integration, name: integration, metadata, skip_test: true }));
  }
  ok(await tenant.api.patch(`/workspaces/${source.workspace.id}`, { retention_days: 12, limits: { events_per_month: 5_000 } }));
  ok(await tenant.api.patch(`/workspaces/${source.workspace.id}/publishable-key`, { events: ["order.*"], origins: ["https://shop.example.com"] }));
  source.publisher = { post: (path, body) => tenant.api.post(path, JSON.parse(body.toString())) };
  const payload = '{"n": 1.0}';
  const { event: emitted } = (await tenant.api.post("/events",
    `{"workspace":"${source.workspace.id}","event":"${event}","payload":${payload}}`, { "content-type": "application/json" })).body;
  await settled(source, emitted.id);

  const text = await done("export", source.workspace.id, "--events");
  for (const secret of [bearer, header, token]) assert.ok(!text.includes(secret));
  const records = text.split("\n").map((line) => JSON.parse(line));
  const counted = {};
  for (const { type } of records) counted[type] = (counted[type] ?? 0) + 1;
  assert.deepEqual(counted, { workspace: 1, connection: 7, mapping: 1, rule: 2, event: 1 });
  assert.equal(records.at(-1).payload, payload);
  assert.deepEqual(records.at(-1).deliveries.map(({ state, attempts }) => [state, attempts]), [["delivered", 1]]);

  const file = join(folder, "moved.jsonl");
  writeFileSync(file, text);
  const there = { world: await openWorld() };
  t.after(() => there.world.close());
  there.tenant = await newTenant(there.world, "Fresh");
  const doneThere = async (...args) => {
    const { code, out, err } = await adminOf(there, ...args);
    assert.equal(code, 0, `${args.join(" ")}\n${out}\n${err}`);
    return out;
  };
  const out = await doneThere("import", file);
  const [, id] = out.match(/^Workspace (\S+) To move: 7 connections, 2 rules, 1 events$/m);
  assert.match(out, /signing secret, credentials \(bearer\), headers X-Key/);
  assert.match(out, /People: access_token/);
  const moved = ok(await there.tenant.api.get(`/workspaces/${id}/connections`)).records;
  const first = moved.find(({ name }) => name === connection.name);
  assert.deepEqual([first.active, first.metadata.timeout_seconds, first.metadata.auth_scheme], [false, 7, "none"]);
  assert.equal(first.inactive_detail, "secrets_missing");
  const active = moved.filter((one) => one.active);
  assert.deepEqual(active.map(({ type, metadata }) => [type, metadata.signing_algorithm]).sort(), [["http", undefined], ["webhook", "none"]]);
  assert.ok(moved.filter((one) => !one.active).every((one) => one.inactive_detail === "secrets_missing"));
  assert.equal(ok(await there.tenant.api.get(`/workspaces/${id}/rules`)).count, 2);
  // The customer's page says what is to be entered anew.
  const { launch_url: launch } = await newSession(there.world, { ...there.tenant, workspace: { id } }, { role: "owner" });
  const launched = await fetch(launch, { redirect: "manual" });
  const cookie = launched.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  const page = await (await fetch(`${launch.split("/launch")[0]}/connections/${first.id}`, { headers: { cookie } })).text();
  assert.match(page, /moved here without its secrets/);

  // What is exported from there is the same, but for ids and what cannot be moved.
  const again = (await doneThere("export", id, "--events")).split("\n").map((line) => JSON.parse(line));
  const ids = new Map(records.map((record, index) => [record.id, again[index].id]));
  const renamed = (value) => JSON.parse(JSON.stringify(value, (_, one) => ids.get(one) ?? one));
  const comparable = ({ metadata, active, ...record }) => (record.type === "connection"
    ? { ...record, url: metadata.url, timeout: metadata.timeout_seconds, algorithm: metadata.signing_algorithm }
    : { ...record, ...(metadata ? { metadata, active } : {}) });
  assert.deepEqual(JSON.parse(JSON.stringify(again.map(comparable))), renamed(records.map(comparable)));
  const attempts = async (api, event) => {
    const { status, rule_events: [{ rule }] } = ok(await api.get(`/events/${event}`));
    const { records: attempts } = ok(await api.get(`/events/${event}/rules/${rule}/attempts`));
    return [status, attempts.map(({ id: _, ...one }) => one)];
  };
  // The ids of event and message in the headers are those that the event has now.
  const [was, is] = [emitted.id, again.at(-1).id];
  const compact = (id) => id.replaceAll("-", "");
  const here = JSON.stringify(await attempts(tenant.api, was)).replaceAll(was, is).replaceAll(compact(was), compact(is));
  assert.deepEqual(JSON.stringify(await attempts(there.tenant.api, is)), here);
});

test("a workspace is paused, and only what that has paused is active again", async () => {
  const workspace = { ...tenant, ...(await newWorkspace(world, tenant.api, "To pause")) };
  const [first, second] = [await connect(workspace, { url: world.receiver.url("/p") }), await connect(workspace, { url: world.receiver.url("/q") })];
  ok(await tenant.api.post(`/connections/${second.connection.id}/deactivate`, {}));
  const active = async () => ok(await tenant.api.get(`/workspaces/${workspace.workspace.id}/connections`)).records.map((one) => one.active);
  assert.match(await done("pause", "workspace", workspace.workspace.id), /^1 connections are paused/);
  assert.deepEqual(await active(), [false, false]);
  assert.match(await done("pause", "workspace", workspace.workspace.id), /^0 connections are paused/);
  assert.match(await done("resume", "workspace", workspace.workspace.id), /^1 connections are active again/);
  assert.deepEqual((await active()).sort(), [false, true]);
  assert.equal(ok(await tenant.api.get(`/connections/${first.connection.id}`)).active, true);
});

test("doctor says that all is well, and what is not", async () => {
  const { out, err } = await admin("doctor");
  assert.match(out + err, /ok {5}it answers/);
  assert.match(out + err, /ok {5}the machine key holds/);
  const unknown = await admin("frobnicate");
  assert.equal(unknown.code, 1);
  assert.match(unknown.out + unknown.err, /no such command/);
});
