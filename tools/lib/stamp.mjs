// "Is this done already?", answered by content and not by time: a fresh checkout changes every mtime.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { root } from "./paths.mjs";

/** One hash over the names and contents of files and folders (missing ones count as missing) and over plain strings. */
export function hashOf(paths, words = []) {
  const hash = createHash("sha256");
  for (const path of paths.flatMap(filesUnder)) {
    hash.update(`${relative(root, path)}\0`);
    hash.update(existsSync(path) ? readFileSync(path) : "missing");
    hash.update("\0");
  }
  for (const word of words) hash.update(`${word}\0`);
  return hash.digest("hex");
}

function filesUnder(path) {
  if (!existsSync(path) || !statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesUnder(join(path, name)));
}

export function readStamp(path) {
  return existsSync(path) ? readFileSync(path, "utf8") : null;
}

export function writeStamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
}

/**
 * Makes `target` by letting `fill` write into a folder beside it that is then renamed, so that a
 * cancelled or parallel run never leaves half a tool where a whole one is expected.
 */
export async function buildInto(target, fill) {
  const draft = `${target}.draft-${process.pid}`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  try {
    await fill(draft);
    if (existsSync(target)) return;
    renameSync(draft, target);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
}
