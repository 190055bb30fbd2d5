// Which installation `npm run admin` talks to, and with which keys.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { apiClient, asAdmin, asMachine } from "../api.mjs";
import { readLocal } from "../local-files.mjs";
import { StepError } from "../run.mjs";

const HOW = "start one with `npm start`, make one with `npm run deploy`, or name one: POSTHORN_URL with ADMIN_TOKEN, or with"
  + " ORGANIZATION_ID, ACCESS_KEY and SECRET_KEY.";

/**
 * The installation: of POSTHORN_URL in the environment, else `--installation NAME` of .deploy, else `--local`, the one of
 * `npm start`; without any of them the only one there is.
 */
export function findTarget({ installation, local }, { env, deployFolder, tenantFile }) {
  if (env.POSTHORN_URL) return fromEnvironment(env);
  const deployed = existsSync(deployFolder)
    ? readdirSync(deployFolder).filter((name) => name.endsWith(".json")).map((name) => name.replace(/\.json$/, "")) : [];
  const known = deployed.filter((name) => readLocal(join(deployFolder, `${name}.json`)).base_url);
  if (installation) {
    if (!known.includes(installation)) throw new StepError(`no installation ${installation} in ${deployFolder}.`);
    return fromDeploy(join(deployFolder, `${installation}.json`), installation);
  }
  const running = existsSync(tenantFile);
  if (local && !running) throw new StepError("no Posthorn runs here.", { hint: "start it with `npm start`." });
  if (local || (running && !known.length)) return fromTenant(tenantFile);
  if (known.length === 1 && !running) return fromDeploy(join(deployFolder, `${known[0]}.json`), known[0]);
  if (!known.length) throw new StepError("there is no installation to talk to.", { hint: HOW });
  const choices = [...(running ? ["--local"] : []), ...known.map((name) => `--installation ${name}`)];
  throw new StepError("there are several installations.", { hint: `add ${choices.join(" or ")}.` });
}

function fromEnvironment(env) {
  const machine = env.ACCESS_KEY && {
    organizationId: env.ORGANIZATION_ID, accessKey: env.ACCESS_KEY, secretKey: env.SECRET_KEY,
  };
  return target("the environment", env.POSTHORN_URL.replace(/\/+$/, ""), env.ADMIN_TOKEN, machine);
}

function fromDeploy(file, name) {
  const keys = readLocal(file);
  const machine = keys.machine_key && {
    organizationId: keys.organization_id, accessKey: keys.machine_key.access_key, secretKey: keys.machine_key.secret_key,
  };
  return { ...target(name, keys.base_url, process.env.ADMIN_TOKEN ?? keys.ADMIN_TOKEN, machine), file };
}

function fromTenant(file) {
  const tenant = readLocal(file);
  const machine = { organizationId: tenant.organization_id, accessKey: tenant.access_key, secretKey: tenant.secret_key };
  return { ...target("npm start", tenant.base_url, tenant.admin_token, machine), file, isLocal: true };
}

function target(name, baseUrl, adminToken, machine) {
  const need = (what, how) => {
    throw new StepError(`${name} has no ${what} here.`, { hint: how });
  };
  return {
    name,
    baseUrl,
    adminToken,
    machine,
    get admin() {
      return apiClient(baseUrl, asAdmin(adminToken ?? need("ADMIN_TOKEN", "put it into the environment.")));
    },
    get api() {
      return apiClient(baseUrl, asMachine(machine ?? need("machine key", "put ORGANIZATION_ID, ACCESS_KEY and SECRET_KEY into the environment with POSTHORN_URL.")));
    },
  };
}
