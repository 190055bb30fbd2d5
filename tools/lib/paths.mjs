// Where things live: the repository, and the per-user cache that outlasts a clone.
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A path inside the repository. */
export const inRepo = (...parts) => join(root, ...parts);

/** Compiled tools take minutes to build, so they are kept per user and keyed by version, not per clone. */
export function cacheDir() {
  if (process.env.POSTHORN_CACHE) return process.env.POSTHORN_CACHE;
  return join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "posthorn");
}

/** A path inside the per-user cache. */
export const inCache = (...parts) => join(cacheDir(), ...parts);

/** The part of a cache key that says which machine the binaries are for. */
export const platformKey = `${process.platform}-${process.arch}`;

/** Whether a module was started as the program itself. */
export function isMain(url) {
  return Boolean(process.argv[1]) && realpathSync(process.argv[1]) === fileURLToPath(url);
}
