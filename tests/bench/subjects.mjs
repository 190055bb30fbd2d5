// The subjects of the bench, each started anew for every round: two floors, this build, and another build to compare.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { apiClient, asAdmin } from "../../tools/lib/api.mjs";
import { inRepo, root } from "../../tools/lib/paths.mjs";
import { freePort, HOST } from "../../tools/lib/ports.mjs";
import { ADMIN_TOKEN, connect, made, MASTER_KEYS, newTenant } from "../e2e/lib/world.mjs";

export const ENDPOINTS = ["fast", "slow", "hang"];
const VARS = { ADMIN_TOKEN, MASTER_KEYS, ALLOW_PRIVATE_DESTINATIONS: "true" };
/** This build. */
export const POSTHORN = { name: "Posthorn", repo: root, build: inRepo("build"), vars: VARS };

/** What a run measures, in the order of the page. `BASELINE` is a build folder inside its repository. */
export function subjects() {
  const all = [{ name: "naive floor", path: "/naive" }, { name: "intake floor", path: "/intake" }, POSTHORN];
  const { BASELINE } = process.env;
  if (BASELINE) all.push({ name: "baseline", repo: dirname(resolve(BASELINE)), build: resolve(BASELINE), vars: VARS });
  return all;
}

/** A helper of the bench in a process of its own, asked by messages; `lines` are those that it tells of by itself. */
export async function helper(name, argument = "") {
  const child = fork(join(import.meta.dirname, name), [argument], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`${name} ended with ${code}`);
  });
  gone.catch(() => {});
  const lines = [];
  let heard = () => {};
  child.on("message", (message) => (message.line === undefined ? heard(message) : lines.push(message.line)));
  const told = () => Promise.race([new Promise((done) => (heard = done)), gone]);
  return {
    lines,
    told,
    ask: (question) => {
      const answer = told();
      child.send(question);
      return answer;
    },
    async end() {
      const over = once(child, "exit");
      child.disconnect();
      await over;
    },
  };
}

/**
 * Starts a subject on an empty state. Answers {runtime, baseUrl, neighbours, load, another, end}: `load(endpoint, more)`
 * is what to ask of load.mjs, and `another()` answers such a function for one more workspace.
 */
export async function start(subject, receiverUrl) {
  const state = mkdtempSync(join(tmpdir(), "posthorn-bench-"));
  const [port, innerPort] = [await freePort(), await freePort()];
  const server = await helper("serve.mjs", JSON.stringify({ subject, state, port, innerPort, receiver: receiverUrl }));
  const { runtime } = await server.told();
  const baseUrl = `http://${HOST}:${port}`;
  const loads = (ways) => (endpoint, more) => {
    const { path, ...way } = ways[endpoint];
    return { host: HOST, port, ...way, path: more.bulk && subject.repo ? `${path}/bulk` : path, payload: payload(endpoint), ...more };
  };
  return {
    runtime,
    baseUrl,
    neighbours: () => neighbours(baseUrl, receiverUrl),
    load: loads(subject.repo ? await customer(baseUrl, receiverUrl) : floor(subject)),
    another: async () => loads(await customer(baseUrl, receiverUrl)),
    async end() {
      await server.end();
      rmSync(state, { recursive: true, force: true });
    },
  };
}

const floor = ({ path }) => Object.fromEntries(ENDPOINTS.map((name) => [name, { path, event: "order.completed" }]));

/** A workspace with a connection and a rule for each endpoint. */
async function customer(baseUrl, receiverUrl) {
  const tenant = await newTenant({ baseUrl, admin: apiClient(baseUrl, asAdmin(ADMIN_TOKEN)) });
  const ways = {};
  for (const name of ENDPOINTS) {
    const { event } = await connect(tenant, { url: `${receiverUrl}/${name}`, event: `order.${name}` });
    ways[name] = { path: "/api/v1/events", event, headers: { "x-meshes-publishable-key": tenant.publishableKey } };
  }
  return ways;
}

/** The rules of a customer whose emits cost as much as may be; as many as one event may meet. */
const COSTLY_RULES = 100;
const COSTLY_DIGITS = 500_000;

/** A customer whose emits cost much and one who has no rules: {near, costly} emit for them. */
async function neighbours(baseUrl, receiverUrl) {
  const admin = apiClient(baseUrl, asAdmin(ADMIN_TOKEN));
  const [tenant, neighbour] = [await newTenant({ baseUrl, admin }, "Costly"), await newTenant({ baseUrl, admin }, "Neighbour")];
  const { connection } = await connect(tenant, { url: `${receiverUrl}/fast` });
  const numbers = Array.from({ length: 100 }, (_, n) => n % 10);
  const filter = { or: Array.from({ length: 11 }, () => ({ path: "n", in: numbers })) };
  for (let n = 0; n < COSTLY_RULES; n += 1) {
    made(await tenant.api.post("/rules", {
      workspace: tenant.workspace.id, connection: connection.id, event: "costly", filter, metadata: { action: "send_webhook", key: String(n) },
    }));
  }
  const body = Buffer.from(`{"event":"costly","payload":{"n":${"7".repeat(COSTLY_DIGITS)}}}`);
  return {
    near: async () => made(await neighbour.publisher.post("/events", { event: "near", payload: {} })),
    costly: async () => made(await tenant.publisher.post("/events", body)),
  };
}

/** An order of about 250 bytes. */
const payload = (endpoint) => ({
  path: `/${endpoint}`,
  order: { id: "ord_01JD4XKQ8W", currency: "EUR", total: 12_990, customer: "cus_7Yt2", note: "leave it at the door" },
  lines: [{ sku: "A-1042", quantity: 2, price: 4_995 }, { sku: "B-77", quantity: 1, price: 3_000 }],
});
