// `npm run deploy` with the real wrangler against a scripted Cloudflare API: what the commands are called, what they
// answer, and what is uploaded. The steps and their failures are tested in tests/tools/deploy.test.mjs.
import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Account } from "../../tools/lib/deploy/account.mjs";
import { deploy } from "../../tools/lib/deploy/steps.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { wranglerRunner } from "../../tools/deploy.mjs";
import { openCloudflareApi } from "../tools/lib/cloudflare-api.mjs";

let api, home;
const env = {};

before(async () => {
  api = await openCloudflareApi();
  home = mkdtempSync(join(tmpdir(), "posthorn-deploy-"));
  for (const name of ["build", "public", "migrations"]) symlinkSync(inRepo(name), join(home, name));
  for (const [name, value] of Object.entries({ CLOUDFLARE_API_BASE_URL: api.url, CLOUDFLARE_API_TOKEN: "token-of-the-test" })) {
    env[name] = process.env[name];
    process.env[name] = value;
  }
});
after(async () => {
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  await api?.close();
  rmSync(home, { recursive: true, force: true });
});

/** The installation's HTTP side; the organization is made on the first call. */
let organizations = 0;
const call = async (url) => {
  if (url.endsWith("/health")) return Response.json({ status: "ok" });
  organizations += 1;
  return Response.json({ organization: { id: "o", name: "Shop" }, machine_key: { access_key: "mk_1", secret_key: "s" } }, { status: 201 });
};

function go(options) {
  const folder = join(home, "keys");
  return deploy({ organization: "Shop", ...options }, {
    account: new Account(wranglerRunner(process.execPath, home), join(home, "plain.toml")),
    template: readFileSync(inRepo("wrangler.toml"), "utf8").replace(/^\[build\]\n(?!\[)(?:(?!\[).*\n?)*/m, ""),
    configFile: join(home, "wrangler.local.toml"),
    folder, env: {}, print: () => {}, call, build: async () => {}, smokeMs: 1_000, everyMs: 10,
  });
}

test("the first run makes databases, queues, schema, Worker and secrets; the second makes nothing anew", async () => {
  assert.equal((await go({ workersDev: true })).baseUrl, "https://posthorn.mine.workers.dev");
  const { databases, queues, tables, scripts, consumers } = api.state;
  assert.deepEqual(databases.map(({ name }) => name), ["posthorn-control", "posthorn-log-0"]);
  assert.deepEqual(queues.map(({ queue_name: name }) => name), ["posthorn-jobs", "posthorn-upkeep", "posthorn-dead-letters"]);
  for (const [at, kind] of ["control", "log"].entries()) {
    assert.deepEqual(tables[databases[at].uuid].migrations, readdirSync(inRepo("migrations", kind)));
  }
  const { metadata, secrets } = scripts.posthorn;
  assert.deepEqual(secrets.sort(), ["ADMIN_TOKEN", "MASTER_KEYS"]);
  const bound = Object.fromEntries(metadata.bindings.map((one) => [one.name, one]));
  assert.equal(bound.CONTROL.id, databases[0].uuid);
  assert.equal(bound.LOG_0.id, databases[1].uuid);
  assert.deepEqual([bound.JOBS.queue_name, bound.LANES.class_name], ["posthorn-jobs", "Lane"]);
  assert.equal(bound.UPKEEP.queue_name, "posthorn-upkeep");
  assert.equal(bound.OWN_HOSTS.text, "posthorn.mine.workers.dev");
  assert.deepEqual(metadata.compatibility_flags.sort(), ["global_fetch_strictly_public", "queue_consumer_no_wait_for_wait_until"]);
  assert.deepEqual(consumers.map(({ script }) => script), ["posthorn", "posthorn", "posthorn"]);
  assert.ok(existsSync(join(home, "keys", "posthorn.json")));

  const from = api.requests.length;
  await go({});
  const later = api.requests.slice(from);
  assert.ok(!later.some((request) => /^POST .*\/(d1\/database|queues)$/.test(request)), "nothing is created");
  assert.equal(organizations, 1);
  assert.deepEqual(api.state.scripts.posthorn.secrets.sort(), ["ADMIN_TOKEN", "MASTER_KEYS"]);
  const ran = Object.values(tables).flatMap(({ ran: statements }) => statements).join("\n");
  assert.equal(ran.match(/create table organizations/g).length, 1, "the schema is applied once");
});
