// Packages of Debian, where something is missing that only they bring.
import { ask, run, StepError } from "./run.mjs";
import { step } from "./steps.mjs";

const OPTIONS = ["-o", "Acquire::http::Timeout=20", "-o", "Acquire::Retries=1", "-o", "DPkg::Lock::Timeout=300"];
const APT_MS = 900_000;

/** Whether this system has Debian's packages. */
export function hasDebianPackages() {
  return process.platform === "linux" && ask("apt-get", ["--version"]) !== null;
}

/** Whether we are root ourselves, as in a container: then nobody's password is asked for. */
export const isRoot = () => process.getuid?.() === 0;

/** Installs packages, as root or by a sudo that asks for nothing; `what` they are for. */
export async function installPackages(packages, what) {
  const [command, ...first] = becomeRoot(packages, what);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const apt = (args, note, hint) =>
    run(command, [...first, "apt-get", ...OPTIONS, ...args], { env, timeoutMs: APT_MS, onLine: note, hint });
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  await step(`Debian packages ${packages.join(", ")}`, async (note) => {
    // The lists of a fresh container are empty or old. One unreachable source must not end it here:
    // whether the lists are good enough is seen by installing.
    await apt(["update"], note).catch(() => {});
    await apt(install, note, `run \`apt-get update && apt-get ${install.join(" ")}\` as root and see what it says.`);
  });
}

function becomeRoot(packages, what) {
  if (isRoot()) return ["env"];
  if (ask("sudo", ["-n", "true"]) !== null) return ["sudo", "-n", "--preserve-env=DEBIAN_FRONTEND"];
  throw new StepError(`Debian packages are needed for ${what}, and only root can install them.`, {
    hint: `run \`sudo apt-get install --no-install-recommends ${packages.join(" ")}\`, then this command again.`,
  });
}
