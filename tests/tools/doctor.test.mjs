// `npm run admin -- doctor` names what was planted, and nothing else.
import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, test } from "node:test";
import { doctor } from "../../tools/lib/admin/doctor.mjs";
import { findTarget } from "../../tools/lib/admin/target.mjs";
import { Account } from "../../tools/lib/deploy/account.mjs";
import { deploy } from "../../tools/lib/deploy/steps.mjs";
import { readLocal, writeLocal } from "../../tools/lib/local-files.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { FakeAccount } from "./lib/cloudflare.mjs";

const VERSION = "1.2.3";
const template = readFileSync(inRepo("wrangler.toml"), "utf8");
const migrations = Object.fromEntries(["control", "log"].map((kind) => [kind, readdirSync(inRepo("migrations", kind))]));
let cloud, home, server, answers, clockOffMs;

/** The installation's HTTP side: what it answers to each caller. */
before(async () => {
  server = createServer((request, response) => {
    const [, token] = (request.headers.authorization ?? "").split(" ");
    const status = request.url === "/health" ? answers.health
      : request.url.endsWith("/organizations") ? (token === answers.adminToken ? 400 : 401)
      : request.url.endsWith("/organization") ? answers.machine : 404;
    const headers = { date: new Date(Date.now() - clockOffMs).toUTCString(), "content-type": "application/json" };
    response.sendDate = false;
    const storage = token === answers.adminToken ? [{ shard: 0, bytes: 1, percent: answers.percent, level: "normal" }] : undefined;
    response.writeHead(status, headers).end(JSON.stringify({ status: "ok", version: answers.version, storage }));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
});
after(() => (server.closeAllConnections(), server.close()));
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "posthorn-doctor-"));
  cloud = new FakeAccount();
  clockOffMs = 0;
  await deploy({ domain: "hooks.example.com", organization: "Shop" }, {
    account: account(), template, configFile: config(), folder: join(home, "keys"), env: {}, print: () => {}, call: cloud.call,
    build: async () => {}, smokeMs: 20, everyMs: 5,
  });
  writeLocal(keysFile(), { ...readLocal(keysFile()), base_url: `http://127.0.0.1:${server.address().port}` });
  answers = { percent: 40, health: 200, machine: 200, version: VERSION, adminToken: readLocal(keysFile()).ADMIN_TOKEN };
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const config = () => join(home, "wrangler.local.toml");
const keysFile = () => join(home, "keys", "posthorn.json");
const account = () => new Account(cloud.wrangler, join(home, "plain.toml"));
const edit = (from, to) => {
  const text = readFileSync(config(), "utf8");
  assert.ok(text.replace(from, to) !== text, `${from}`);
  writeFileSync(config(), text.replace(from, to));
};

function examine() {
  const target = findTarget({}, { env: {}, deployFolder: join(home, "keys"), tenantFile: join(home, "none") });
  return doctor({ target, call: fetch, version: VERSION, configFile: config(), repoConfig: template, migrations, account: account() });
}

test("where nothing is wrong it says so", async () => {
  assert.match(await examine(), /Nothing is wrong\.$/);
});

const log = () => cloud.databases["posthorn-log-0"];
const FAULTS = [
  ["a missing binding", () => edit(/\[\[durable_objects\.bindings\]\]\nname = "LANES"\nclass_name = "Lane"\n/, ""), /has no LANES/],
  ["an old schema", () => (log().applied = []), /posthorn-log-0 lacks 0001_initial\.sql/],
  ["a wrong machine key", () => (answers.machine = 401), /the machine key is answered 401/],
  ["a wrong admin token", () => (answers.adminToken = "some-other-token"), /ADMIN_TOKEN is answered 401/],
  ["a full shard", () => (log().size = 9.8e9), /posthorn-log-0 holds 9\.8 of 10 GB and is full/],
  ["a shard that says that it is nearly full", () => (answers.percent = 85), /LOG_0 is 85 % full/],
  ["a stuck queue", () => (log().overdue = 17), /17 deliveries in posthorn-log-0 are more than 10 minutes late/],
  ["an upkeep queue that nobody consumes", () => (cloud.queues["posthorn-upkeep"] = []), /nobody consumes the queue posthorn-upkeep/],
  ["a queue that nobody consumes", () => (cloud.queues["posthorn-jobs"] = []), /nobody consumes the queue posthorn-jobs/],
  ["a clock that is off", () => (clockOffMs = 90_000), /clock is (89|90|91) s off/],
  ["no cron", () => edit('crons = ["* * * * *"]', ""), /no cron every minute/],
  ["a cron that does not run", () => (log().countedUntil = Date.now() - 86_400_000), /has not counted in posthorn-log-0 since/],
  ["a public preview host", () => edit("preview_urls = false", "preview_urls = true"), /a public address of its own/],
  ["a weak token", () => {
    writeLocal(keysFile(), { ...readLocal(keysFile()), ADMIN_TOKEN: "short" });
    answers.adminToken = "short";
  }, /ADMIN_TOKEN has 5 characters/],
  ["a missing shard", () => edit('LOG_SHARDS = "1"', 'LOG_SHARDS = "2"'), /LOG_SHARDS is 2, and 1 LOG databases are bound/],
  ["a database that is gone", () => delete cloud.databases["posthorn-log-0"], /posthorn-log-0 is not in the account/],
  ["a missing secret", () => delete cloud.workers.posthorn.secrets.MASTER_KEYS, /has no MASTER_KEYS/],
  ["private destinations", () => edit('ALLOW_PRIVATE_DESTINATIONS = "false"', 'ALLOW_PRIVATE_DESTINATIONS = "true"'), /ALLOW_PRIVATE_DESTINATIONS is true/],
  ["an old version", () => (answers.version = "1.0.0"), /it runs version 1\.0\.0/],
  ["keys that others can read", () => chmodSync(keysFile(), 0o644), /can be read by others/],
];
for (const [fault, plant, words] of FAULTS) {
  test(`it names ${fault}, and nothing else`, async () => {
    plant();
    await assert.rejects(examine(), (error) => {
      assert.match(error.message, words);
      assert.equal(error.message.match(/^ {2}WRONG/gm).length, 1, error.message);
      for (const secret of [readLocal(keysFile()).MASTER_KEYS, answers.adminToken]) assert.ok(!error.message.includes(secret));
      return true;
    });
  });
}

test("an installation that does not answer is told, with what to look at", async () => {
  answers.health = 503;
  await assert.rejects(examine(), /\/health answers 503/);
});

test("it is clear which installation is meant", () => {
  const paths = { env: {}, deployFolder: join(home, "keys"), tenantFile: join(home, "tenant.json") };
  assert.equal(findTarget({}, paths).name, "posthorn");
  writeLocal(paths.tenantFile, { base_url: "http://127.0.0.1:1", admin_token: "t" });
  assert.throws(() => findTarget({}, paths), (error) => /several/.test(error.message) && /--local or --installation posthorn/.test(error.hint));
  assert.equal(findTarget({ local: true }, paths).name, "npm start");
  assert.equal(findTarget({ installation: "posthorn" }, paths).name, "posthorn");
  assert.throws(() => findTarget({ installation: "other" }, paths), /no installation other/);
  assert.equal(findTarget({}, { ...paths, env: { POSTHORN_URL: "https://x.example/" } }).baseUrl, "https://x.example");
  assert.throws(() => findTarget({}, { ...paths, deployFolder: join(home, "no"), tenantFile: join(home, "no") }), /no installation to talk to/);
});
