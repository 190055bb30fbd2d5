// The Rust that compiles the native code and the helper tools.
import { existsSync, readFileSync } from "node:fs";
import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { ask, StepError } from "./run.mjs";
import { inRepo } from "./paths.mjs";

const HOW_TO_INSTALL =
  "Rust is missing: install it from https://rustup.rs, open a new terminal and run this command again.";

/** Finds a Rust new enough for Cargo.toml; `env` is the environment its commands need. */
export function findRust() {
  let rustupWithoutToolchain = false;
  for (const env of environments()) {
    const version = versionOf(ask("cargo", ["--version"], { env }));
    if (version && ask("rustc", ["--version"], { env })) return checked({ env, version });
    rustupWithoutToolchain ||= ask("rustup", ["--version"], { env }) !== null;
  }
  if (rustupWithoutToolchain) {
    throw new StepError("rustup is here but has no toolchain: run `rustup default stable` and try again.");
  }
  throw new StepError(HOW_TO_INSTALL);
}

/**
 * The environment as it is, then with the places where rustup puts itself: a shell opened before
 * rustup was installed has no cargo on its PATH, and a changed HOME hides rustup's toolchains.
 */
function* environments() {
  yield process.env;
  for (const home of new Set([homedir(), userInfo().homedir])) {
    const env = { ...process.env, PATH: `${join(home, ".cargo", "bin")}:${process.env.PATH}` };
    if (!env.RUSTUP_HOME && existsSync(join(home, ".rustup"))) env.RUSTUP_HOME = join(home, ".rustup");
    yield env;
  }
}

function checked(rust) {
  const needed = readFileSync(inRepo("Cargo.toml"), "utf8").match(/^rust-version\s*=\s*"([^"]+)"/m)?.[1];
  if (needed && isOlder(rust.version, needed)) {
    const hint = "Run `rustup update` and try again.";
    throw new StepError(`Rust ${rust.version} is too old: Posthorn needs ${needed} or later.`, { hint });
  }
  return rust;
}

function versionOf(text) {
  return text?.match(/\d+\.\d+\.\d+/)?.[0];
}

/** Compares dotted versions number by number. */
export function isOlder(version, needed) {
  const left = version.split(".").map(Number);
  const right = needed.split(".").map(Number);
  for (let i = 0; i < right.length; i++) {
    if ((left[i] ?? 0) !== right[i]) return (left[i] ?? 0) < right[i];
  }
  return false;
}

/** The version of a package that Cargo.lock pins. */
export function lockedVersion(name) {
  const lock = readFileSync(inRepo("Cargo.lock"), "utf8");
  const version = lock.match(new RegExp(`name = "${name}"\\nversion = "([^"]+)"`))?.[1];
  if (!version) throw new StepError(`Cargo.lock does not pin ${name}.`);
  return version;
}
