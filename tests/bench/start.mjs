// How long the module takes to start: compiling it, and running it up to the first answer. Run in the JavaScript
// engine of this Node, which is that of the platform; compare only figures of one run.
// `BASELINE=<build folder>` measures another build beside it, turn about, and prints the ratios.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { join, resolve } from "node:path";
import { inRepo } from "../../tools/lib/paths.mjs";
import { median } from "./statistics.mjs";

const RUNS = 15;

/** Prints the table of both builds, or of this one alone. */
export function startTimes() {
  const builds = { "this build": inRepo("build") };
  if (process.env.BASELINE) builds.baseline = resolve(process.env.BASELINE);
  const measured = Object.fromEntries(Object.keys(builds).map((name) => [name, []]));
  // Turn about, so that what else the machine does meets both.
  for (let n = 0; n < RUNS; n += 1) {
    for (const [name, folder] of Object.entries(builds)) measured[name].push(startOnce(folder));
  }
  const middle = (values) => Number(median(values).toFixed(2));
  const table = Object.fromEntries(Object.entries(measured).map(([name, runs]) => [name, {
    "compile ms": middle(runs.map((run) => run.compileMs)),
    "first request ms": middle(runs.map((run) => run.firstMs)),
  }]));
  if (table.baseline) {
    const ratio = (what) => Number((table["this build"][what] / table.baseline[what]).toFixed(2));
    table.ratio = Object.fromEntries(Object.keys(table.baseline).map((what) => [what, ratio(what)]));
  }
  console.log(`\nStart of the module, median of ${RUNS} fresh processes`);
  console.table(table);
}

/** {compileMs, firstMs} of a build folder. A process that has compiled a module once keeps its code, so each needs a new one. */
export function startOnce(folder) {
  const script = fileURLToPath(new URL("start-once.mjs", import.meta.url));
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, folder], { encoding: "utf8" });
  if (status !== 0) throw new Error(`${join(folder, "index_bg.wasm")} does not start: ${stderr}`);
  // Before it stands what the Worker logs.
  return JSON.parse(stdout.trim().split("\n").at(-1));
}
