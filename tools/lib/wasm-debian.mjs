// The wasm toolchain where only package registries can be reached: Debian's compiler, its sources of
// the standard library compiled here, and LLVM's linker. Nothing outside the cache is changed except
// that four Debian packages get installed.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, copyFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { installPackages } from "./debian.mjs";
import { inCache } from "./paths.mjs";
import { ask, run, StepError } from "./run.mjs";
import { buildInto } from "./stamp.mjs";
import { step } from "./steps.mjs";

// The -web packages are the current Rust that Debian keeps for its browsers; plain rustc is years older.
const PACKAGES = ["rustc-web", "cargo-web", "rust-web-src", "lld-22"];
const LINKER = "/usr/lib/llvm-22/bin/wasm-ld";
const TARGET = "wasm32-unknown-unknown";
const SYSTEM_LIBRARIES = "/usr/lib/rustlib";
const COMPILE_MS = 900_000;

/** The toolchain when everything is there already, else null. */
export function findDebianTarget() {
  const version = installedVersion();
  return version && existsSync(sysroot(version)) ? toolchain(version) : null;
}

/** Installs the packages, compiles the standard library, and answers the toolchain. */
export async function ensureDebianTarget(reason) {
  console.log(`  ${capital(reason)}: taking the compiler from Debian's packages instead.`);
  if (!installedVersion()) await installPackages(PACKAGES, "the wasm compiler");
  const version = installedVersion();
  if (!version) throw new StepError(`the Debian packages ${PACKAGES.join(", ")} are still not installed.`);
  await step("Rust standard library for wasm (compiled from Debian's sources, about a minute)", (note) =>
    compileStandardLibrary(sysroot(version), note));
  return toolchain(version);
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** Keyed by the package's exact version: libraries link only with the compiler that made them. */
const sysroot = (version) => inCache(`wasm-std-${version.replace(/[^\w.+-]/g, "_")}`);

function installedVersion() {
  const format = "${db:Status-Status} ${Version}\n";
  const rows = ask("dpkg-query", ["-W", "-f", format, ...PACKAGES])?.split("\n") ?? [];
  const complete = rows.length === PACKAGES.length && rows.every((row) => row.startsWith("installed "));
  return complete && existsSync(LINKER) ? rows[0].split(" ")[1] : null;
}

function toolchain(version) {
  const home = sysroot(version);
  return {
    way: "debian",
    key: `debian ${version}`,
    env: {
      ...process.env,
      // worker-build calls the cargo and rustc that PATH finds first; the ones in this folder know our sysroot.
      PATH: `${join(home, "bin")}:${process.env.PATH}`,
      CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: LINKER,
    },
  };
}

function compileStandardLibrary(home, note) {
  return buildInto(home, async (draft) => {
    const libraries = await compile(note);
    try {
      layOut(draft, home, libraries);
    } finally {
      rmSync(libraries.project, { recursive: true, force: true });
    }
  });
}

/** Compiles an empty crate together with the standard library; answers where the libraries are. */
async function compile(note) {
  const project = mkdtempSync(join(tmpdir(), "posthorn-std-"));
  mkdirSync(join(project, "src"));
  writeFileSync(join(project, "Cargo.toml"), '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n');
  writeFileSync(join(project, "src", "lib.rs"), "");
  const env = {
    ...process.env,
    PATH: `/usr/bin:${process.env.PATH}`,
    CARGO_TARGET_DIR: join(project, "target"),
    RUSTC_BOOTSTRAP: "1",
    // Without the bitcode a build with LTO cannot use these libraries.
    RUSTFLAGS: "-Cembed-bitcode=yes",
  };
  delete env.RUSTC;
  delete env.RUSTC_WRAPPER;
  const args = ["build", "-Z", "build-std=std,panic_abort", "--target", TARGET, "--release"];
  const hint = "`apt-get install --reinstall rustc-web cargo-web rust-web-src` repairs a mixed installation.";
  await run("/usr/bin/cargo", args, { cwd: project, env, timeoutMs: COMPILE_MS, onLine: note, hint });
  return { project, deps: join(project, "target", TARGET, "release", "deps") };
}

/** A sysroot of our own: the system's, by links, plus the wasm libraries; and a rustc that uses it. */
function layOut(draft, home, { deps }) {
  const rustlib = join(draft, "lib", "rustlib");
  const target = join(rustlib, TARGET, "lib");
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(SYSTEM_LIBRARIES)) {
    if (name !== TARGET) symlinkSync(join(SYSTEM_LIBRARIES, name), join(rustlib, name));
  }
  for (const name of readdirSync(deps)) {
    if (name.endsWith(".rlib") && !name.startsWith("libempty-")) copyFileSync(join(deps, name), join(target, name));
  }
  mkdirSync(join(draft, "bin"));
  symlinkSync("/usr/bin/cargo", join(draft, "bin", "cargo"));
  const script = `#!/bin/sh\nexec /usr/bin/rustc --sysroot '${home}' "$@"\n`;
  writeFileSync(join(draft, "bin", "rustc"), script, { mode: 0o755 });
}
