// The README's story: `npm start`, paste the printed curl line, see the delivery verified; and stopping,
// killing and starting again. It runs in a copy of the working files, so that a Posthorn that is
// being used here keeps its own .dev and .wrangler.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, test } from "node:test";
import { promisify } from "node:util";
import { apiClient, asAdmin, asMachine } from "../../tools/lib/api.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { freePort, HOST, isFree } from "../../tools/lib/ports.mjs";
import { membersOf, signalGroup } from "../../tools/lib/processes.mjs";
import { eachLine } from "../../tools/lib/run.mjs";
import { matching, olderUuid, uuid, assertShape } from "./lib/shapes.mjs";
import { until } from "./lib/until.mjs";
import { made, ok } from "./lib/world.mjs";

const READY_MS = 120_000;
const FILES = [
  "Cargo.lock", "Cargo.toml", "build", "examples", "migrations", "package-lock.json", "package.json", "public", "src", "tools",
  "rust-toolchain.toml", "wrangler.toml",
];

let home, stateDir, port;
const runs = [];

before(async () => {
  home = mkdtempSync(join(tmpdir(), "posthorn-start-"));
  stateDir = join(home, "state of mine");
  for (const name of FILES) cpSync(inRepo(name), join(home, name), { recursive: true });
  for (const name of ["node_modules", "target"]) symlinkSync(inRepo(name), join(home, name));
  mkdirSync(join(home, ".wrangler"));
  const kept = existsSync(inRepo(".wrangler")) ? readdirSync(inRepo(".wrangler")) : [];
  for (const name of kept.filter((folder) => folder.startsWith("migrated-"))) {
    cpSync(inRepo(".wrangler", name), join(home, ".wrangler", name), { recursive: true });
  }
  port = await freePort();
});
// A test that failed must not leave a Posthorn in the way of the next.
afterEach(() => {
  for (const run of runs.splice(0)) for (const pgid of run.groups()) signalGroup(pgid, "SIGKILL");
});
after(() => rmSync(home, { recursive: true, force: true }));

/** Starts Posthorn as a user would, without a terminal, and collects what it prints. */
function start(command, args, env = {}) {
  const child = spawn(command, args, {
    cwd: home, detached: true, stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PORT: String(port), STATE_DIR: stateDir, ...env },
  });
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => lines.push(line));
  const run = { child, lines, output: () => lines.join("\n") };
  run.exited = new Promise((done) => child.on("close", (code, signal) => done(signal ?? code)));
  run.workerGroup = () => JSON.parse(readFileSync(join(stateDir, "worker.json"), "utf8")).pgid;
  const groups = new Set([child.pid]);
  run.groups = () => [...groups];
  run.ready = async () => {
    let ended = false;
    run.exited.then(() => (ended = true));
    await until("tenant.json is written", () => {
      assert.ok(!ended, `it ended:\n${run.output()}`);
      return existsSync(tenantFile()) || run.output();
    }, READY_MS);
    // Written before the curl line is printed.
    await until("the welcome is printed", () => /^Ctrl-C/m.test(run.output()) || run.output());
    groups.add(run.workerGroup());
    return tenant();
  };
  run.stopped = async (signal) => {
    const members = run.groups();
    process.kill(child.pid, signal);
    const how = await run.exited;
    for (const pgid of members) await until(`nobody is left of group ${pgid}`, () => membersOf(pgid).length === 0 || membersOf(pgid).join());
    assert.ok(await isFree(port), "the port is free again");
    return how;
  };
  runs.push(run);
  return run;
}

const startScript = (env) => start(process.execPath, ["tools/start.mjs"], env);
const tenantFile = () => join(home, ".dev", "tenant.json");
const tenant = () => JSON.parse(readFileSync(tenantFile(), "utf8"));
const machine = (keys) => ({ organizationId: keys.organization_id, accessKey: keys.access_key, secretKey: keys.secret_key });

let first, emitted;

test("npm start, the printed curl line, and a delivery that standardwebhooks has verified", async () => {
  const run = start("npm", ["start"]);
  first = await run.ready();
  assertShape(first, {
    base_url: `http://127.0.0.1:${port}`, admin_token: matching(/^.{32,}$/), organization_id: olderUuid,
    access_key: matching(/^mk_[A-Za-z0-9_-]{22,}$/), secret_key: matching(/^[A-Za-z0-9_-]{43,}$/), workspace_id: uuid,
    publishable_key: matching(/^mesh_pub_([A-Za-z0-9\-.]+)_([A-Za-z0-9\-.]+)_([^_]+)$/),
    demo_shop_url: matching(/^http:\/\/127\.0\.0\.1:\d+$/),
  });
  for (const file of [tenantFile(), join(stateDir, "secrets.json")]) assert.equal(statSync(file).mode & 0o077, 0, file);
  const [curl] = run.output().match(/^ *curl .*$/m);
  assert.ok(curl.includes(first.base_url) && curl.includes(first.publishable_key));
  for (const shown of [first.base_url, first.publishable_key, first.demo_shop_url]) assert.ok(run.output().includes(shown));
  assert.ok(!run.output().includes(first.secret_key) && !run.output().includes(first.admin_token));

  const began = Date.now();
  const { stdout } = await promisify(execFile)("sh", ["-c", curl]);
  const { event } = JSON.parse(stdout);
  assert.equal(event.event, "order.completed");
  await until("the receiver says that it verified the delivery", () => /VERIFIED by standardwebhooks/.test(run.output()) || run.output());
  console.log(`from curl to the verified delivery: ${Date.now() - began} ms`);
  await until("the body is printed", () => run.lines.some((line) => line.startsWith("└")) || run.output());
  assert.ok(!/NOT verified/.test(run.output()));
  const body = run.lines[run.lines.findIndex((line) => line.startsWith("├")) + 1];
  assert.equal(body, curl.match(/"payload":(\{.*\})\}'/)[1]);
  assert.match(run.output(), new RegExp(`posthorn-event-id: ${event.id}`));
  emitted = event.id;
  const found = ok(await apiClient(first.base_url, asMachine(machine(first))).get(`/events/${event.id}`));
  assert.equal(found.rule_events[0].workspace, first.workspace_id);
  made(await apiClient(first.base_url, asAdmin(first.admin_token)).post("/organizations", { name: "Another" }));
  await assertShopEmits(run);
  await run.stopped("SIGTERM");
});

test("a second start has its tenant and its state, and ends with exit code 0", async () => {
  const began = Date.now();
  const run = startScript();
  await rewritten();
  assert.deepEqual(await run.ready(), first);
  console.log(`second start: ${Date.now() - began} ms`);
  const api = apiClient(first.base_url, asMachine(machine(first)));
  assert.equal(ok(await api.get(`/events/${emitted}`)).status, "completed");
  assert.equal(ok(await api.get("/connections")).count, 1);
  assert.equal(ok(await api.get("/rules")).count, 1);
  const catalogue = ok(await api.get("/event-types")).records.map(({ key }) => key);
  assert.deepEqual(catalogue, ["customer.created", "invoice.paid", "order.completed", "order.refunded"]);
  await assertEmitVerified(run);

  const other = startScript({ PORT: String(await freePort()) });
  assert.equal(await other.exited, 1);
  assert.match(other.output(), /runs on this state already/);
  assert.deepEqual(tenant(), first, "the one that runs keeps its file");
  const elsewhere = startScript({ STATE_DIR: join(home, "another state") });
  assert.equal(await elsewhere.exited, 1);
  assert.match(elsewhere.output(), /port \d+ is taken/);
  assert.deepEqual(tenant(), first, "and keeps it when another state asks for its port");
  assert.equal(await run.stopped("SIGINT"), 0);
  assert.ok(!existsSync(tenantFile()), "nobody takes a stopped one for ready");
});

test("killed with SIGKILL, it starts again on the same state and port at once", async () => {
  const killed = startScript();
  await rewritten();
  await killed.ready();
  // Only the process itself: wrangler and workerd are left behind for the next start to clear away.
  process.kill(killed.child.pid, "SIGKILL");
  await killed.exited;
  const run = startScript();
  await rewritten();
  assert.deepEqual(await run.ready(), first);
  assert.deepEqual(membersOf(killed.groups()[1]), [], "the former Worker is gone");
  await assertEmitVerified(run);
  assert.equal(await run.stopped("SIGTERM"), 0);
});

test("NO_DEMO_RECEIVER, NO_DEMO_SHOP and ALLOW_PRIVATE_DESTINATIONS=false", async () => {
  const run = startScript({ NO_DEMO_RECEIVER: "1", NO_DEMO_SHOP: "1", ALLOW_PRIVATE_DESTINATIONS: "false" });
  await rewritten();
  const { demo_shop_url, ...others } = first;
  assert.deepEqual(await run.ready(), others);
  await assert.rejects(fetch(demo_shop_url), "no shop is there");
  const api = apiClient(first.base_url, asMachine(machine(first)));
  assert.equal(ok(await api.get("/connections")).count, 0);
  assert.equal(ok(await api.get("/rules")).count, 0);
  const metadata = { url: "http://127.0.0.1:9/" };
  const refused = await api.post("/connections", { workspace: first.workspace_id, type: "webhook", name: "Local", metadata });
  assert.equal(refused.status, 422, refused.text);
  assert.equal(await run.stopped("SIGTERM"), 0);
});

test("what cannot work is said, and ends with exit code 1", async () => {
  for (const [env, words] of [[{ PORT: "nonsense" }, /PORT=nonsense/], [{ PORT: "70000" }, /PORT=70000/]]) {
    const run = startScript(env);
    assert.equal(await run.exited, 1);
    assert.match(run.output(), words);
  }
  const taken = createServer().listen(port, HOST);
  try {
    const run = startScript();
    assert.equal(await run.exited, 1);
    assert.match(run.output(), new RegExp(`port ${port} is taken`));
  } finally {
    taken.close();
  }
});

async function assertEmitVerified(run) {
  const [curl] = run.output().match(/^ *curl .*$/m);
  await promisify(execFile)("sh", ["-c", curl]);
  await until("a delivery is verified", () => /VERIFIED by standardwebhooks/.test(run.output()) || run.output());
}

/** An order of the demo shop is an event: it arrives at the receiver, whose body has the order's number. */
async function assertShopEmits(run) {
  const { demo_shop_url: shop } = tenant();
  const headers = { origin: shop, accept: "application/json" };
  const placed = await fetch(`${shop}/orders`, { method: "POST", headers });
  assert.equal(placed.status, 201);
  const { order_id } = await placed.json();
  await until("the order arrives", () => run.lines.some((line) => line.includes(`"order_id":"${order_id}"`)) || run.output());
}

/** A start takes the former file away first: only then does a file that is there belong to it. */
async function rewritten() {
  await until("the former tenant.json is gone", () => !existsSync(tenantFile()) || "it is there", READY_MS, 5);
}
