// Small JSON files of this machine that hold secrets: readable by their owner only.
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";

/** What the file holds; an empty object when there is none. */
export function readLocal(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : {};
}

/** Written beside and renamed: a kill in between must not leave half of it. */
export function writeLocal(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  const draft = `${path}.draft`;
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, path);
}

/** The Worker's secrets on this machine, made once per state: the master key opens what the databases hold. */
export function localSecrets(stateDir) {
  const path = join(stateDir, "secrets.json");
  const kept = readLocal(path);
  if (kept.admin_token && kept.master_keys) return kept;
  const made = {
    admin_token: randomBytes(32).toString("base64url"),
    master_keys: `local:${randomBytes(32).toString("base64")}`,
    ...kept,
  };
  writeLocal(path, made);
  return made;
}

/** A signing secret in the form of Standard Webhooks. */
export const newSigningSecret = () => `whsec_${randomBytes(32).toString("base64")}`;
