// The steps of `npm run deploy`. Each may fail, and whatever was done until then stays: the next run finds it
// and goes on. Nothing is created before everything has been looked at.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { StepError } from "../run.mjs";
import { kept, localConfig, resources } from "./config.mjs";
import { keepKeys, keysFile, newSecrets, readKeys, withSecretsFile } from "./keys.mjs";

const OURS = { control: ["organizations", "workspaces", "connections"], log: ["events", "deliveries"] };
const SECRETS = ["MASTER_KEYS", "ADMIN_TOKEN"];
const SMOKE_MS = 180_000;
const SMOKE_EVERY_MS = 3_000;

/**
 * Deploys one installation. `options`: {name?, domain?, workersDev, organization, jurisdiction?, freePlan?, adopt, dryRun}.
 * `tools`: {account, template, configFile, folder, env, print, call, build, smokeMs?}, where `call` is fetch. Answers
 * {baseUrl, keysFile} or, of a dry run, {planned}.
 */
export async function deploy(options, tools) {
  const { account, print } = tools;
  const former = kept(existsSync(tools.configFile) ? readFileSync(tools.configFile, "utf8") : "");
  const plan = planned(options, former, tools);
  plan.account = await account.choose(tools.env.CLOUDFLARE_ACCOUNT_ID ?? former.account);
  print(`Account ${plan.account}, Worker ${plan.name}${plan.domain ? ` at https://${plan.domain}` : " at workers.dev"}`);
  await survey(plan, former, options, tools);
  const secrets = await chooseSecrets(plan, tools);
  if (options.dryRun) return tell(plan, secrets, print);

  await create(plan, tools);
  await tools.build();
  for (const { name } of plan.databases) {
    await account.migrate(name, tools.configFile);
    print(`Schema of ${name} is up to date`);
  }
  const host = await upload(plan, secrets, tools);
  const baseUrl = `https://${host}`;
  keepKeys(tools.folder, plan.name, { base_url: baseUrl });
  await answers(baseUrl, tools);
  await firstOrganization(plan, baseUrl, options, tools);
  return { baseUrl, keysFile: keysFile(tools.folder, plan.name) };
}

function planned(options, former, { template }) {
  const domain = options.domain ?? (options.workersDev ? undefined : former.domain);
  const known = Boolean(former.account);
  if (!domain && !options.workersDev && !known) {
    throw new StepError("say where it is to be reached: --domain HOST or --workers-dev.", {
      hint: "HOST is a name in a zone of your account, such as hooks.example.com; --workers-dev is enough to try it.",
    });
  }
  if (domain && !/^(?=.{4,253}$)([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/.test(domain)) {
    throw new StepError(`--domain ${domain}: a host name is needed, such as hooks.example.com.`);
  }
  const name = options.name ?? former.name ?? "posthorn";
  if (!/^[a-z][a-z0-9-]{0,39}$/.test(name)) throw new StepError(`--name ${name}: use a-z, 0-9 and -, at most 40.`);
  if (former.name && name !== former.name) {
    throw new StepError(`this folder's wrangler.local.toml belongs to ${former.name}.`, {
      hint: "move the file away to deploy a second installation, or leave --name out.",
    });
  }
  const shards = Number(former.vars.LOG_SHARDS ?? 1);
  const freePlan = options.freePlan || former.freePlan;
  return { ...resources(template, name, shards), name, domain, shards, former, freePlan, jurisdiction: options.jurisdiction };
}

/** Looks at everything that has one of our names, and stops when it is somebody else's. */
async function survey(plan, former, options, { account, print }) {
  const there = await account.databases();
  plan.ids = {};
  plan.strange = [];
  for (const database of plan.databases) {
    const id = there[database.name];
    if (former.databases[database.name] && !id) {
      throw new StepError(`the database ${database.name} of wrangler.local.toml is gone.`, {
        hint: "restore it, or take its block out of wrangler.local.toml to begin with an empty one.",
      });
    }
    if (!id) continue;
    plan.ids[database.name] = id;
    if (former.databases[database.name] !== id) await judgeTables(plan, database, account);
  }
  plan.missingQueues = [];
  for (const queue of plan.queues) {
    const consumers = await account.consumers(queue);
    if (consumers === null) plan.missingQueues.push(queue);
    const others = (consumers ?? []).filter((script) => script !== plan.worker);
    if (others.length) plan.strange.push(`the queue ${queue} is consumed by ${others.join(", ")}`);
  }
  plan.secretsSet = await account.secrets(plan.worker);
  const known = former.account !== undefined;
  if (plan.secretsSet && !known) plan.strange.push(`there is a Worker ${plan.worker} already`);
  judge(plan, options, print);
}

/** A database that this folder does not know may be used when it is empty; one with our tables, when asked to. */
async function judgeTables(plan, { name, binding }, account) {
  const tables = await account.tables(name);
  const ours = binding === "CONTROL" ? OURS.control : OURS.log;
  const isOurs = ours.every((table) => tables.includes(table));
  if (tables.length && !isOurs) plan.foreign = `the database ${name} holds other tables: ${tables.slice(0, 5).join(", ")}`;
  if (isOurs) plan.strange.push(`there is a database ${name} of another deployment already`);
}

function judge(plan, options, print) {
  const hint = "use --name to choose other names.";
  if (plan.foreign) throw new StepError(`${plan.foreign}. Nothing was changed.`, { hint });
  if (!plan.strange.length) return;
  const found = plan.strange.join("; ");
  if (!options.adopt) {
    throw new StepError(`${found}. Nothing was changed.`, {
      hint: `if it is yours, made from another folder, run this again with --adopt; else ${hint}`,
    });
  }
  print(`Taken over: ${found}`);
}

/** Secrets that the Worker has not: those of the environment or the file, else new ones. */
async function chooseSecrets(plan, { account, folder, env }) {
  const missing = SECRETS.filter((name) => !plan.secretsSet?.includes(name));
  const kept = readKeys(folder, plan.name);
  const made = newSecrets();
  const control = plan.databases[0].name;
  if (missing.includes("MASTER_KEYS") && !env.MASTER_KEYS && !kept.MASTER_KEYS && plan.ids[control]) {
    const tables = await account.tables(control);
    const used = tables.includes("organizations") && (await account.organizations(control)) > 0;
    if (used) {
      throw new StepError("the databases hold sealed values, and the Worker has no MASTER_KEYS.", {
        hint: "put the installation's MASTER_KEYS into the environment and run this again.",
      });
    }
  }
  return Object.fromEntries(missing.map((name) => [name, env[name] ?? kept[name] ?? made[name]]));
}

function tell(plan, secrets, print) {
  const steps = [
    ...plan.databases.filter(({ name }) => !plan.ids[name]).map(({ name }) => `create the database ${name}`),
    ...plan.missingQueues.map((name) => `create the queue ${name}`),
    ...plan.databases.map(({ name }) => `bring the schema of ${name} up to date`),
    ...Object.keys(secrets).map((name) => `set the secret ${name}`),
    `deploy the Worker ${plan.name}`,
  ];
  print(`This would:\n${steps.map((step) => `  - ${step}`).join("\n")}\nNothing was changed.`);
  return { planned: steps };
}

/** Writes the file after each creation: what was created is known to the next run. */
async function create(plan, tools) {
  const { account, print } = tools;
  for (const { name } of plan.databases) {
    if (!plan.ids[name]) {
      plan.ids[name] = await account.createDatabase(name, plan.jurisdiction);
      print(`Created the database ${name}`);
    }
    writeConfig(plan, tools);
  }
  for (const queue of plan.missingQueues) {
    await account.createQueue(queue, plan.jurisdiction);
    print(`Created the queue ${queue}`);
  }
}

function writeConfig(plan, { template, configFile }) {
  const ids = { ...plan.former.databases, ...plan.ids };
  const known = plan.databases.filter(({ name }) => ids[name]).length;
  // Where the lanes stay. It may be changed: what they know is rebuilt from LOG.
  const vars = { ...plan.former.vars, ...(plan.jurisdiction ? { JURISDICTION: plan.jurisdiction } : {}) };
  const own = new Set([plan.domain, ...(vars.OWN_HOSTS ?? "").split(","), ...(plan.hosts ?? [])].filter(Boolean));
  vars.OWN_HOSTS = [...own].join(",");
  const text = localConfig(template, { ...plan, ids, vars, limits: plan.former.limits });
  // A block without an id would be one that wrangler creates by itself.
  const blocks = text.split(/^(?=\n\[\[d1_databases\]\])/m);
  writeFileSync(configFile, blocks.slice(0, 1 + known).join(""));
}

/** Deploys, and once more when only now it is known under which name it is reached. */
async function upload(plan, secrets, tools) {
  const { account, folder, print } = tools;
  writeConfig(plan, tools);
  // Kept before they are set: a Worker whose keys nobody has would be of no use.
  keepKeys(folder, plan.name, secrets);
  const hosts = await withSecretsFile(folder, secrets, (file) => account.deploy(tools.configFile, file));
  print(`Deployed the Worker ${plan.name}`);
  if (plan.domain) return plan.domain;
  const host = hosts[0];
  if (!host) throw new StepError("wrangler did not say where the Worker is reached.", { hint: "run this again." });
  if (!(plan.former.vars.OWN_HOSTS ?? "").split(",").includes(host)) {
    plan.hosts = [host];
    writeConfig(plan, tools);
    await account.deploy(tools.configFile);
    print(`Deployed again, with ${host} as a host of its own`);
  }
  return host;
}

async function answers(baseUrl, { call, print, smokeMs = SMOKE_MS, everyMs = SMOKE_EVERY_MS }) {
  let last;
  for (const until = Date.now() + smokeMs; ; await sleep(everyMs)) {
    const answer = await call(`${baseUrl}/health`).catch((error) => ({ ok: false, status: error.cause?.code ?? error.message }));
    if (answer.ok) break;
    last = answer.status;
    if (Date.now() > until) {
      throw new StepError(`${baseUrl}/health does not answer (${last}).`, {
        hint: "a new host name can take some minutes; run this again. `npx wrangler tail` shows what the Worker says.",
      });
    }
  }
  print(`${baseUrl}/health answers`);
}

async function firstOrganization(plan, baseUrl, options, { account, folder, env, call, print }) {
  const keys = readKeys(folder, plan.name);
  if (keys.machine_key) return;
  if ((await account.organizations(plan.databases[0].name)) > 0) {
    print("There is an organization already; `npm run admin -- org create NAME` makes another");
    return;
  }
  const token = env.ADMIN_TOKEN ?? keys.ADMIN_TOKEN;
  if (!token) {
    print("No ADMIN_TOKEN here, so no organization was made: `ADMIN_TOKEN=... npm run admin -- org create NAME`");
    return;
  }
  const answer = await call(`${baseUrl}/api/v1/organizations`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify({ name: options.organization }),
  });
  if (answer.status !== 201) {
    throw new StepError(`the first organization: the API answered ${answer.status}.`, { tail: (await answer.text()).slice(0, 1000) });
  }
  const { organization, machine_key: machineKey } = await answer.json();
  keepKeys(folder, plan.name, { organization_id: organization.id, machine_key: machineKey });
  print(`Created the organization ${organization.name}`);
}
