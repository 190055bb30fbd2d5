// The samples of the pages against the running Worker: a customer is set up, an event is emitted, and what the
// pages say of it holds. tests/tools/samples.test.mjs knows which sample is run where.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { inRepo } from "../../tools/lib/paths.mjs";
import { commands, evaluate, pages, sample } from "../tools/lib/samples.mjs";
import { ADMIN_TOKEN, newTenant, ok, openWorld } from "./lib/world.mjs";

let world, tenant, keys;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
  keys = { organization_id: tenant.machine.organizationId, access_key: tenant.machine.accessKey, secret_key: tenant.machine.secretKey };
});
after(() => world?.close());

/** `fetch` for samples that name the address of the pages. */
const toWorld = (url, init) => fetch(url.replace("https://posthorn.example.com", world.baseUrl), init);

async function shell(command) {
  const line = command.replace(/https?:\/\/(posthorn|hooks)\.example\.com|http:\/\/127\.0\.0\.1:8787/, world.baseUrl)
    .replace("mesh_pub_...", tenant.publishableKey).replace('"workspace_id":"..."', `"workspace_id":"${tenant.workspace.id}"`);
  const machine = { ORGANIZATION_ID: keys.organization_id, ACCESS_KEY: keys.access_key, SECRET_KEY: keys.secret_key };
  const { stdout: token } = await promisify(execFile)("npm", ["run", "-s", "admin", "--", "token"],
    { env: { ...process.env, POSTHORN_URL: world.baseUrl, ...machine } });
  const env = { ...process.env, POSTHORN_URL: world.baseUrl, ...machine, ADMIN_TOKEN, MACHINE_TOKEN: token.trim() };
  const { stdout } = await promisify(execFile)("sh", ["-c", `${line} -w '\\n%{http_code}'`], { env });
  const [, body, status] = stdout.match(/^([\s\S]*)\n(\d+)$/);
  return { status: Number(status), body: JSON.parse(body) };
}

test("README: a customer is set up, and an event is emitted and verified by its secret", async () => {
  const machineToken = await evaluate(sample("docs/api.md", "machineToken("), { createHmac }, "machineToken");
  const logged = [];
  const scope = { machineToken, keys, baseUrl: world.baseUrl, fetch, console: { log: (text) => logged.push(text) } };
  // Where the example's customer would be, the test's receiver is.
  const url = world.receiver.url("/readme");
  const setUp = sample("README.md", 'post("/workspaces"').replace("https://hooks.acme.example/orders", url);
  await evaluate(setUp, scope);
  const [key, secret] = logged;
  assert.match(key, /^mesh_pub_/);
  assert.match(secret, /^whsec_/);
  await evaluate(sample("README.md", "resource_id: \"ord_1001\"").replace(/^await fetch/, "answer.its = await fetch"), { fetch: toWorld, key, answer: {} });
  const [request] = await world.receiver.arrived("/readme", 1, 15_000);
  assert.doesNotThrow(() => new Webhook(secret).verify(request.body, request.headers));
});

test("every curl line of the pages is answered 2xx", async () => {
  const lines = ["README.md", "docs/api.md", "docs/embed.md", "docs/deploy.md"].flatMap(commands).filter(({ command }) => command.startsWith("curl "));
  assert.equal(lines.length, 4, lines.map(({ command }) => command).join("\n"));
  for (const { page, command } of lines) {
    const { status, body } = await shell(command);
    assert.ok(status >= 200 && status < 300, `${page}: ${command}\n${status} ${JSON.stringify(body)}`);
  }
});

test("every admin line of the pages does what it says", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-samples-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const another = await newTenant(world, "Another");
  const lines = new Set(pages().flatMap(commands).map(({ command }) => command).filter((command) => command.startsWith("npm run admin") && !command.includes("COMMAND")));
  assert.ok(lines.size >= 12, [...lines].join("\n"));
  for (const line of lines) {
    // What is exported is imported by somebody else, for names are taken where they come from.
    const { organizationId, accessKey, secretKey } = (line.includes("import") ? another : tenant).machine;
    const env = {
      ...process.env, POSTHORN_URL: world.baseUrl, POSTHORN_DEPLOY_DIR: folder, ADMIN_TOKEN,
      ORGANIZATION_ID: organizationId, ACCESS_KEY: accessKey, SECRET_KEY: secretKey,
    };
    const words = line.replace("npm run admin", "").replace(" -- ", " ").replace(/\bWORKSPACE(_ID)?\b/, tenant.workspace.id)
      .replace("ORGANIZATION_ID", organizationId).replace("HOST", "hooks.example.com");
    const run = promisify(execFile)("sh", ["-c", `"${process.execPath}" "${inRepo("tools", "admin.mjs")}" ${words}`], { env, cwd: folder });
    const { code = 0, stdout, stderr } = await run.catch((error) => error);
    // Hosts are blocked where the Worker is deployed from (tests/tools/pause.test.mjs): here it says so.
    const expected = line.includes("host") ? 1 : 0;
    assert.equal(code, expected, `${line}\n${stdout}${stderr}`);
    if (expected) assert.match(stdout + stderr, /BLOCKED_HOSTS/, line);
    if (/pause org/.test(line)) ok(await world.admin.patch(`/organizations/${organizationId}`, { suspended: false }));
  }
});

test("docs/api.md: the filter of the example is one, and does what is said", async () => {
  const filter = JSON.parse(sample("docs/api.md", '{"and": ['));
  const order = (total, currency, sku) => ({ order: { total, currency, items: [{ sku }] } });
  for (const [payload, matches] of [[order(101, "EUR", "A-1"), true], [order(101, "EUR", "TEST-1"), false], [order(99, "EUR", "A-1"), false]]) {
    assert.equal(ok(await tenant.api.post("/rules/test-filter", { filter, payload })).matches, matches);
  }
});
