// A compiler that can target wasm32: by rustup where it can download, else built from Debian's sources.
import { existsSync, readdirSync } from "node:fs";
import { hasDebianPackages } from "./debian.mjs";
import { ask, run, StepError } from "./run.mjs";
import { step } from "./steps.mjs";
import { ensureDebianTarget, findDebianTarget } from "./wasm-debian.mjs";

export const TARGET = "wasm32-unknown-unknown";

const PROBE_S = 10;
const DOWNLOAD_MS = 300_000;

/**
 * Makes sure that wasm can be compiled. Answers the environment for it and a key that changes
 * when the standard library does (crates built against another one do not link).
 */
export async function ensureWasmTarget(rust) {
  const ready = findRustupTarget(rust) ?? findDebianTarget();
  if (ready) return ready;
  const problem = await addByRustup(rust);
  const added = findRustupTarget(rust);
  if (added) return added;
  if (hasDebianPackages()) return ensureDebianTarget(problem);
  throw new StepError(`the Rust target ${TARGET} is missing: ${problem}.`, {
    hint: `Run \`rustup target add ${TARGET}\`, then this command again.`,
  });
}

function findRustupTarget({ env }) {
  const libraries = ask("rustc", ["--print", "target-libdir", "--target", TARGET], { env });
  // The folder alone says nothing: an interrupted installation leaves an empty one.
  const complete = libraries && existsSync(libraries) && readdirSync(libraries).some((name) => /^libstd-.*rlib$/.test(name));
  if (!complete) return null;
  return { way: "rustup", key: ask("rustc", ["--version"], { env }), env };
}

/** Answers why it could not be done. */
async function addByRustup({ env }) {
  if (!ask("rustup", ["--version"], { env })) return "this Rust was not installed by rustup";
  // rustup itself waits without end behind a firewall that swallows packets: look first.
  if (!(await downloadsAnswer(env))) return "rustup's download server does not answer";
  try {
    const args = ["target", "add", TARGET];
    await step(`Rust standard library for ${TARGET} (rustup target add)`, (note) =>
      run("rustup", args, { env, timeoutMs: DOWNLOAD_MS, onLine: note }));
    return "rustup added it, and yet it is not there";
  } catch (error) {
    return error.message;
  }
}

async function downloadsAnswer(env) {
  const server = env.RUSTUP_DIST_SERVER || "https://static.rust-lang.org";
  const url = `${server}/dist/channel-rust-stable.toml.sha256`;
  return step(`Looking for rustup's downloads (at most ${PROBE_S} s)`, async () => {
    // curl knows the proxy settings that fetch ignores.
    const args = ["-fsSL", "--max-time", String(PROBE_S), "-o", "/dev/null", url];
    if (ask("curl", ["--version"]) !== null) return ask("curl", args, { env, timeoutMs: (PROBE_S + 2) * 1000 }) !== null;
    const signal = AbortSignal.timeout(PROBE_S * 1000);
    return fetch(url, { signal }).then((answer) => answer.ok, () => false);
  });
}
