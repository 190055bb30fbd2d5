// `npm run deploy` against a scripted account: the first run, the second, a failure at each step, and resources
// of somebody else that have our names.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { parseArgs, promisify } from "node:util";
import { OPTIONS as DEPLOY_OPTIONS } from "../../tools/deploy.mjs";
import { Account } from "../../tools/lib/deploy/account.mjs";
import { kept } from "../../tools/lib/deploy/config.mjs";
import { deploy } from "../../tools/lib/deploy/steps.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { FakeAccount } from "./lib/cloudflare.mjs";
import { commands, pages } from "./lib/samples.mjs";

const homes = [];
let cloud, home, printed, env;

beforeEach(() => {
  cloud = new FakeAccount();
  home = mkdtempSync(join(tmpdir(), "posthorn-deploy-"));
  homes.push(home);
  [printed, env] = [[], {}];
});
after(() => homes.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

const configFile = () => join(home, "wrangler.local.toml");
const keys = (name = "posthorn") => JSON.parse(readFileSync(join(home, "keys", `${name}.json`), "utf8"));
const DOMAIN = { domain: "hooks.example.com", organization: "Shop" };
const QUEUES = ["posthorn-jobs", "posthorn-upkeep", "posthorn-dead-letters"];
const CHANGES = /^(d1 create|d1 migrations|queues create|deploy)/;
const changes = () => cloud.commands.filter((command) => CHANGES.test(command));

function go(options = DOMAIN) {
  return deploy({ organization: "Default", ...options }, {
    account: new Account(cloud.wrangler, join(home, "plain.toml")),
    template: readFileSync(inRepo("wrangler.toml"), "utf8"),
    configFile: configFile(),
    folder: join(home, "keys"),
    env,
    print: (line) => printed.push(line),
    call: cloud.call,
    build: async () => cloud.commands.push("build"),
    smokeMs: 20,
    everyMs: 5,
  });
}

test("the first run creates everything, and the second changes nothing but the Worker", async () => {
  const { baseUrl } = await go();
  assert.equal(baseUrl, "https://hooks.example.com");
  assert.deepEqual(Object.keys(cloud.databases), ["posthorn-control", "posthorn-log-0"]);
  assert.deepEqual(cloud.queues, Object.fromEntries(QUEUES.map((queue) => [queue, ["posthorn"]])));
  const { secrets, config, deploys } = cloud.workers.posthorn;
  assert.equal(deploys, 1);
  assert.match(secrets.MASTER_KEYS, /^k1:[A-Za-z0-9+/]{43}=$/);
  assert.ok(secrets.ADMIN_TOKEN.length >= 32);
  assert.deepEqual(kept(config).databases, { "posthorn-control": "id-of-posthorn-control", "posthorn-log-0": "id-of-posthorn-log-0" });
  assert.equal(kept(config).vars.OWN_HOSTS, "hooks.example.com");
  for (const part of ["workers_dev = false", "preview_urls = false", 'account_id = "acc1"', 'name = "LANES"', "[build]"]) {
    assert.ok(config.includes(part), part);
  }
  assert.equal(config.match(/^\[\[d1_databases\]\]/gm).length, 2);
  const { MASTER_KEYS, ADMIN_TOKEN, machine_key, organization_id, base_url } = keys();
  assert.deepEqual({ MASTER_KEYS, ADMIN_TOKEN }, secrets);
  assert.deepEqual([machine_key.access_key, organization_id, base_url], ["mk_1", "org-1", baseUrl]);

  cloud.commands = [];
  await go({});
  assert.deepEqual(changes().map((command) => command.split(" ").slice(0, 2).join(" ")), ["d1 migrations", "d1 migrations", "deploy --config"]);
  assert.ok(!changes().some((command) => command.includes("--secrets-file")), "no secret is set again");
  assert.deepEqual(cloud.workers.posthorn.secrets, secrets);
  assert.equal(cloud.organizations, 1);
});

test("keys are in one file for its owner, and nowhere else", async () => {
  await go();
  const file = join(home, "keys", "posthorn.json");
  assert.equal(statSync(file).mode & 0o077, 0);
  assert.deepEqual(readdirSync(join(home, "keys")), ["posthorn.json"], "the file for wrangler is gone");
  const { MASTER_KEYS, ADMIN_TOKEN } = keys();
  const seen = [...printed, ...cloud.commands, readFileSync(configFile(), "utf8")].join("\n");
  for (const secret of [MASTER_KEYS, MASTER_KEYS.slice(3), ADMIN_TOKEN, "sk-very-secret"]) assert.ok(!seen.includes(secret));
});

const STEPS = [
  "whoami", "d1 list", "queues info", "secret list", "d1 create posthorn-control", "d1 create posthorn-log-0",
  ...QUEUES.map((queue) => `queues create ${queue}`), "d1 migrations apply posthorn-control",
  "d1 migrations apply posthorn-log-0", "deploy",
];
for (const when of ["before", "after"]) {
  test(`a failure at each step, ${when} it took effect: the next run goes on and completes`, async () => {
    for (const command of STEPS.filter((step) => when === "before" || CHANGES.test(step))) {
      Object.assign(cloud, new FakeAccount(), { wrangler: cloud.wrangler, call: cloud.call });
      rmSync(configFile(), { force: true });
      rmSync(join(home, "keys"), { recursive: true, force: true });
      cloud.fail = { command, when };
      await assert.rejects(go(), (error) => error.name === "Error" && Boolean(error.message), `${command} fails`);
      assert.equal(cloud.fail, null, `${command} was run`);
      const { baseUrl } = await go(existsSync(configFile()) ? {} : DOMAIN);
      assert.equal(baseUrl, "https://hooks.example.com", command);
      assert.deepEqual(Object.keys(cloud.databases), ["posthorn-control", "posthorn-log-0"], command);
      assert.equal(cloud.organizations, 1, command);
      const { MASTER_KEYS, ADMIN_TOKEN } = keys();
      assert.deepEqual(cloud.workers.posthorn.secrets, { MASTER_KEYS, ADMIN_TOKEN }, command);
    }
  });
}

test("every deploy line of the pages does what it says, first and again", async () => {
  const lines = new Set(pages().flatMap(commands).map(({ command }) => command).filter((command) => /^npm run deploy( |$)/.test(command)));
  assert.ok(lines.size >= 4, [...lines].join("\n"));
  for (const line of lines) {
    Object.assign(cloud, new FakeAccount(), { wrangler: cloud.wrangler, call: cloud.call });
    rmSync(configFile(), { force: true });
    rmSync(join(home, "keys"), { recursive: true, force: true });
    const words = line.replace("npm run deploy", "").replace(/ -- /, " ").replace("...", "x.example.com").match(/"[^"]*"|\S+/g) ?? [];
    const { values } = parseArgs({ args: words.map((word) => word.replaceAll('"', "")), options: DEPLOY_OPTIONS });
    const options = { ...values, workersDev: values["workers-dev"], dryRun: values["dry-run"], freePlan: values["free-plan"] };
    // Without an option it is a later run.
    if (!words.length) await go();
    for (const run of [1, 2]) assert.match((await go(options)).baseUrl, /^https:\/\//, `${line}, run ${run}`);
    assert.equal(cloud.organizations, 1, line);
  }
});

test("a Worker that does not answer, and an organization that fails, are told; the next run goes on", async () => {
  cloud.down = true;
  await assert.rejects(go(), /\/health does not answer \(ENOTFOUND\)/);
  cloud.down = false;
  cloud.orgFails = true;
  await assert.rejects(go({}), /the first organization: the API answered 503/);
  await go({});
  assert.equal(cloud.organizations, 1);
  assert.equal(keys().organization_id, "org-1");
});

test("what is somebody else's stops it before anything is created", async () => {
  const foreign = [
    [() => (cloud.databases["posthorn-control"] = { id: "x", tables: ["users"] }), /holds other tables: users/],
    [() => (cloud.databases["posthorn-log-0"] = { id: "x", tables: ["events", "deliveries"] }), /database posthorn-log-0 of another deployment/],
    [() => (cloud.queues["posthorn-jobs"] = ["crawler"]), /queue posthorn-jobs is consumed by crawler/],
    [() => (cloud.workers.posthorn = { secrets: {}, config: "" }), /there is a Worker posthorn already/],
  ];
  for (const [plant, words] of foreign) {
    Object.assign(cloud, new FakeAccount(), { wrangler: cloud.wrangler, call: cloud.call });
    plant();
    await assert.rejects(go(), words);
    assert.deepEqual(changes(), []);
    assert.ok(!existsSync(configFile()));
    await go({ ...DOMAIN, name: "hooks" });
    assert.ok(cloud.workers.hooks, "another name is free");
    rmSync(configFile());
  }
});

test("--adopt takes over a deployment of another folder, and never a database with other tables", async () => {
  await go();
  const { secrets } = cloud.workers.posthorn;
  rmSync(configFile());
  rmSync(join(home, "keys"), { recursive: true });
  await assert.rejects(go(), /already/);
  await go({ ...DOMAIN, adopt: true });
  assert.deepEqual(cloud.workers.posthorn.secrets, secrets, "its secrets stay");
  assert.equal(cloud.organizations, 1);
  cloud.databases["hooks-control"] = { id: "x", tables: ["users"] };
  rmSync(configFile());
  await assert.rejects(go({ ...DOMAIN, name: "hooks", adopt: true }), /other tables/);
});

test("master keys are never made anew where sealed values are stored", async () => {
  await go();
  const { MASTER_KEYS } = keys();
  delete cloud.workers.posthorn.secrets.MASTER_KEYS;
  rmSync(join(home, "keys"), { recursive: true });
  await assert.rejects(go({}), /has no MASTER_KEYS/);
  assert.equal(cloud.workers.posthorn.secrets.MASTER_KEYS, undefined);
  env.MASTER_KEYS = MASTER_KEYS;
  await go({});
  assert.equal(cloud.workers.posthorn.secrets.MASTER_KEYS, MASTER_KEYS);
});

test("neither a domain nor workers.dev, or no login: nothing is created", async () => {
  await assert.rejects(go({}), /--domain HOST or --workers-dev/);
  await assert.rejects(go({ domain: "https://x" }), /a host name is needed/);
  await assert.rejects(go({ ...DOMAIN, name: "Post Horn" }), /--name/);
  assert.deepEqual(cloud.commands, []);
  cloud.loggedIn = false;
  await assert.rejects(go(), /not logged in/);
  cloud.loggedIn = true;
  cloud.accounts.push({ id: "acc2", name: "Other" });
  await assert.rejects(go(), /CLOUDFLARE_ACCOUNT_ID/);
  assert.deepEqual(changes(), []);
  env.CLOUDFLARE_ACCOUNT_ID = "acc2";
  await go();
  assert.match(cloud.workers.posthorn.config, /account_id = "acc2"/);
});

test("an option that is none is told with those that are, before anything is done", async () => {
  for (const [tool, option] of [["deploy", "--workers-dev"], ["admin", "doctor"]]) {
    const asked = promisify(execFile)(process.execPath, [inRepo("tools", `${tool}.mjs`), "--bogus"]);
    await assert.rejects(asked, ({ code, stdout, stderr }) => {
      assert.equal(code, 1);
      assert.match(stdout + stderr, /Unknown option '--bogus'/);
      assert.ok((stdout + stderr).includes(option) && !(stdout + stderr).includes("node:internal"));
      return true;
    });
  }
});

test("a CPU limit is for those who pay: --free-plan leaves it out, then and later", async () => {
  await go();
  assert.match(cloud.workers.posthorn.config, /^\[limits\]\ncpu_ms = 30_000$/m);
  cloud.isFree = true;
  await assert.rejects(go({}), (error) => /--free-plan/.test(error.hint));
  for (const options of [{ freePlan: true }, {}]) {
    await go(options);
    assert.ok(!/limits\]\ncpu|cpu_ms/.test(cloud.workers.posthorn.config));
    assert.match(cloud.workers.posthorn.config, /^\[build\]$/m);
  }
});

test("--dry-run says what it would do and changes nothing", async () => {
  const { planned } = await go({ ...DOMAIN, dryRun: true });
  assert.deepEqual(planned.slice(0, 5), [
    "create the database posthorn-control", "create the database posthorn-log-0",
    ...QUEUES.map((queue) => `create the queue ${queue}`),
  ]);
  assert.deepEqual(changes(), []);
  assert.ok(!existsSync(configFile()) && !existsSync(join(home, "keys")));
});

test("at workers.dev its own host becomes known, and only once", async () => {
  const { baseUrl } = await go({ workersDev: true });
  assert.equal(baseUrl, "https://posthorn.mine.workers.dev");
  const { config, deploys } = cloud.workers.posthorn;
  assert.equal(kept(config).vars.OWN_HOSTS, "posthorn.mine.workers.dev");
  assert.match(config, /workers_dev = true/);
  assert.equal(deploys, 2);
  await go({});
  assert.equal(cloud.workers.posthorn.deploys, 3);
});

test("the operator's variables and limits are kept, and one more shard is one more database", async () => {
  await go({ ...DOMAIN, jurisdiction: "eu" });
  assert.equal(cloud.databases["posthorn-control"].jurisdiction, "eu");
  const text = readFileSync(configFile(), "utf8").replace('LOG_SHARDS = "1"', 'LOG_SHARDS = "2"')
    .replace('EVENTS_PER_MONTH = ""', 'EVENTS_PER_MONTH = "1000"').replace("limit = 20000", "limit = 7");
  writeFileSync(configFile(), text);
  await go({});
  const { config } = cloud.workers.posthorn;
  assert.match(config, /binding = "LOG_1"\ndatabase_name = "posthorn-log-1"\ndatabase_id = "id-of-posthorn-log-1"/);
  assert.deepEqual(cloud.databases["posthorn-log-1"].tables.length, 3);
  assert.equal(kept(config).vars.EVENTS_PER_MONTH, "1000");
  assert.equal(kept(config).limits.PUBLISHABLE_KEY_LIMIT, "7");
  assert.equal(kept(config).vars.JURISDICTION, "eu", "the lanes stay there, too");
});

test("what wrangler.local.toml names and is gone is told", async () => {
  await go();
  delete cloud.databases["posthorn-log-0"];
  await assert.rejects(go({}), /posthorn-log-0 of wrangler.local.toml is gone/);
  assert.deepEqual(changes().filter((command) => command.startsWith("d1 create")).length, 2);
});
