// worker-build and wasm-bindgen, compiled once per version and kept in the cache.
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { inCache, inRepo, platformKey } from "./paths.mjs";
import { run } from "./run.mjs";
import { lockedVersion } from "./rust.mjs";
import { buildInto } from "./stamp.mjs";
import { step } from "./steps.mjs";

const INSTALL_MS = 1_800_000;

/** The tools that worker-build calls, and itself: absolute paths. */
export async function ensureTools(rust) {
  const tools = [
    // Its version follows the worker crate's: it writes the JavaScript half of that crate.
    { crate: "worker-build", version: lockedVersion("worker"), flags: ["--locked"], bin: "worker-build" },
    // Must be exactly the version of the library. Unlocked: a delayed mirror may lack a locked dependency.
    { crate: "wasm-bindgen-cli", version: lockedVersion("wasm-bindgen"), flags: [], bin: "wasm-bindgen" },
  ];
  const missing = tools.filter((tool) => !existsSync(binary(tool)));
  // One folder for both builds, because they share many dependencies.
  const shared = inCache(`compiling-${process.pid}`);
  try {
    for (const tool of missing) await install(tool, rust, shared);
  } finally {
    rmSync(shared, { recursive: true, force: true });
  }
  const [workerBuild, wasmBindgen] = tools.map(binary);
  return { workerBuild, wasmBindgen, esbuild: esbuildBinary(), wasmOpt: inRepo("node_modules", "binaryen", "bin", "wasm-opt") };
}

const home = ({ crate, version }) => inCache(`${crate}-${version}-${platformKey}`);
const binary = (tool) => join(home(tool), "bin", tool.bin);

function install(tool, rust, shared) {
  const env = {
    ...rust.env,
    CARGO_TARGET_DIR: shared,
    // They run for a second per build: compiling them fast is worth more than their speed.
    CARGO_PROFILE_RELEASE_LTO: "off",
    CARGO_PROFILE_RELEASE_OPT_LEVEL: "0",
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS: "64",
    CARGO_PROFILE_RELEASE_DEBUG: "0",
    CARGO_PROFILE_RELEASE_STRIP: "none",
  };
  const title = `${tool.crate} ${tool.version} (cargo install, about two minutes the first time)`;
  const hint = "on Debian or Ubuntu a failing openssl-sys needs `apt-get install pkg-config libssl-dev build-essential`; "
    + "a failing download needs access to crates.io or a mirror in ~/.cargo/config.toml.";
  return step(title, (note) =>
    buildInto(home(tool), (draft) => {
      const args = ["install", tool.crate, "--version", tool.version, ...tool.flags, "--root", draft];
      return run("cargo", args, { env, timeoutMs: INSTALL_MS, onLine: note, hint });
    }));
}

/** The native program where npm brought it; the package's own wrapper elsewhere. */
function esbuildBinary() {
  const require = createRequire(inRepo("package.json"));
  try {
    return require.resolve(`@esbuild/${process.platform}-${process.arch}/bin/esbuild`);
  } catch {
    return inRepo("node_modules", "esbuild", "bin", "esbuild");
  }
}

/** The versions that decide what a build produces, for its stamp. */
export function toolVersions() {
  const installed = (name) => JSON.parse(readFileSync(inRepo("node_modules", name, "package.json"), "utf8")).version;
  return [
    `worker-build ${lockedVersion("worker")}`,
    `wasm-bindgen ${lockedVersion("wasm-bindgen")}`,
    `esbuild ${installed("esbuild")}`,
    `binaryen ${installed("binaryen")}`,
  ];
}
