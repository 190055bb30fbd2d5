// `npm test`: everything that must be green, in the order in which a failure is cheapest to find.
// `npm test -- native e2e` runs only the named steps.
import { randomBytes } from "node:crypto";
import { build } from "./build.mjs";
import { ensureChromium } from "./lib/chromium.mjs";
import { root } from "./lib/paths.mjs";
import { killCarriers } from "./lib/processes.mjs";
import { die, run, StepError, stopToolsOnSignals } from "./lib/run.mjs";
import { ensureSchemathesis } from "./lib/schemathesis.mjs";
import { seconds } from "./lib/steps.mjs";
import { setup } from "./setup.mjs";

const NATIVE_MS = 1_800_000;
const E2E_MS = 2_700_000;
const ONE_E2E_FILE_MS = 600_000;

const COMPONENTS = "`rustup component add rustfmt clippy` installs the two if they are missing.";

const steps = {
  format: () => cargo(["fmt", "--check"], `run \`cargo fmt\`. ${COMPONENTS}`),
  lint: () => cargo(["clippy", "--all-targets", "--", "-D", "warnings"], COMPONENTS),
  native: () => cargo(["test"]),
  tools: () => nodeTests("tests/tools/**/*.test.mjs", "tests of the tools and pages"),
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
  await nodeTests("tests/e2e/**/*.test.mjs", "end-to-end tests");
}

async function nodeTests(files, what) {
  const { node } = await setup();
  const mark = randomBytes(12).toString("hex");
  const args = [
    "--test", "--test-reporter=spec", "--test-concurrency=1", "--test-force-exit",
    `--test-timeout=${ONE_E2E_FILE_MS}`, files,
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
