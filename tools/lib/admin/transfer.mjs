// A workspace as JSON lines, one record each: its configuration without secrets, and its events with the payloads'
// exact text. What was exported can be imported as a new workspace, here or elsewhere; events are for your archive.
import { readFileSync } from "node:fs";
import { expected } from "../api.mjs";
import { StepError } from "../run.mjs";
import { all } from "./commands.mjs";

const FORMAT = 1;
const NOT_SETTINGS = /^(has_|secret_set_by$)|_set_at$/;

/** `export WORKSPACE`: writes the lines to standard output as they come. */
export async function exportWorkspace({ target: { api }, write }, [id], options) {
  const line = (type, record) => write(`${JSON.stringify({ ...record, type })}\n`);
  const workspace = expected("the workspace", 200, await api.get(`/workspaces/${id}`));
  const { name, description, environment, external_id } = workspace;
  line("workspace", { format: FORMAT, id, name, description, environment, external_id });
  for (const one of await all(api, `/workspaces/${id}/connections`)) {
    line("connection", { id: one.id, integration: one.type, name: one.name, metadata: one.metadata, hidden: one.hidden, active: one.active });
  }
  for (const rule of await all(api, `/workspaces/${id}/rules`)) {
    const { id: rule_id, connection, event, resource, resource_id, filter, metadata, active, hidden } = rule;
    line("rule", { id: rule_id, connection, event, resource, resource_id, filter, metadata, active, hidden });
  }
  if (!options.events) return;
  for (const event of await all(api, `/workspaces/${id}/events`)) {
    const answer = await api.get(`/events/${event.id}/payload`);
    line("event", { ...event, payload: answer.status === 200 ? payloadText(answer.text) : null });
  }
}

/** The exact text of the payload in an answer: it stands last. No text before it has an unescaped quote in it. */
function payloadText(answer) {
  const key = ',"payload":';
  return answer.slice(answer.indexOf(key) + key.length, -1);
}

/** `import FILE`: a new workspace with the connections and rules of an export. */
export async function importWorkspace({ target: { api } }, [file]) {
  const records = readFileSync(file, "utf8").split("\n").filter(Boolean).map((text) => JSON.parse(text));
  const of = (type) => records.filter((record) => record.type === type);
  const [source] = of("workspace");
  if (source?.format !== FORMAT) throw new StepError(`${file} does not begin with a workspace that this version exports.`);
  const workspace = await newWorkspace(api, source);
  const ids = new Map();
  const incomplete = [];
  for (const one of of("connection")) {
    const { metadata, lost } = settings(one.metadata);
    const body = { workspace: workspace.id, type: one.integration, name: one.name, metadata, hidden: one.hidden };
    const { connection } = expected(`connection ${one.name}`, 201, await api.post("/connections", body));
    ids.set(one.id, connection.id);
    if (lost.length || !one.active) {
      expected("its pause", 200, await api.post(`/connections/${connection.id}/deactivate`, {}));
    }
    if (lost.length) incomplete.push(`  ${one.name}: ${lost.join(", ")}`);
  }
  for (const rule of of("rule")) await newRule(api, workspace.id, ids, rule);
  return report(workspace, ids.size, of("rule").length, incomplete, of("event").length);
}

async function newWorkspace(api, { name, description, environment, external_id: externalId }) {
  const body = { name, description, environment, ...(externalId ? { external_id: externalId } : {}) };
  for (const [key, value] of Object.entries(body)) if (value === null || value === undefined) delete body[key];
  const answer = await api.post("/workspaces", body);
  if (answer.status === 200) throw new StepError(`there is a workspace with the external id ${externalId} already.`);
  return expected("the workspace", 201, answer).workspace;
}

/** Settings as they can be sent, and what of them is a secret that no export holds. */
function settings(read) {
  const metadata = Object.fromEntries(Object.entries(read).filter(([key, value]) => !NOT_SETTINGS.test(key) && value !== null));
  const lost = [];
  if (read.has_signing_secret !== false && read.signing_algorithm !== "none") lost.push("signing secret");
  if (metadata.auth_scheme && metadata.auth_scheme !== "none") {
    lost.push(`credentials (${metadata.auth_scheme})`);
    for (const key of Object.keys(metadata)) if (key.startsWith("auth_")) delete metadata[key];
  }
  const headers = metadata.custom_headers ?? [];
  if (headers.length) lost.push(`headers ${headers.map(({ name }) => name).join(", ")}`);
  delete metadata.custom_headers;
  return { metadata, lost };
}

async function newRule(api, workspace, ids, { connection, event, resource, resource_id, filter, metadata, active, hidden }) {
  const body = { workspace, connection: ids.get(connection), event, resource, resource_id, filter, metadata, active, hidden };
  for (const [key, value] of Object.entries(body)) if (value === null || value === undefined) delete body[key];
  expected(`the rule for ${event}`, 201, await api.post("/rules", body));
}

function report(workspace, connections, rules, incomplete, events) {
  const lines = [`Workspace ${workspace.id} ${workspace.name}: ${connections} connections, ${rules} rules`];
  if (incomplete.length) lines.push("To be entered anew; these connections are paused until somebody activates them:", ...incomplete);
  if (events) lines.push(`${events} events of the file were not imported: history stays where it happened.`);
  return lines.join("\n");
}
