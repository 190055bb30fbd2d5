// The commands of `npm run admin`. Each is {usage, says, run(context, args, options)}; what it answers is printed.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { expected, mintToken } from "../api.mjs";
import { kept } from "../deploy/config.mjs";
import { readLocal, writeLocal } from "../local-files.mjs";
import { StepError } from "../run.mjs";
import { doctor } from "./doctor.mjs";
import { exportWorkspace, importWorkspace } from "./transfer.mjs";

const PAGE = 200;

/** All records of a list. */
export async function all(api, path) {
  const records = [];
  for (let cursor = ""; cursor !== null; ) {
    const sign = path.includes("?") ? "&" : "?";
    const page = expected(path, 200, await api.get(`${path}${sign}limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`));
    records.push(...page.records);
    cursor = page.next_cursor;
  }
  return records;
}

const table = (records, fields) => records.map((record) => fields.map((field) => record[field] ?? "-").join("  ")).join("\n")
  || "none";

/** A secret goes into a file for its owner, never to where it may be logged. */
function keepSecret({ folder }, name, value) {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, `${name}.key.json`);
  writeLocal(file, value);
  return file;
}

function confirmed(options, what) {
  if (!options.yes) throw new StepError(`${what} cannot be undone.`, { hint: "run it again with --yes." });
}

async function newOrganization(context, [name]) {
  const answer = await context.target.admin.post("/organizations", { name });
  const { organization, machine_key: key } = expected("the organization", 201, answer);
  const file = keepSecret(context, key.access_key, { organization_id: organization.id, ...key });
  return `Organization ${organization.id} ${organization.name}\nIts machine key ${key.access_key} is in ${file}`;
}

async function newKey(context, [name]) {
  const { machine_key: key } = expected("the machine key", 201, await context.target.api.post("/machine-keys", name ? { name } : {}));
  const organization = context.target.machine.organizationId;
  return `Machine key ${key.access_key}; its secret is in ${keepSecret(context, key.access_key, { organization_id: organization, ...key })}`;
}

async function newWorkspace({ target }, [name], options) {
  const body = { name, ...(options["external-id"] ? { external_id: options["external-id"] } : {}) };
  const answer = await target.api.post("/workspaces", body);
  const { workspace } = expected("the workspace", answer.status === 200 ? 200 : 201, answer);
  return `Workspace ${workspace.id} ${workspace.name}\nPublishable key ${workspace.publishable_key.public_key}`;
}

async function showWorkspace({ target: { api } }, [id]) {
  const workspace = expected("the workspace", 200, await api.get(`/workspaces/${id}`));
  const connections = await all(api, `/workspaces/${id}/connections`);
  const rules = await all(api, `/workspaces/${id}/rules`);
  const { total } = expected("its statistics", 200, await api.get(`/workspaces/${id}/stats?days=7`));
  const shown = connections.map((one) => `  ${one.id}  ${one.status ?? ""}  ${one.name}${one.inactive_reason ? `  (${one.inactive_reason})` : ""}`);
  return [
    `${workspace.id}  ${workspace.name}${workspace.external_id ? `  external id ${workspace.external_id}` : ""}`,
    `${connections.length} connections, ${rules.length} rules`, ...shown,
    `Last 7 days: ${total.completed} delivered, ${total.failed} failed, ${total.pending} open, ${total.canceled} canceled`,
  ].join("\n");
}

async function eraseWorkspace({ target }, [id], options) {
  confirmed(options, `erasing workspace ${id}`);
  expected("the erasure", 200, await target.api.delete(`/workspaces/${id}`, { force_delete: true }));
  return `Workspace ${id} is erased: nobody finds it any more, and what it owed is canceled.`;
}

/** A session for staff. It shows no payloads and may not change much, unless that is asked for. */
async function open({ target }, [workspace], options) {
  const body = {
    workspace_id: workspace,
    role: options.role ?? (options.payload ? "admin" : "member"),
    external_user_id: `staff:${userInfo().username}`,
    scopes: options.payload ? ["events.payload:read"] : [],
  };
  const { launch_url: url } = expected("the session", 200, await target.api.post("/sessions", body));
  return url;
}

async function token({ target }) {
  if (!target.machine) void target.api;
  return mintToken(target.machine);
}

/** The cron's work, done now. A deployed Worker's cron can only be started by Cloudflare. */
async function sweep({ target, call }) {
  if (!target.isLocal) {
    throw new StepError("a deployed installation sweeps every minute by itself.", { hint: "`npm run admin -- doctor` says whether it does." });
  }
  const answer = await call(`${target.baseUrl}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent("* * * * *")}`);
  if (!answer.ok) throw new StepError(`the sweep was answered ${answer.status}.`, { tail: await answer.text() });
  return "Swept.";
}

/** Seals all that older master keys have sealed with the newest one. */
async function reseal({ target, write }) {
  const line = ({ id, status, values }) => `${id}  ${status}  ${values}`;
  for (;;) {
    const done = expected("the step", 200, await target.admin.post("/health/keys/reseal"));
    write(`${done.resealed} records sealed anew, ${done.left} values left\n`);
    if (done.resealed) continue;
    const shown = done.keys.map(line).join("\n");
    if (!done.left) return `${shown}\n0 left`;
    const unknown = done.keys.filter(({ status, values }) => status === "unknown" && values);
    throw new StepError(`${done.left} values are not sealed with the newest key.`, {
      tail: shown,
      hint: unknown.length ? `put ${unknown.map(({ id }) => id).join(", ")} back into MASTER_KEYS.` : "the log names what does not open.",
    });
  }
}

/** How full the databases are: as the installation says it, or where it does not, the account. */
async function shards({ target, account, configFile, call }) {
  const { storage } = target.adminToken ? await health(target, call) : {};
  if (storage?.length) return storage.map(({ shard, bytes, percent, level }) => `LOG_${shard}  ${gigabytes(bytes)}  ${percent} %  ${level}`).join("\n");
  if (!account || target.isLocal) throw new StepError("it says nothing of its databases yet, and there is no wrangler.local.toml here.");
  const { account: id, databases } = kept(readFileSync(configFile, "utf8"));
  await account.choose(id);
  const lines = [];
  for (const name of Object.keys(databases)) {
    const bytes = await account.size(name);
    lines.push(`${name.padEnd(30)} ${gigabytes(bytes)}  ${Math.round(bytes / 1e8)} %`);
  }
  return lines.join("\n");
}

const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(2)} of 10 GB`;

/** What /health tells the operator. */
async function health({ baseUrl, adminToken }, call) {
  const answer = await call(`${baseUrl}/health`, { headers: { authorization: `Bearer ${adminToken}` } });
  return answer.ok ? answer.json() : {};
}

/** The organizations of CONTROL: the API knows no list of them. */
async function listOrganizations({ target, account, configFile }) {
  if (!account || target.isLocal) throw new StepError("this needs wrangler.local.toml, which `npm run deploy` writes.");
  const { account: id, databases } = kept(readFileSync(configFile, "utf8"));
  await account.choose(id);
  return table(await account.listOrganizations(Object.keys(databases)[0]), ["id", "name"]);
}

const pausedFile = ({ folder }, workspace) => join(folder, `paused-${workspace}.json`);

/** Deactivates a workspace's connections, and keeps which: the others were inactive for reasons of their own. */
async function pause(context, [workspace]) {
  const { api } = context.target;
  const before = readLocal(pausedFile(context, workspace)).connections ?? [];
  const active = (await all(api, `/workspaces/${workspace}/connections`)).filter((one) => one.active).map((one) => one.id);
  mkdirSync(context.folder, { recursive: true, mode: 0o700 });
  // Kept first: what is paused and not known would stay so.
  writeLocal(pausedFile(context, workspace), { connections: [...new Set([...before, ...active])] });
  for (const id of active) expected("the pause", 200, await api.post(`/connections/${id}/deactivate`, {}));
  return `${active.length} connections are paused; what they owe is held. \`npm run admin -- resume ${workspace}\` sends it.`;
}

/** Activates what `pause` has deactivated; `--cancel` cancels what was held meanwhile. */
async function resume(context, [workspace], options) {
  const { api } = context.target;
  const { connections = [] } = readLocal(pausedFile(context, workspace));
  let resumed = 0;
  for (const id of connections) {
    const { status, body } = await api.get(`/connections/${id}`);
    if (status !== 200 || body.active) continue;
    const held = options.cancel ? { held: "cancel" } : {};
    expected("the activation", 200, await api.post(`/connections/${id}/activate`, held));
    resumed += 1;
  }
  rmSync(pausedFile(context, workspace), { force: true });
  return `${resumed} connections are active again.`;
}

export const COMMANDS = {
  "org create": { usage: "NAME", says: "a new organization with its first machine key", run: newOrganization, takes: 1 },
  "org list": {
    usage: "", says: "all organizations of an installation that was deployed from here", run: listOrganizations,
  },
  "org suspend": {
    usage: "ID", says: "refuse its emits and hold its deliveries (--undo ends it)", takes: 1,
    run: async ({ target }, [id], { undo }) => {
      expected("the organization", 200, await target.admin.patch(`/organizations/${id}`, { suspended: !undo }));
      return `Organization ${id} is ${undo ? "active" : "suspended"}.`;
    },
  },
  "org delete": {
    usage: "ID --yes", says: "delete it with everything in it", takes: 1,
    run: async ({ target }, [id], options) => {
      confirmed(options, `deleting organization ${id}`);
      expected("the deletion", 200, await target.admin.delete(`/organizations/${id}`));
      return `Organization ${id} is deleted.`;
    },
  },
  "key list": {
    usage: "", says: "the organization's machine keys",
    run: async ({ target }) => table(await all(target.api, "/machine-keys"), ["access_key", "created_at", "name"]),
  },
  "key create": { usage: "[NAME]", says: "one more machine key", run: newKey },
  "key revoke": {
    usage: "ACCESS_KEY --yes", says: "refuse its tokens from now on", takes: 1,
    run: async ({ target }, [key], options) => {
      confirmed(options, `revoking ${key}`);
      const answer = await target.api.delete(`/machine-keys/${key}`);
      expected("the revocation", answer.status === 204 ? 204 : 200, answer);
      return `${key} is revoked.`;
    },
  },
  "workspace list": {
    usage: "", says: "all workspaces of the organization",
    run: async ({ target }) => table(await all(target.api, "/workspaces"), ["id", "external_id", "name"]),
  },
  "workspace create": { usage: "NAME [--external-id ID]", says: "a new workspace", run: newWorkspace, takes: 1 },
  "workspace show": { usage: "ID", says: "connections, rules and the last 7 days", run: showWorkspace, takes: 1 },
  "workspace erase": { usage: "ID --yes", says: "delete it with everything in it", run: eraseWorkspace, takes: 1 },
  pause: { usage: "WORKSPACE", says: "deactivate its connections: what they owe is held", run: pause, takes: 1 },
  resume: { usage: "WORKSPACE [--cancel]", says: "activate what pause has deactivated", run: resume, takes: 1 },
  open: {
    usage: "WORKSPACE [--payload] [--role ROLE]", says: "a link to the customer's page, for staff; it works once, for a minute",
    run: open, takes: 1,
  },
  token: { usage: "", says: "a machine token for the shell, good for half a minute", run: token },
  reseal: { usage: "", says: "seal what older master keys have sealed with the newest one", run: reseal },
  shards: { usage: "", says: "how full the databases are", run: shards },
  sweep: { usage: "", says: "do the cron's work now (local only)", run: sweep },
  export: {
    usage: "WORKSPACE [--events]", says: "configuration (and events) as JSON lines, without secrets", run: exportWorkspace, takes: 1,
  },
  import: { usage: "FILE", says: "an export's configuration into a new workspace", run: importWorkspace, takes: 1 },
  doctor: { usage: "", says: "look for what is wrong, and say what to do", run: doctor },
};
