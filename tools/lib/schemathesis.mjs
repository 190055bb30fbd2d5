// Schemathesis, which calls the API with what its OpenAPI document allows and with what it does not; and a
// validator of such documents. From PyPI, in a Python environment of their own in the cache.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { hasDebianPackages, installPackages, isRoot } from "./debian.mjs";
import { inCache, platformKey } from "./paths.mjs";
import { ask, run } from "./run.mjs";
import { buildInto } from "./stamp.mjs";
import { step } from "./steps.mjs";

const SCHEMATHESIS = "4.32.5";
const VALIDATOR = "0.9.0";
const PIP_MS = 600_000;

const home = () => inCache(`schemathesis-${SCHEMATHESIS}-${platformKey}`);
const python = () => join(home(), "bin", "python");

/** The Python that has both, or undefined. */
export const findSchemathesis = () => (existsSync(python()) ? python() : undefined);

/** What to do where they are missing. */
export const NO_SCHEMATHESIS = "no Schemathesis: it needs Python 3.10 or later with venv (on Debian: apt-get install python3-venv) and PyPI";

/**
 * Makes sure of them where that takes nobody's permission. Elsewhere it says what is missing, and
 * whoever needs them decides what that means.
 */
export async function ensureSchemathesis() {
  if (findSchemathesis()) return;
  try {
    if (!hasVenv() && hasDebianPackages() && isRoot()) await installPackages(["python3", "python3-venv"], "fuzzing the API");
    if (!hasVenv()) return console.log(`  Fuzzing: ${NO_SCHEMATHESIS}`);
    await step(`Schemathesis ${SCHEMATHESIS} (pip install)`, (note) => buildInto(home(), (draft) => install(draft, note)));
  } catch (error) {
    console.log(`  Fuzzing: ${NO_SCHEMATHESIS}; ${error.message}`);
  }
}

const hasVenv = () => ask("python3", ["-c", "import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 10))"]) !== null;

async function install(folder, note) {
  await run("python3", ["-m", "venv", folder], { timeoutMs: PIP_MS, onLine: note });
  // By `python -m`, since the scripts of an environment know the folder in which they were made.
  const packages = [`schemathesis==${SCHEMATHESIS}`, `openapi-spec-validator==${VALIDATOR}`];
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...packages];
  await run(join(folder, "bin", "python"), args, { timeoutMs: PIP_MS, onLine: note });
}
