// `npm run bench`: builds and runs tests/bench with a Node that is new enough for wrangler.
import { build } from "./build.mjs";
import { inRepo, root } from "./lib/paths.mjs";
import { die, run, stopToolsOnSignals } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

const BENCH_MS = 2_400_000;

async function main() {
  const { node } = await setup();
  await build();
  await run(node, [inRepo("tests", "bench", "bench.mjs"), ...process.argv.slice(2)], { cwd: root, inherit: true, timeoutMs: BENCH_MS, what: "benchmark" });
}

stopToolsOnSignals();
main().catch(die);
