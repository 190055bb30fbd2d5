// Builds the Worker into build/, wasm and the JavaScript around it, and renders the pages of public/. wrangler's [build] command is this file.
import { existsSync, readFileSync, renameSync, rmSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { toolVersions } from "./lib/cargo-tools.mjs";
import { withNode } from "./lib/node.mjs";
import { renderPages } from "./lib/pages.mjs";
import { inRepo, isMain, root } from "./lib/paths.mjs";
import { die, run, stopToolsOnSignals } from "./lib/run.mjs";
import { hashOf, readStamp, writeStamp } from "./lib/stamp.mjs";
import { step } from "./lib/steps.mjs";
import { setup } from "./setup.mjs";

const WASM = inRepo("build", "index_bg.wasm");
const STAMP = inRepo("build", ".posthorn-stamp");
// Apart from target/, so that native and wasm builds do not undo each other's work.
const TARGET_DIR = inRepo("target", "wasm");
const STD_STAMP = inRepo("target", "wasm", ".posthorn-std");
const BUILD_MS = 1_800_000;

/** Builds unless build/ is what the sources and tools at hand would give. Answers wasmSize(). */
export async function build() {
  const ready = await setup();
  await renderPages(ready);
  const wanted = hashOf(sources(), [...toolVersions(), ready.wasm.key]);
  if (readStamp(STAMP) !== wanted || !existsSync(WASM)) {
    // Gone first: whatever stops the build, a half-made folder must not look finished.
    rmSync(STAMP, { force: true });
    await step("Worker to wasm (worker-build --release)", (note) => compile(ready, note));
    writeStamp(STAMP, wanted);
  }
  const size = wasmSize();
  console.log(`  Worker: ${kilobytes(size.raw)} of wasm, ${kilobytes(size.gzip)} gzipped`);
  return size;
}

/** How large the module may be, gzipped: the bound of the tests, and what the bench compares with. */
export const WASM_GZIP_BYTES_MAX = 1_200 * 1000;

/** Bytes of the built wasm, as it is and as it counts against the platform's limit. */
export function wasmSize() {
  const wasm = readFileSync(WASM);
  return { raw: wasm.length, gzip: gzipSync(wasm, { level: 9 }).length };
}

const sources = () => ["src", "Cargo.toml", "Cargo.lock", "tools/build.mjs"].map((name) => inRepo(name));
const kilobytes = (bytes) => `${Math.round(bytes / 1000)} KB`;

async function compile({ node, wasm, tools }, note) {
  forgetOtherLibrary(wasm.key);
  const env = withNode(node, {
    ...wasm.env,
    CARGO_TARGET_DIR: TARGET_DIR,
    WASM_BINDGEN_BIN: tools.wasmBindgen,
    ESBUILD_BIN: tools.esbuild,
    WASM_OPT_BIN: tools.wasmOpt,
  });
  const hint = "the lines above are the compiler's; `cargo check` shows the same errors faster.";
  await run(tools.workerBuild, ["--release"], { cwd: root, env, timeoutMs: BUILD_MS, onLine: note, hint, what: "worker-build" });
  await strip(tools, env);
}

/** Crates compiled against another standard library fail to link (E0463), and cargo does not see the change. */
function forgetOtherLibrary(key) {
  if (readStamp(STD_STAMP) === key) return;
  rmSync(TARGET_DIR, { recursive: true, force: true });
  writeStamp(STD_STAMP, key);
}

/**
 * Takes out the function names that worker-build keeps. Cargo's `strip` cannot do it: it also takes
 * the section that tells wasm-bindgen what the module needs. Before that the module is optimized once
 * more, and its functions are put in the order of their names: what was made of one generic function
 * stands together, and compresses better. Nothing lies in the first kilobyte of the memory, the far end
 * of the stack, so an address and a small offset can be one number. Together this takes 23 KB off the
 * gzipped module.
 */
async function strip(tools, env) {
  const slim = `${WASM}.slim`;
  const args = [WASM, "-o", slim, "-Oz", "--low-memory-unused", "--reorder-functions-by-name", "--strip-debug", "--strip-producers"];
  await run(tools.wasmOpt, args, { env, timeoutMs: BUILD_MS });
  renameSync(slim, WASM);
}

if (isMain(import.meta.url)) {
  stopToolsOnSignals();
  build().catch(die);
}
