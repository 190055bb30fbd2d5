// `npm run mutants`: breaks the product on purpose, one patch at a time, and shows what notices. Every patch in
// tests/mutants says in its first line which promise it breaks. A seed of the simulation must notice it, or the
// native test that a line "Seen by: file::test" of the patch names. None may survive.
// `npm run mutants -- promise-4` tries only those whose name contains the word.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRepo, isMain, root } from "./lib/paths.mjs";
import { die, run, StepError, stopToolsOnSignals } from "./lib/run.mjs";
import { seconds } from "./lib/steps.mjs";
import { setup } from "./setup.mjs";

const PATCHES = inRepo("tests", "mutants");
// A copy of the sources, so that nothing here ever touches the working tree.
const COPY = inRepo("target", "mutants");
// Built apart from everything else, and without what only a debugger reads: a break then takes seconds to build.
const BUILT = inRepo("target", "mutants-build");
const SEEDS = process.env.SEEDS ?? "3000";
const BUILD_MS = 1_800_000;
/** All that the native tests are built from. */
export const COPIED = ["Cargo.toml", "Cargo.lock", "clippy.toml", "wrangler.toml", "CHANGELOG.md", "docs", "migrations",
  "public", "src", "tests/fixtures", "tests/it"];
// The simulation and what it stands on; the other tests need not be built for it.
const MAIN = "//! The simulation alone.\n\nmod edge;\nmod reference;\nmod simulation;\nmod tenant;\n";

async function main() {
  const word = process.argv[2] ?? "";
  const patches = readdirSync(PATCHES).filter((name) => name.endsWith(".patch") && name.includes(word)).sort();
  if (!patches.length) throw new StepError(`no patch in tests/mutants has "${word}" in its name.`);
  const { rust } = await setup();
  const [survivors, untried] = [[], []];
  for (const patch of patches) {
    const began = Date.now();
    const told = (word, what) => console.log(`${word.padEnd(8)} ${patch.padEnd(52)} ${what} (${seconds(began)})`);
    try {
      const caught = await attempt(patch, rust.env);
      told(caught ? "caught" : "SURVIVES", caught ?? "nothing noticed it");
      if (!caught) survivors.push(patch);
    } catch (error) {
      // The others are tried all the same: they take hours together.
      if (!(error instanceof StepError)) throw error;
      told("UNTRIED", [error.message, error.tail].filter(Boolean).join("\n"));
      untried.push(patch);
    }
  }
  rmSync(COPY, { recursive: true, force: true });
  const failed = [["survive", survivors], ["could not be tried", untried]].filter(([, some]) => some.length);
  const words = failed.map(([what, some]) => `${some.length} of ${patches.length} breaks ${what}: ${some.join(", ")}`);
  if (words.length) throw new StepError(words.join("\n"));
  console.log(`All ${patches.length} breaks are caught.`);
}

/** Which seed notices the break, and how; null when none does. */
async function attempt(patch, env) {
  // With new times, or cargo would take a file that is whole again for one that did not change.
  for (const name of COPIED) {
    rmSync(join(COPY, name), { recursive: true, force: true });
    mkdirSync(join(COPY, name, ".."), { recursive: true });
    cpSync(inRepo(name), join(COPY, name), { recursive: true });
  }
  const [, test] = /^Seen by: (\S+)$/m.exec(readFileSync(join(PATCHES, patch), "utf8")) ?? [];
  if (!test) writeFileSync(join(COPY, "tests", "it", "main.rs"), MAIN);
  // One line of context is enough: what stands further away may change.
  await run("git", ["apply", "-C1", "--directory=target/mutants", join(PATCHES, patch)], { cwd: root });
  const lines = [];
  const built = { CARGO_TARGET_DIR: BUILT, CARGO_PROFILE_TEST_DEBUG: "0", CARGO_PROFILE_DEV_DEBUG: "0" };
  const options = { cwd: COPY, env: { ...env, SEEDS, ...built }, timeoutMs: BUILD_MS, onLine: (line) => lines.push(line) };
  await run("cargo", ["test", "--test", "it", "--no-run"], options);
  try {
    const which = test ? ["--", "--exact", test] : ["simulation::simulation", "--", "--nocapture"];
    await run("cargo", ["test", "--test", "it", ...which], options);
    if (test && !lines.some((line) => line.includes("1 passed"))) throw new StepError(`${patch}: there is no test ${test}`);
    return null;
  } catch (error) {
    if (test && !lines.some((line) => line.includes("1 failed"))) throw error;
    if (test) return test;
    const told = lines.find((line) => line.startsWith("SEED=")) ?? lines.find((line) => line.includes("never happened"));
    if (!told) throw new StepError(`${patch}: the simulation failed for another reason`, { tail: lines.slice(-30).join("\n") });
    return told.slice(0, 110);
  }
}

if (isMain(import.meta.url)) {
  stopToolsOnSignals();
  main().catch(die);
}
