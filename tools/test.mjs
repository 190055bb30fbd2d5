// `npm test`: everything that must be green, in the order in which a failure is cheapest to find.
// `npm test -- native e2e` runs only the named steps.
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { build } from "./build.mjs";
import { ensureChromium } from "./lib/chromium.mjs";
import { inRepo, root } from "./lib/paths.mjs";
import { killCarriers } from "./lib/processes.mjs";
import { die, run, StepError, stopToolsOnSignals } from "./lib/run.mjs";
import { ensureSchemathesis } from "./lib/schemathesis.mjs";
import { seconds } from "./lib/steps.mjs";
import { setup } from "./setup.mjs";

const NATIVE_MS = 1_800_000;
const E2E_MS = 2_700_000;
const ONE_E2E_FILE_MS = 600_000;
/**
 * Files of tests/e2e that count rows or memory, measure time, load the Worker or kill it: what runs beside them would
 * be measured too. The others mostly wait, and run two at a time.
 */
const ALONE = [
  "budgets", "changes", "destinations-crash", "embed-budgets", "intake", "isolation", "kill", "memory", "rate-limits", "replays",
  "retention", "start", "upgrade", "walls",
];

const COMPONENTS = "`rustup component add rustfmt clippy` installs the two if they are missing.";

const steps = {
  format: () => cargo(["fmt", "--check"], `run \`cargo fmt\`. ${COMPONENTS}`),
  lint: () => cargo(["clippy", "--all-targets", "--", "-D", "warnings"], COMPONENTS),
  native: () => cargo(["test"]),
  tools: () => nodeTests(["tests/tools/**/*.test.mjs"], "tests of the tools and pages"),
  wasm: () => build(),
  e2e: endToEnd,
};

async function cargo(args, hint) {
  const { rust } = await setup();
  await run("cargo", args, { cwd: root, env: rust.env, inherit: true, timeoutMs: NATIVE_MS, hint });
}

async function endToEnd() {
  await setup();
  await ensureChromium();
  await ensureSchemathesis();
  const files = readdirSync(inRepo("tests/e2e")).filter((file) => file.endsWith(".test.mjs"));
  const alone = ALONE.map((name) => `${name}.test.mjs`);
  const missing = alone.filter((file) => !files.includes(file));
  if (missing.length) throw new StepError(`tests/e2e has no ${missing}, which tools/test.mjs names.`);
  const paths = (some) => some.map((file) => `tests/e2e/${file}`);
  const others = files.filter((file) => !alone.includes(file));
  await nodeTests(paths(others), "end-to-end tests", Math.min(2, availableParallelism()));
  await nodeTests(paths(alone), "end-to-end tests that run alone");
}

async function nodeTests(files, what, atOnce = 1) {
  const { node } = await setup();
  const mark = randomBytes(12).toString("hex");
  const args = [
    "--test", "--test-reporter=spec", `--test-concurrency=${atOnce}`, "--test-force-exit",
    `--test-timeout=${ONE_E2E_FILE_MS}`, ...files,
  ];
  const env = { ...process.env, POSTHORN_TEST_RUN: mark };
  try {
    await run(node, args, { cwd: root, env, inherit: true, timeoutMs: E2E_MS, what });
  } finally {
    // A test file that was cut short could not stop what it had started.
    killCarriers(`POSTHORN_TEST_RUN=${mark}`);
  }
}

async function main() {
  const named = process.argv.slice(2);
  const unknown = named.filter((name) => !steps[name]);
  if (unknown.length) throw new StepError(`no such step: ${unknown}. There are ${Object.keys(steps).join(", ")}.`);
  await setup();
  for (const [name, work] of Object.entries(steps)) {
    if (named.length && !named.includes(name)) continue;
    const began = Date.now();
    console.log(`\n== ${name}`);
    await work();
    console.log(`== ${name}: passed in ${seconds(began)}`);
  }
}

stopToolsOnSignals();
main().catch(die);
