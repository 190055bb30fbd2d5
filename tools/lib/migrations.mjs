// Brings the local databases up to the migrations in the repository, as `wrangler d1 migrations apply` does.
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { inRepo } from "./paths.mjs";
import { run } from "./run.mjs";
import { buildInto, hashOf, readStamp, writeStamp } from "./stamp.mjs";
import { wranglerCommand } from "./wrangler.mjs";

const APPLY_MS = 120_000;

/**
 * Migrates the databases below `stateDir`. wrangler takes two seconds per database to find out that
 * there is nothing to do, so a stamp says so instead; and an empty state is a copy of one that
 * wrangler migrated before.
 */
export async function applyMigrations(node, stateDir, configFile) {
  const databases = databasesOf(readFileSync(configFile, "utf8"));
  const wanted = hashOf([inRepo("migrations")], databases.flatMap((one) => [one.name, one.id]));
  const stampFile = join(stateDir, "migrations.stamp");
  const data = d1Folder(stateDir);
  if (readStamp(stampFile) === wanted && existsSync(data)) return;
  if (existsSync(data)) {
    await applyAll(node, databases, stateDir, configFile);
  } else {
    copyWhole(d1Folder(await template(node, databases, wanted, configFile)), data);
  }
  writeStamp(stampFile, wanted);
}

const d1Folder = (stateDir) => join(stateDir, "v3", "d1");

function databasesOf(config) {
  return config.split(/^\[\[d1_databases\]\]/m).slice(1).map((block) => {
    const value = (key) => block.match(new RegExp(`^${key}\\s*=\\s*"([^"]*)"`, "m"))?.[1];
    return { name: value("database_name"), id: value("database_id") };
  });
}

/** A state in which exactly these migrations were applied and nothing else was done. */
async function template(node, databases, wanted, configFile) {
  const home = inRepo(".wrangler", `migrated-${wanted.slice(0, 16)}`);
  if (existsSync(home)) return home;
  await buildInto(home, (draft) => applyAll(node, databases, draft, configFile));
  for (const name of readdirSync(dirname(home))) {
    const old = name.startsWith("migrated-") && !name.includes(".draft-") && join(dirname(home), name) !== home;
    if (old) rmSync(join(dirname(home), name), { recursive: true, force: true });
  }
  return home;
}

async function applyAll(node, databases, stateDir, configFile) {
  for (const { name } of databases) {
    const args = ["d1", "migrations", "apply", name, "--local", "--config", configFile, "--persist-to", stateDir];
    const { command, first, env, cwd } = wranglerCommand(node, stateDir);
    await run(command, [...first, ...args], { env, cwd, timeoutMs: APPLY_MS, what: `migrations of ${name}` });
  }
}

/** By a rename at the end: a copy cut short must not be taken for a database. */
function copyWhole(from, to) {
  const draft = `${to}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, draft, { recursive: true });
  renameSync(draft, to);
}
