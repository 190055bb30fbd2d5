// `npm run admin` against the running Worker, as an operator types it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { inRepo } from "../../tools/lib/paths.mjs";
import { ADMIN_TOKEN, connect, newTenant, newWorkspace, ok, openWorld, secretWord, settled } from "./lib/world.mjs";

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
async function admin(...args) {
  const { organizationId, accessKey, secretKey } = tenant.machine;
  const env = {
    ...process.env, POSTHORN_URL: world.baseUrl, ADMIN_TOKEN, POSTHORN_DEPLOY_DIR: folder,
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

test("an export has no secret, and an import has its configuration, paused where secrets are missing", async () => {
  const source = { ...tenant, ...(await newWorkspace(world, tenant.api, "To move")) };
  const [bearer, header] = [secretWord("bearer"), secretWord("header")];
  const { connection, event } = await connect(source, {
    url: world.receiver.url("/moved"),
    metadata: { auth_scheme: "bearer", auth_token: bearer, custom_headers: [{ name: "X-Key", value: header }], timeout_seconds: 7 },
  });
  await connect(source, { url: world.receiver.url("/unsigned"), metadata: { signing_algorithm: "none" } });
  source.publisher = { post: (path, body) => tenant.api.post(path, JSON.parse(body.toString())) };
  const payload = '{"n": 1.0}';
  const { event: emitted } = (await tenant.api.post("/events",
    `{"workspace":"${source.workspace.id}","event":"${event}","payload":${payload}}`, { "content-type": "application/json" })).body;
  await settled(source, emitted.id);

  const text = await done("export", source.workspace.id, "--events");
  for (const secret of [bearer, header]) assert.ok(!text.includes(secret));
  const records = text.split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(records.map(({ type }) => type), ["workspace", "connection", "connection", "rule", "rule", "event"]);
  assert.equal(records.at(-1).payload, payload);
  assert.deepEqual(records.at(-1).deliveries.map(({ state, attempts }) => [state, attempts]), [["delivered", 1]]);

  const file = join(folder, "moved.jsonl");
  writeFileSync(file, text.replace('"name":"To move"', '"name":"Moved"'));
  const out = await done("import", file);
  const [, id] = out.match(/^Workspace (\S+) Moved: 2 connections, 2 rules, 1 events$/m);
  assert.match(out, /signing secret, credentials \(bearer\), headers X-Key/);
  const moved = ok(await tenant.api.get(`/workspaces/${id}/connections`)).records;
  const first = moved.find(({ name }) => name === connection.name);
  assert.deepEqual([first.active, first.metadata.timeout_seconds, first.metadata.auth_scheme], [false, 7, "none"]);
  assert.equal(first.inactive_detail, "secrets_missing");
  assert.equal(moved.find(({ name }) => name !== connection.name).active, true);
  assert.equal(ok(await tenant.api.get(`/workspaces/${id}/rules`)).count, 2);

  // What is exported from there is the same, but for ids, what cannot be moved, and what had to be named anew.
  const again = (await done("export", id, "--events")).split("\n").map((line) => JSON.parse(line));
  const ids = new Map(records.map((record, index) => [record.id, again[index].id]));
  const renamed = (value) => JSON.parse(JSON.stringify(value, (_, one) => ids.get(one) ?? one));
  const comparable = ({ metadata, active, ...record }) => (record.type === "connection"
    ? { ...record, url: metadata.url, timeout: metadata.timeout_seconds, algorithm: metadata.signing_algorithm }
    : { ...record, ...(metadata ? { metadata, active } : {}) });
  const expectedThere = renamed(records.map(comparable)).map((record) => (record.type === "workspace" ? { ...record, name: "Moved" } : record));
  assert.deepEqual(again.map(comparable), expectedThere);
  const attempts = async (event) => {
    const { status, rule_events: [{ rule }] } = ok(await tenant.api.get(`/events/${event}`));
    const { records: made } = ok(await tenant.api.get(`/events/${event}/rules/${rule}/attempts`));
    return [status, made.map(({ id: _, ...one }) => one)];
  };
  // The ids of event and message in the headers are those that the event has now.
  const [was, is] = [emitted.id, again.at(-1).id];
  const compact = (id) => id.replaceAll("-", "");
  const there = JSON.stringify(await attempts(was)).replaceAll(was, is).replaceAll(compact(was), compact(is));
  assert.deepEqual(JSON.stringify(await attempts(is)), there);
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
