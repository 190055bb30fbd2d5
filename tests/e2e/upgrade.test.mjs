// The state that each release left, on the real platform: the current build starts on it, migrates it and keeps
// delivering. tests/it/upgrade.rs writes these states, and looks closer at lanes, order and what was held.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { apiClient, asPublisher } from "../../tools/lib/api.mjs";
import { ensureNode } from "../../tools/lib/node.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { run } from "../../tools/lib/run.mjs";
import { startWorker } from "../../tools/lib/worker.mjs";
import { wranglerCommand } from "../../tools/lib/wrangler.mjs";
import { openReceiver } from "./lib/receiver.mjs";
import { until } from "./lib/until.mjs";
import { ADMIN_TOKEN } from "./lib/world.mjs";

const FIXTURES = inRepo("tests", "fixtures");
/** As in tests/it/edge/mod.rs: it sealed what the states hold. */
const MASTER_KEYS = "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
/** Longer than the longest time to a next attempt that the states hold: all that is owed is due. */
const LEFT_MS = 3 * 3_600_000;
const text = (release, name) => readFileSync(join(FIXTURES, release, name), "utf8");

/** A version whose schema may still change has no state that must be kept: its first migration is changed in place. */
function isOfToday(release) {
  if (readFileSync(inRepo("CHANGELOG.md"), "utf8").includes(`\n## ${release} - `)) return true;
  const tables = (sql) => new Set(sql.replace(/--.*$/gm, "").toLowerCase().match(/create table[^;]*;/g).map((one) => one.replace(/\s+/g, "")));
  const same = (kind) => {
    const [then, now] = [tables(text(release, `${kind}.sql`)), tables(readFileSync(inRepo("migrations", kind, "0001_initial.sql"), "utf8"))];
    return [...now].every((one) => then.has(one));
  };
  return same("control") && same("log");
}

for (const release of readdirSync(FIXTURES)) {
  test(`the state of ${release}`, { skip: isOfToday(release) ? false : "it was not released, and its schema has changed since" }, async () => {
    const stateDir = mkdtempSync(join(tmpdir(), "posthorn-upgrade-"));
    const receiver = await openReceiver();
    let worker;
    try {
      const rest = JSON.parse(text(release, "rest.json"));
      // It was left so long ago that the sweeper takes for lost what its queue held, and its customers' endpoints are
      // the test's receiver.
      const earlier = rest.at_ms - (Date.now() - LEFT_MS);
      const moved = (sql) => sql.replace(/(?<=[\s(,:'"])1[78]\d{11}(?=[\s),:}'"])/g, (ms) => String(Number(ms) - earlier))
        .replaceAll("https://hooks.example.com", new URL(receiver.url("/")).origin);
      const node = await ensureNode();
      for (const [name, kind] of [["posthorn-control", "control"], ["posthorn-log-0", "log"]]) {
        const migrations = rest[`${kind}_migrations`].map((one) => `insert into d1_migrations (name) values ('${one}');`);
        const table = "create table d1_migrations (id integer primary key autoincrement, name text unique, applied_at timestamp not null default current_timestamp);";
        const file = join(stateDir, `${kind}.sql`);
        writeFileSync(file, [moved(text(release, `${kind}.sql`)), table, ...migrations].join("\n"));
        const { command, first, env, cwd } = wranglerCommand(node, stateDir);
        const args = ["d1", "execute", name, "--local", "--config", inRepo("wrangler.toml"), "--persist-to", stateDir, "--file", file, "--yes"];
        await run(command, [...first, ...args], { env, cwd, timeoutMs: 120_000, what: `the state of ${name}` });
      }
      const open = [...moved(text(release, "log.sql")).matchAll(/^insert into deliveries .* values \('[^']*','[^']*','([^']*)',\d+,'(pending|retrying)'/gm)]
        .map(([, event]) => event);
      assert.ok(open.length >= 13, `${open.length}`);
      worker = await startWorker({ stateDir, vars: { ADMIN_TOKEN, MASTER_KEYS, ALLOW_PRIVATE_DESTINATIONS: "true" }, sweepEveryMs: 5_000 });
      const arrived = () => new Set(receiver.requests.map(({ headers }) => headers["posthorn-event-id"]));
      await until("everything that was owed is delivered", () => {
        const missing = open.filter((event) => !arrived().has(event));
        return missing.length === 0 || `${missing.length} of ${open.length} are missing`;
      }, 120_000);
      const [key] = text(release, "control.sql").match(/mesh_pub_[\w.]+/);
      const publisher = apiClient(worker.baseUrl, asPublisher(key));
      const answer = await publisher.post("/events", { event: "fine", payload: { after: release } });
      assert.equal(answer.status, 201, answer.text);
    } finally {
      await worker?.stop();
      await receiver.close();
      rmSync(stateDir, { recursive: true, force: true });
    }
  });
}
