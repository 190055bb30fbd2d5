// The secrets that a world's tests make, as far as its clients see them go by; and where one of them came to stand.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { filesBelow, leaks } from "./secrets.mjs";

/** Fields of connections and of keys whose value is a secret. */
const SECRET_FIELD = /(^|_)(secret|secret_key|token|password|api_key|webhook_url)$/;
/** What is shorter, or hardly more than one character, stands anywhere by chance. */
const CHARS_MIN = 12;
const DISTINCT_MIN = 6;
/** Calls whose bodies and answers hold secrets. */
const PATHS = /^\/(connections|machine-keys|organizations)(\/|$)/;

/** Collects secrets; `watched` is a client whose calls are looked at. */
export function knownSecrets() {
  const known = new Map();
  const add = (name, value) => {
    if (value.length >= CHARS_MIN && new Set(value).size >= DISTINCT_MIN) known.set(value, name);
  };
  const walk = (value, name) => {
    for (const [key, inner] of Object.entries(value ?? {})) {
      if (typeof inner === "object") walk(inner, `${name}.${key}`);
      else if (typeof inner === "string" && SECRET_FIELD.test(key)) add(`${name}.${key}`, inner);
    }
  };
  const look = (call) => async (path, body, headers) => {
    const answered = await call(path, body, headers);
    if (answered.status < 300 && PATHS.test(path)) {
      for (const one of [body, answered.body]) if (!Buffer.isBuffer(one) && typeof one === "object") walk(one, path);
    }
    return answered;
  };
  return {
    /** The Worker's own: admin tokens and master keys, of which there can be several. */
    ofVars: (vars) => {
      for (const [name, value] of Object.entries(vars)) {
        if (/^(ADMIN_TOKEN|MASTER_KEYS)/.test(name)) value.split(",").forEach((one) => known.set(one.split(":").at(-1).trim(), name));
      }
    },
    watched: (api) => ({ ...api, post: look(api.post), put: look(api.put), patch: look(api.patch) }),
    /** Where one of them stands in a state folder or in these lines of the log: [{where, secret, around}]. */
    foundIn: (stateDir, lines) => {
      const secrets = Object.fromEntries([...known].map(([value, name], number) => [`${name} (${number})`, value]));
      const log = join(stateDir, "worker.log");
      const texts = [{ path: "the log", bytes: Buffer.from(lines.join("\n")) }];
      // The runs before the last one, too.
      if (existsSync(log)) texts.push({ path: log, bytes: readFileSync(log) });
      // Where this machine hands the Worker its own secrets.
      const skip = (path) => path.endsWith("vars.env") || path.includes("/worker/");
      return [...texts, ...filesBelow(stateDir, skip)].flatMap(({ path, bytes }) => (
        leaks(secrets, bytes).map(({ secret, around }) => ({ where: path.replace(stateDir, "state"), secret, around }))
      ));
    },
  };
}
