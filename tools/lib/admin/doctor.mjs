// `npm run admin -- doctor`: looks at an installation from outside, and at its account where wrangler may, and says of
// each thing that is wrong what to do.
import { existsSync, readFileSync, statSync } from "node:fs";
import { apiClient } from "../api.mjs";
import { Account } from "../deploy/account.mjs";
import { kept } from "../deploy/config.mjs";
import { StepError } from "../run.mjs";

const CLOCK_MS = 25_000;
const TOKEN_CHARS = 32;
const GB = 1e9;
/** D1 ends at 10 GB. */
const [FULL, NEARLY_FULL] = [9.7 * GB, 8 * GB];
const MORE_SHARDS = "raise LOG_SHARDS in wrangler.local.toml and run `npm run deploy`: new workspaces go to the new shard.";
const LATE_MS = 10 * 60_000;
const UNCOUNTED_MS = 2 * 3_600_000;

/** Answers the report; throws it when something is wrong, so that scripts see it, too. */
export async function doctor(context) {
  const found = { ok: [], wrong: [] };
  const { target } = context;
  if (await outside(context, found)) await keys(context, found);
  if (context.account && !target.isLocal) await inside(context, found);
  else if (!target.isLocal) found.ok.push("the account was not looked at: no wrangler.local.toml here");
  const lines = [...found.ok.map((text) => `  ok     ${text}`), ...found.wrong.map(({ what, todo }) => `  WRONG  ${what}\n         ${todo}`)];
  const report = [`${target.name} at ${target.baseUrl}`, ...lines].join("\n");
  if (!found.wrong.length) return `${report}\nNothing is wrong.`;
  throw new StepError(`${found.wrong.length} of ${found.ok.length + found.wrong.length} checks.\n${report}`);
}

const judge = (found, holds, what, wrong, todo) => (holds ? found.ok.push(what) : found.wrong.push({ what: wrong, todo }));

async function outside({ target, call, now = Date.now, version }, found) {
  const answer = await call(`${target.baseUrl}/health`).catch((error) => ({ status: error.cause?.code ?? error.message }));
  judge(found, answer.ok, "it answers", `/health answers ${answer.status}`, "look at `npx wrangler tail`; `npx wrangler rollback` brings back the version before.");
  if (!answer.ok) return false;
  const off = Math.abs(now() - Date.parse(answer.headers.get("date") ?? ""));
  judge(found, !(off > CLOCK_MS), "the clocks agree", `this machine's clock is ${Math.round(off / 1000)} s off`,
    "set it: machine tokens are refused when they are 30 s off.");
  const body = await answer.json().catch(() => ({}));
  judge(found, body.version === version, `version ${version}`, `it runs version ${body.version}, this clone is ${version}`, "`npm run deploy` brings it up to date.");
  return true;
}

async function keys({ target, call }, found) {
  if (target.file) {
    judge(found, !(statSync(target.file).mode & 0o077), "its keys are readable by you alone", `${target.file} can be read by others`, `chmod 600 ${target.file}`);
  }
  if (target.adminToken) {
    judge(found, target.adminToken.length >= TOKEN_CHARS, "ADMIN_TOKEN is long enough", `ADMIN_TOKEN has ${target.adminToken.length} characters`,
      "make one with `openssl rand -base64 32` and set it with `npx wrangler secret put ADMIN_TOKEN --config wrangler.local.toml`.");
    // A body that is refused makes nothing, and is read only when the token holds.
    const answer = await target.admin.post("/organizations", {});
    judge(found, answer.status === 400, "ADMIN_TOKEN holds", `ADMIN_TOKEN is answered ${answer.status}`,
      "the Worker has another one: take it from your password manager, or set a new one.");
    await storage(target, call, found);
    const health = await apiClient(target.baseUrl, () => ({ authorization: `Bearer ${target.adminToken}` })).get("/health/keys");
    if (health.status === 200) found.ok.push(`sealed values by key: ${JSON.stringify(health.body)}`);
  }
  if (target.machine) {
    const answer = await target.api.get("/organization");
    judge(found, answer.status === 200, "the machine key holds", `the machine key is answered ${answer.status}`,
      "it was revoked, or MASTER_KEYS is not the key that sealed it: compare with your password manager.");
  }
}

/** What the installation itself says of its databases, to the operator. */
async function storage({ baseUrl, adminToken }, call, found) {
  const answer = await call(`${baseUrl}/health`, { headers: { authorization: `Bearer ${adminToken}` } });
  const { storage: shards = [], deliveries = [] } = answer.ok ? await answer.json() : {};
  for (const { shard, queue_lag_seconds: lag } of deliveries) {
    judge(found, lag * 1000 < LATE_MS, `the queue keeps up with LOG_${shard}`, `deliveries of LOG_${shard} wait ${Math.round(lag / 60)} minutes for the queue`,
      "see whether it is consumed and the cron runs: `npx wrangler tail`, `npx wrangler queues info`.");
  }
  for (const { shard, percent } of shards) {
    judge(found, percent < NEARLY_FULL / GB * 10, `LOG_${shard} is ${percent} % full`, `LOG_${shard} is ${percent} % full`, MORE_SHARDS);
  }
}

/** The account: bindings, schema, storage, queue, cron. */
async function inside({ account, configFile, repoConfig, migrations, now = Date.now }, found) {
  const text = existsSync(configFile) ? readFileSync(configFile, "utf8") : "";
  const config = kept(text);
  await account.choose(config.account);
  bindings(config, text, repoConfig, found);
  const there = await account.databases();
  for (const [name, id] of Object.entries(config.databases)) {
    if (there[name] !== id) {
      judge(found, false, "", `the database ${name} is not in the account`, "restore it, or run `npm run deploy`.");
      continue;
    }
    await database(account, name, migrations, now(), found);
  }
  const secrets = (await account.secrets(config.name)) ?? [];
  for (const name of ["MASTER_KEYS", "ADMIN_TOKEN"]) {
    judge(found, secrets.includes(name), `${name} is set`, `the Worker has no ${name}`, "`npm run deploy` sets it.");
  }
  for (const [, queue] of text.matchAll(/^\[\[queues\.consumers\]\]\nqueue = "(.*)"/gm)) {
    const consumers = (await account.consumers(queue)) ?? [];
    judge(found, consumers.includes(config.name), `the queue ${queue} is consumed`, `nobody consumes the queue ${queue}`, "run `npm run deploy`.");
  }
}

function bindings(config, text, repoConfig, found) {
  const shards = Number(config.vars.LOG_SHARDS ?? 1);
  const bound = [...text.matchAll(/^binding = "(LOG_\d+)"/gm)].length;
  judge(found, bound === shards, `${shards} LOG databases are bound`, `LOG_SHARDS is ${shards}, and ${bound} LOG databases are bound`, "run `npm run deploy`.");
  const names = (toml) => [...toml.matchAll(/^(?:binding|name) = "([A-Z_]+)"/gm)].map(([, name]) => name);
  const missing = names(repoConfig).filter((name) => !names(text).includes(name));
  judge(found, !missing.length, "every binding is there", `wrangler.local.toml has no ${missing.join(", ")}`, "run `npm run deploy`.");
  judge(found, /^crons = \["\* \* \* \* \*"\]/m.test(text), "the cron is set", "there is no cron every minute", "put the [triggers] of wrangler.toml back and run `npm run deploy`.");
  judge(found, /^preview_urls = false/m.test(text), "versions have no public address", "every version has a public address of its own",
    "set preview_urls = false in wrangler.local.toml and run `npm run deploy`.");
  judge(found, config.vars.ALLOW_PRIVATE_DESTINATIONS !== "true", "private addresses are refused", "ALLOW_PRIVATE_DESTINATIONS is true",
    "set it to \"false\" in wrangler.local.toml and run `npm run deploy`.");
  const hosts = (config.vars.OWN_HOSTS ?? "").split(",").filter(Boolean);
  judge(found, hosts.length && (!config.domain || hosts.includes(config.domain)), "its own hosts are refused", "OWN_HOSTS does not name its host", "run `npm run deploy`.");
}

async function database(account, name, migrations, now, found) {
  const isControl = name.endsWith("-control");
  const applied = await account.applied(name);
  const missing = migrations[isControl ? "control" : "log"].filter((one) => !applied.includes(one));
  judge(found, !missing.length, `the schema of ${name} is up to date`, `${name} lacks ${missing.join(", ")}`, "run `npm run deploy`.");
  const size = await account.size(name);
  judge(found, size < NEARLY_FULL, `${name} holds ${(size / GB).toFixed(2)} GB`, `${name} holds ${(size / GB).toFixed(1)} of 10 GB${size > FULL ? " and is full" : ""}`,
    isControl ? "delete workspaces that nobody needs." : MORE_SHARDS);
  if (isControl || missing.length) return;
  const late = await account.overdue(name, now - LATE_MS);
  judge(found, late === 0, `nothing in ${name} is late`, `${late} deliveries in ${name} are more than 10 minutes late`,
    "see whether the queue is consumed and the cron runs: `npx wrangler tail`, `npx wrangler queues info`.");
  const counted = await account.countedUntil(name);
  judge(found, counted === null || now - counted < UNCOUNTED_MS, `the cron has counted in ${name}`, `the cron has not counted in ${name} since ${counted && new Date(counted).toISOString()}`,
    "see in the dashboard whether the Worker's cron trigger is there; `npm run deploy` sets it.");
}
