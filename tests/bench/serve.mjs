// A subject of the bench in a process of its own: a Worker on Miniflare's API with a socket of its own, without the
// proxy of `wrangler dev`, which alone stops at some hundred requests a second. Gets what to run as JSON in its first
// argument, tells its parent when it is ready, and ends with it. With `sendsLog` the parent gets what the Worker logs, and
// a message {cron} fires that cron.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { convertV4MiniflareOptions, Miniflare } from "miniflare";
import { HOST } from "../../tools/lib/ports.mjs";

const { subject, state, port, innerPort, receiver, sendsLog } = JSON.parse(process.argv[2]);

const options = subject.repo ? worker(subject) : floor();
const miniflare = new Miniflare(convertV4MiniflareOptions({
  ...options,
  host: HOST,
  port: innerPort,
  unsafeDirectSockets: [{ host: HOST, port }],
  // The Worker logs every attempt; a terminal would be the slowest part of the bench.
  handleStructuredLogs: ({ level, message }) => {
    if (level === "error") console.error(message);
    if (sendsLog) process.send({ line: message });
  },
  resourcePersistencePath: state,
}));
await miniflare.ready;
for (const [name, files] of Object.entries(options.migrations)) {
  const db = await miniflare.getD1Database(name);
  if (await db.prepare("select 1 from sqlite_master where name not like '\\_%' escape '\\'").first()) continue;
  for (const file of files) await db.prepare(readFileSync(file, "utf8")).run();
}
process.on("message", async ({ cron }) => {
  const worker = await miniflare.getWorker();
  const { outcome } = await worker.scheduled({ cron });
  process.send({ outcome });
});
process.on("disconnect", async () => {
  await miniflare.dispose();
  process.exit(0);
});
process.send({ runtime: runtimeOf(process.pid) });

/** Posthorn as a repository configures it, built in its `build`; `wrapper` is a module that runs in front of it. */
function worker({ repo, build, vars, wrapper }) {
  const config = readFileSync(join(repo, "wrangler.toml"), "utf8");
  const value = (text, key) => text.match(new RegExp(`^${key} = "?([^"\\n]*)"?$`, "m"))?.[1];
  const blocks = (name) => config.split(`[[${name}]]\n`).slice(1).map((text) => text.split("\n[")[0]);
  const databases = blocks("d1_databases").map((block) => [value(block, "binding"), block]);
  const consumer = (block) => [value(block, "queue"), {
    maxBatchSize: Number(value(block, "max_batch_size")),
    maxBatchTimeout: Number(value(block, "max_batch_timeout")),
    maxRetries: Number(value(block, "max_retries")),
  }];
  const migrations = (block) => {
    const folder = join(repo, value(block, "migrations_dir"));
    return readdirSync(folder).sort().map((name) => join(folder, name));
  };
  const texts = config.split("[vars]\n")[1].split("\n[")[0].matchAll(/^(\w+) = "(.*)"$/gm);
  return {
    modulesRoot: build,
    modules: [
      ...(wrapper ? [{ type: "ESModule", path: join(build, "wrapper.js"), contents: readFileSync(wrapper, "utf8") }] : []),
      { type: "ESModule", path: join(build, "index.js") },
      { type: "CompiledWasm", path: join(build, "index_bg.wasm") },
    ],
    compatibilityDate: value(config, "compatibility_date"),
    compatibilityFlags: [...config.match(/^compatibility_flags = \[(.*)\]$/m)[1].matchAll(/"(.*?)"/g)].map(([, flag]) => flag),
    bindings: { ...Object.fromEntries([...texts].map(([, name, text]) => [name, text])), OWN_HOSTS: `${HOST}:${port}`, ...vars },
    d1Databases: Object.fromEntries(databases.map(([binding, block]) => [binding, value(block, "database_id")])),
    queueProducers: Object.fromEntries(blocks("queues.producers").map((block) => [value(block, "binding"), value(block, "queue")])),
    queueConsumers: Object.fromEntries(blocks("queues.consumers").map(consumer)),
    durableObjects: Object.fromEntries(blocks("durable_objects.bindings").map((block) => (
      [value(block, "name"), { className: value(block, "class_name"), useSQLite: true }]
    ))),
    migrations: Object.fromEntries(databases.map(([binding, block]) => [binding, migrations(block)])),
  };
}

function floor() {
  const file = (name) => join(import.meta.dirname, "floors", name);
  return {
    modulesRoot: file(""),
    modules: [{ type: "ESModule", path: file("worker.mjs") }],
    compatibilityDate: "2026-11-01",
    bindings: { RECEIVER: receiver },
    d1Databases: { CONTROL: "control", LOG: "log" },
    queueProducers: { JOBS: "jobs" },
    queueConsumers: { jobs: { maxBatchSize: 100, maxBatchTimeout: 0 } },
    durableObjects: { INTAKE: { className: "Intake", useSQLite: true } },
    migrations: { CONTROL: [file("control.sql")], LOG: [file("log.sql")] },
  };
}

/** The process in which the runtime does its work. */
function runtimeOf(parent) {
  const children = execFileSync("pgrep", ["-P", String(parent), "workerd"], { encoding: "utf8" });
  return Number(children.trim().split("\n")[0]);
}
