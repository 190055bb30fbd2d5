// How wrangler is called: never asking, never phoning home, and with its files inside the state folder.
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRepo, root } from "./paths.mjs";
import { StepError } from "./run.mjs";

/** The command, its first arguments, environment and folder for one call of wrangler. */
export function wranglerCommand(node, stateDir) {
  return {
    command: node,
    // Not bin/wrangler.js: that starts this file as a child and does not pass signals on to it.
    first: ["--no-warnings", inRepo("node_modules", "wrangler", "wrangler-dist", "cli.js")],
    cwd: root,
    env: {
      ...process.env,
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_SEND_ERROR_REPORTS: "false",
      WRANGLER_HIDE_BANNER: "true",
      WRANGLER_CI_DISABLE_CONFIG_WATCHING: "true",
      WRANGLER_LOG_PATH: join(stateDir, "logs"),
      WRANGLER_REGISTRY_PATH: join(stateDir, "registry"),
      WRANGLER_CACHE_DIR: join(stateDir, "cache"),
      // A trace of every request into one more SQLite file: slow, and nobody reads it here.
      X_LOCAL_OBSERVABILITY: "false",
      X_LOCAL_EXPLORER: "false",
      NO_COLOR: "1",
      FORCE_COLOR: "0",
    },
  };
}

/**
 * Puts a copy of the built Worker, of its static files and of its configuration into the state folder. wrangler watches
 * what it runs: with a copy, an edit or a build in the repository cannot cause a hot reload, which
 * would lose the local queue. `rateLimits` are limits by the names of their bindings; a binding without
 * one is left out, because locally each count is a write to a disk. `wrapper` is a module that runs in front of the
 * built one, which it finds as `./index.js`. Answers the path of the configuration.
 */
export function stageWorker(stateDir, rateLimits = {}, wrapper) {
  const folder = join(stateDir, "worker");
  mkdirSync(folder, { recursive: true });
  for (const name of ["index.js", "index_bg.wasm"]) {
    if (!existsSync(inRepo("build", name))) throw new StepError("the Worker is not built: run `npm run build`.");
    copyFileSync(inRepo("build", name), join(folder, name));
  }
  if (wrapper) copyFileSync(wrapper, join(folder, "wrapper.mjs"));
  rmSync(join(folder, "public"), { recursive: true, force: true });
  cpSync(inRepo("public"), join(folder, "public"), { recursive: true });
  const config = join(folder, "wrangler.toml");
  writeFileSync(config, localConfig(readFileSync(inRepo("wrangler.toml"), "utf8"), rateLimits, wrapper ? "wrapper.mjs" : "index.js"));
  return config;
}

function localConfig(text, rateLimits, main) {
  const limited = text.replace(/^\[\[ratelimits\]\]\nname = "(.*)"\n.*\nsimple = .*\n/gm, (block, name) => (
    name in rateLimits ? block.replace(/limit = \d+/, `limit = ${rateLimits[name]}`) : ""
  ));
  const lines = limited.replace(/^\[build\]\n(?!\[)(?:(?!\[).*\n?)*/m, "").split("\n");
  return lines.map((line) => {
    if (line.startsWith("main ")) return `main = "${main}"`;
    const folder = line.match(/^migrations_dir\s*=\s*"(.*)"/)?.[1];
    return folder ? `migrations_dir = ${JSON.stringify(inRepo(folder))}` : line;
  }).join("\n");
}

/** Writes variables and secrets where wrangler reads them; on its command line everybody could. */
export function writeVars(stateDir, vars) {
  const lines = Object.entries(vars).map(([name, value]) => {
    if (/['\n]/.test(value)) throw new Error(`${name} cannot hold quotes or line ends`);
    return `${name}='${value}'\n`;
  });
  const file = join(stateDir, "worker", "vars.env");
  writeFileSync(file, lines.join(""), { mode: 0o600 });
  return file;
}
