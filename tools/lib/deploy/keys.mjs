// The keys of an installation on the operator's machine: one file, readable by its owner only. Nothing here
// is ever printed.
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { readLocal, writeLocal } from "../local-files.mjs";

/** The file with the keys of an installation. */
export const keysFile = (folder, name) => join(folder, `${name}.json`);

export const readKeys = (folder, name) => readLocal(keysFile(folder, name));

/** Adds to the file; what is in it and not named stays. */
export function keepKeys(folder, name, more) {
  const keys = { ...readKeys(folder, name), ...more };
  writeLocal(keysFile(folder, name), keys);
  return keys;
}

/** New secrets of a Worker. */
export const newSecrets = () => ({
  MASTER_KEYS: `k1:${randomBytes(32).toString("base64")}`,
  ADMIN_TOKEN: randomBytes(32).toString("base64url"),
});

/** Calls `work` with a file that holds `secrets`, which is gone afterwards. */
export async function withSecretsFile(folder, secrets, work) {
  if (!Object.keys(secrets).length) return work(undefined);
  const file = join(folder, `to-set-${process.pid}.json`);
  writeLocal(file, secrets);
  try {
    return await work(file);
  } finally {
    rmSync(file, { force: true });
  }
}
