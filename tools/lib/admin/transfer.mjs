// A workspace as JSON lines, one record each: its configuration without secrets, and with `--events` its history:
// events with the payloads' exact texts, deliveries and attempts. What was exported can be imported as a new workspace,
// here or elsewhere.
import { readFileSync } from "node:fs";
import { all, expected } from "../api.mjs";
import { StepError } from "../run.mjs";

const FORMAT = 1;
const NOT_SETTINGS = /^(has_|secret_set_by$)|_set_at$/;
/** What a workspace keeps and may use. */
const BOUNDS = ["retention_days", "retention_unsettled_days", "limits"];
/** What stands where a credential of a provider is to be entered. Nothing is sent with it: its connection is paused. */
const TO_BE_ENTERED = "to-be-entered-us1";
const LOOKS = {
  "slack bot_token": `xoxb-${TO_BE_ENTERED}`,
  "slack webhook_url": `https://hooks.slack.com/services/T0/B0/${TO_BE_ENTERED}`,
  "discord webhook_url": `https://discord.com/api/webhooks/100000000000000000/${TO_BE_ENTERED}`,
};
/** Bytes of events that one request takes along: a bulk has 8 MiB. */
const REQUEST_BYTES = 2_000_000;

/** `export WORKSPACE`: writes the lines to standard output as they come. */
export async function exportWorkspace({ target: { api }, write }, [id], options) {
  const line = (type, record) => write(`${JSON.stringify({ ...record, type })}\n`);
  const workspace = expected("the workspace", 200, await api.get(`/workspaces/${id}`));
  const { name, description, environment, external_id, publishable_key: key } = workspace;
  const bounds = Object.fromEntries(BOUNDS.map((bound) => [bound, workspace[bound]]));
  line("workspace", { format: FORMAT, id, name, description, environment, external_id, ...bounds, key: { events: key.events, origins: key.origins } });
  for (const one of await all(api, `/workspaces/${id}/connections`)) {
    line("connection", {
      id: one.id, integration: one.type, name: one.name, metadata: one.metadata, hidden: one.hidden, active: one.active,
    });
    const { status, body } = await api.get(`/connections/${one.id}/mappings/default`);
    if (status === 200 && body.status === "stored") line("mapping", { connection: one.id, name: body.mapping.name, schema: body.mapping.schema });
  }
  for (const rule of await all(api, `/workspaces/${id}/rules`)) {
    const { id: rule_id, connection, event, resource, resource_id, filter, metadata, active, hidden } = rule;
    line("rule", { id: rule_id, connection, event, resource, resource_id, filter, metadata, active, hidden });
  }
  if (!options.events) return;
  for (let cursor = ""; cursor !== null; ) {
    const page = expected("the history", 200, await api.get(`/workspaces/${id}/history${cursor && `?cursor=${encodeURIComponent(cursor)}`}`));
    for (const event of page.records) line("event", event);
    cursor = page.next_cursor;
  }
}

/** `import FILE`: a new workspace with the connections and rules of an export, and its history where the file has it. */
export async function importWorkspace({ target }, [file]) {
  const { api } = target;
  const records = readFileSync(file, "utf8").split("\n").filter(Boolean).map((text) => JSON.parse(text));
  const of = (type) => records.filter((record) => record.type === type);
  const [source] = of("workspace");
  if (source?.format !== FORMAT) throw new StepError(`${file} does not begin with a workspace that this version exports.`);
  // Asked for before anything is made: only the operator may say what has happened.
  const events = of("event");
  const admin = events.length ? target.admin : null;
  const workspace = await newWorkspace(api, source);
  const [connections, rules, incomplete] = [{}, {}, []];
  for (const one of of("connection")) {
    const { metadata, lost } = settings(one);
    const body = { workspace: workspace.id, type: one.integration, name: one.name, metadata, hidden: one.hidden, skip_test: true };
    const { connection } = expected(`connection ${one.name}`, 201, await api.post("/connections", body));
    connections[one.id] = connection.id;
    if (lost.length || !one.active) {
      const reason = lost.length ? { reason: "secrets_missing" } : {};
      expected("its pause", 200, await api.post(`/connections/${connection.id}/deactivate`, reason));
    }
    if (lost.length) incomplete.push(`  ${one.name}: ${lost.join(", ")}`);
  }
  for (const { connection, name, schema } of of("mapping")) {
    expected("the mapping", 200, await api.put(`/connections/${connections[connection]}/mappings/default`, { name, schema }));
  }
  for (const rule of of("rule")) rules[rule.id] = await newRule(api, workspace.id, connections, rule);
  const leftOut = await importHistory(admin, workspace.id, { connections, rules }, events);
  return report(workspace, of("connection").length, of("rule").length, incomplete, events.length, leftOut);
}

/** Sends the events in pieces; how many deliveries were left out. The same piece again changes nothing. */
async function importHistory(admin, workspace, renamed, events) {
  let [leftOut, piece, bytes] = [0, [], 0];
  const send = async () => {
    if (!piece.length) return;
    const answer = await admin.post(`/workspaces/${workspace}/history`, { ...renamed, events: piece });
    leftOut += expected("the history", 200, answer).left_out;
    [piece, bytes] = [[], 0];
  };
  for (const { type, ...event } of events) {
    const size = JSON.stringify(event).length;
    if (bytes + size > REQUEST_BYTES || piece.length >= 50) await send();
    piece.push(event);
    bytes += size;
  }
  await send();
  return leftOut;
}

async function newWorkspace(api, { name, description, environment, external_id: externalId, key, ...source }) {
  const body = { name, description, environment, ...(externalId ? { external_id: externalId } : {}) };
  for (const [key, value] of Object.entries(body)) if (value === null || value === undefined) delete body[key];
  const answer = await api.post("/workspaces", body);
  if (answer.status === 200) throw new StepError(`there is a workspace with the external id ${externalId} already.`);
  const { workspace } = expected("the workspace", 201, answer);
  const at = `/workspaces/${workspace.id}`;
  // What it would keep and may use anyway stays the organization's to decide.
  const isOther = (bound) => source[bound] !== undefined && JSON.stringify(source[bound]) !== JSON.stringify(workspace[bound]);
  const bounds = Object.fromEntries(BOUNDS.filter(isOther).map((bound) => [bound, source[bound]]));
  if (Object.keys(bounds).length) expected("its bounds", 200, await api.patch(at, bounds));
  const limits = Object.fromEntries(Object.entries(key ?? {}).filter(([, value]) => value));
  if (Object.keys(limits).length) expected("the limits of its key", 200, await api.patch(`${at}/publishable-key`, limits));
  return workspace;
}

/** Settings as they can be sent, and what of them is a secret that no export holds. */
function settings({ integration, metadata: read }) {
  const metadata = Object.fromEntries(Object.entries(read).filter(([key, value]) => !NOT_SETTINGS.test(key) && value !== null));
  const lost = [];
  if (read.has_signing_secret && read.signing_algorithm !== "none") lost.push("signing secret");
  if (!["webhook", "http"].includes(integration)) {
    for (const [has] of Object.entries(read).filter(([key, value]) => key.startsWith("has_") && value === true)) {
      const key = has.slice("has_".length);
      metadata[key] = LOOKS[`${integration} ${key}`] ?? TO_BE_ENTERED;
      lost.push(key);
    }
  }
  if (metadata.auth_scheme && metadata.auth_scheme !== "none") {
    lost.push(`credentials (${metadata.auth_scheme})`);
    for (const key of Object.keys(metadata)) if (key.startsWith("auth_")) delete metadata[key];
  }
  const headers = metadata.custom_headers ?? [];
  if (headers.length) lost.push(`headers ${headers.map(({ name }) => name).join(", ")}`);
  delete metadata.custom_headers;
  return { metadata, lost };
}

async function newRule(api, workspace, connections, { connection, event, resource, resource_id, filter, metadata, active, hidden }) {
  const body = { workspace, connection: connections[connection], event, resource, resource_id, filter, metadata, active, hidden };
  for (const [key, value] of Object.entries(body)) if (value === null || value === undefined) delete body[key];
  return expected(`the rule for ${event}`, 201, await api.post("/rules", body)).rule.id;
}

function report(workspace, connections, rules, incomplete, events, leftOut) {
  const lines = [`Workspace ${workspace.id} ${workspace.name}: ${connections} connections, ${rules} rules, ${events} events`];
  if (incomplete.length) lines.push("To be entered anew; these connections are paused until somebody activates them:", ...incomplete);
  if (leftOut) lines.push(`${leftOut} deliveries were left out: their rule or connection had been deleted.`);
  return lines.join("\n");
}
