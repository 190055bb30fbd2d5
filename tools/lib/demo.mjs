// The demo tenant, made through the public API as any user would and kept in the state folder.
import { join } from "node:path";
import { apiClient, asAdmin, asMachine, expected } from "./api.mjs";
import { ensureCatalogue } from "./catalogue.mjs";
import { newSigningSecret, readLocal, writeLocal } from "./local-files.mjs";

export const DEMO_EVENT = "order.completed";

const demoFile = (stateDir) => join(stateDir, "demo.json");

/**
 * What the receiver needs, from a former start where there was one: the signing secret and its port.
 * Kept before the connection is made, so that a start cut short in between does not lose the secret.
 */
export function receiverSettings(stateDir) {
  const demo = readLocal(demoFile(stateDir));
  const secret = demo.signing_secret ?? newSigningSecret();
  if (!demo.signing_secret) writeLocal(demoFile(stateDir), { ...demo, signing_secret: secret });
  return { secret, port: demo.receiver_port };
}

/** The port that the demo shop had on a former start. */
export const shopPort = (stateDir) => readLocal(demoFile(stateDir)).shop_port;

/** Keeps the demo shop's port, so that its address stays the same from start to start. */
export function keepShopPort(stateDir, port) {
  const demo = readLocal(demoFile(stateDir));
  if (demo.shop_port !== port) writeLocal(demoFile(stateDir), { ...demo, shop_port: port });
}

/**
 * Makes sure of organization, workspace and catalogue, and of a connection to `receiver` ({url, port}) with a
 * rule for the demo event; without a receiver those two are taken away. Answers ids and keys.
 */
export async function ensureDemo({ baseUrl, stateDir, adminToken, receiver }) {
  const save = (demo) => (writeLocal(demoFile(stateDir), demo), demo);
  let demo = readLocal(demoFile(stateDir));
  if (!(await stillThere(baseUrl, demo))) demo = save(await newTenant(baseUrl, adminToken, demo));
  const api = apiClient(baseUrl, asMachine(credentials(demo)));
  if (!demo.workspace_id) demo = save({ ...demo, ...(await newWorkspace(api)) });
  await ensureCatalogue(api);
  if (!receiver) return save(await withoutConnection(api, demo));
  demo = save(await withConnection(api, demo, receiver));
  if (!demo.rule_id) demo = save({ ...demo, rule_id: await newRule(api, demo) });
  return demo;
}

/** The machine key of the demo tenant, as the API client takes it. */
export function credentials(demo) {
  return { organizationId: demo.organization_id, accessKey: demo.access_key, secretKey: demo.secret_key };
}

/** False when the databases were deleted and the file was not. */
async function stillThere(baseUrl, demo) {
  if (!demo.organization_id) return false;
  const answer = await apiClient(baseUrl, asMachine(credentials(demo))).get("/workspaces");
  return answer.status === 200;
}

async function newTenant(baseUrl, adminToken, former) {
  const answer = await apiClient(baseUrl, asAdmin(adminToken)).post("/organizations", { name: "Demo" });
  const { organization, machine_key } = expected("the demo organization", 201, answer);
  return {
    organization_id: organization.id,
    access_key: machine_key.access_key,
    secret_key: machine_key.secret_key,
    signing_secret: former.signing_secret,
    receiver_port: former.receiver_port,
    shop_port: former.shop_port,
  };
}

async function newWorkspace(api) {
  const { workspace } = expected("the demo workspace", 201, await api.post("/workspaces", { name: "Demo" }));
  const found = expected("the demo workspace", 200, await api.get(`/workspaces/${workspace.id}`));
  return { workspace_id: workspace.id, publishable_key: found.publishable_key.public_key };
}

async function withConnection(api, demo, { url, port }) {
  const name = "Demo receiver";
  const metadata = { url, signing_secret: demo.signing_secret };
  const next = { ...demo, receiver_port: port };
  if (demo.connection_id) {
    const path = `/connections/${demo.connection_id}`;
    const found = await api.get(path);
    if (found.status === 200 && found.body.metadata.url === url) return next;
    if (found.status === 200) {
      expected("the demo connection's new address", 200, await api.put(path, { name, metadata }));
      return next;
    }
  }
  const answer = await api.post("/connections", { workspace: demo.workspace_id, type: "webhook", name, metadata });
  const { connection } = expected("the demo connection", 201, answer);
  return { ...next, connection_id: connection.id, rule_id: undefined };
}

async function newRule(api, demo) {
  const answer = await api.post("/rules", {
    workspace: demo.workspace_id,
    connection: demo.connection_id,
    event: DEMO_EVENT,
    metadata: { action: "send_webhook" },
  });
  return expected("the demo rule", 201, answer).rule.id;
}

/** Events must not be sent to a receiver that is not there. */
async function withoutConnection(api, demo) {
  if (demo.rule_id) await api.delete(`/rules/${demo.rule_id}`);
  if (demo.connection_id) await api.delete(`/connections/${demo.connection_id}`);
  return { ...demo, rule_id: undefined, connection_id: undefined };
}
