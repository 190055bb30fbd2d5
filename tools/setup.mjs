// Brings a fresh machine to where Posthorn can be built and run. Needs Node and Rust; installs the rest.
import { ensureTools } from "./lib/cargo-tools.mjs";
import { ensureNode, ensurePackages } from "./lib/node.mjs";
import { isMain } from "./lib/paths.mjs";
import { die, stopToolsOnSignals } from "./lib/run.mjs";
import { findRust } from "./lib/rust.mjs";
import { seconds } from "./lib/steps.mjs";
import { ensureWasmTarget } from "./lib/wasm-target.mjs";

let done;

/** Makes sure of everything (once per process) and answers where it is: {rust, node, wasm, tools}. */
export function setup() {
  return (done ??= ensureAll());
}

async function ensureAll() {
  const started = Date.now();
  console.log("Set-up");
  // Node and packages first: they take seconds and most machines fail there if anywhere.
  const rust = findRust();
  const node = await ensureNode();
  await ensurePackages(node);
  const wasm = await ensureWasmTarget(rust);
  const tools = await ensureTools(rust);
  console.log(`  Ready: Rust ${rust.version}, wasm by ${wasm.way} (${seconds(started)})`);
  return { rust, node, wasm, tools };
}

if (isMain(import.meta.url)) {
  stopToolsOnSignals();
  setup().catch(die);
}
