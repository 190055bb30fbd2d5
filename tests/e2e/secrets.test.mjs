// Promise 7 on the running Worker: secrets go in and never out. A workspace with every kind of secret is used in every
// way, by receivers that send back what they get; then all that was answered, shown, logged, exported and stored is
// searched for each of them in any spelling.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { COMMANDS } from "../../tools/lib/admin/commands.mjs";
import { newSession } from "./lib/embed.mjs";
import { knownSecrets } from "./lib/known-secrets.mjs";
import { answer } from "./lib/receiver.mjs";
import { filesBelow, leaks } from "./lib/secrets.mjs";
import { ADMIN_TOKEN, MASTER_KEYS, connect, emit, made, newTenant, ok, openWorld, secretWord, settled } from "./lib/world.mjs";

const PAGES_MAX = 400;
/** Destinations that hold credentials of a provider; `newProvider` says so where one is missing. */
const PROVIDERS = ["activecampaign", "customer_io", "discord", "hubspot", "intercom", "mailchimp", "mailerlite", "pipedrive", "resend", "sendgrid", "slack"];

let world, tenant;
const secrets = {};
/** All that anybody was told, by where. */
const told = new Map();

before(async () => {
  world = await openWorld({ vars: (receiver) => ({ PROVIDER_BASES: JSON.stringify(Object.fromEntries(PROVIDERS.map((type) => [type, receiver.url(`/${type}`)]))) }) });
  tenant = await newTenant(world, "Secretive");
  Object.assign(secrets, { "machine key": tenant.machine.secretKey, "admin token": ADMIN_TOKEN, "master key": MASTER_KEYS.split(":")[1] });
});
after(() => world?.close());

/** A new secret that is looked for later. It has characters that each encoding changes. */
const secret = (name) => (secrets[name] = `${secretWord(name.replaceAll(" ", "-"))}/+?&"<é`);

/** A credential may hold what a header may: ASCII. */
const credential = (name) => (secrets[name] = `${secretWord(name.replaceAll(" ", "-"))}/+?&"<`);

const keep = (where, text) => told.set(where, text);

async function asked(path) {
  const { text } = await tenant.api.get(path);
  keep(`GET ${path}`, text);
  return JSON.parse(text);
}

/** What a receiver that is no friend sends back: all headers, and the credentials decoded. */
const echo = ({ headers, body }) => JSON.stringify({ headers, body: body.toString(), basic: decoded(headers.authorization) });
const decoded = (header = "") => Buffer.from(header.replace(/^Basic /, ""), "base64").toString();

const KINDS = {
  bearer: () => ({ auth_scheme: "bearer", auth_token: credential("bearer token"), signing_secret: secret("standard secret") }),
  basic: () => ({
    auth_scheme: "basic", auth_username: "ann", auth_password: credential("basic password"),
    signing_scheme: "body", signing_secret: secret("body secret"),
  }),
  header: () => ({
    auth_scheme: "header", auth_header_name: "X-Key", auth_header_value: credential("header value"),
    signing_scheme: "timestamped", signing_algorithm: "hmac-sha512", signing_secret: secret("timestamped secret"),
  }),
  custom: () => ({ custom_headers: [{ name: "X-Team", value: credential("custom header") }], generate_secret: true }),
};

test("every kind of secret is used, sent back, rotated and refused", async () => {
  for (const [kind, metadata] of Object.entries(KINDS)) {
    for (const status of [200, 500]) {
      const path = `/${kind}-${status}`;
      world.receiver.on(path, answer(status, { headers: { "x-echo": "yes" }, body: echo }));
      const asked = { url: world.receiver.url(path), metadata: { ...metadata(), retry_schedule_seconds: [1] } };
      const { connection, event } = await connect(tenant, asked);
      if (connection.metadata.signing_secret) secrets[`generated ${status}`] = connection.metadata.signing_secret;
      await settled(tenant, (await emit(tenant, event)).id, ["completed", "failed"]);
      const rotated = ok(await tenant.api.post(`/connections/${connection.id}/secret/rotate`, {}));
      secrets[`rotated ${kind} ${status}`] = JSON.stringify(rotated).match(/"signing_secret":"([^"]+)"/)[1];
      made(await tenant.api.post(`/connections/${connection.id}/test`, {}));
      // Told what is wrong with one field, and nothing of the others.
      const refused = await tenant.api.put(`/connections/${connection.id}`, { name: "", metadata: asked.metadata });
      assert.equal(refused.status, 400);
      keep(`refused ${path}`, refused.text);
    }
  }
  const { machine_key: key } = made(await tenant.api.post("/machine-keys", { name: "Second" }));
  secrets["second machine key"] = key.secret_key;
});

/** What a provider's credential looks like, where it must look like something; the word in it is the secret. */
const LOOKS = {
  "slack bot_token": (word) => `xoxb-${word}`,
  "discord webhook_url": (word) => `https://discord.com/api/webhooks/123456789012345678/${word}`,
  "mailchimp api_key": (word) => `${word}-us21`,
};
const SAYS = { id: "7", value: "v", template: "t {{first_name}}", from: "team@acme.example", subject: "Hello", body: "{}", text: "t", name: "n" };

/** A connection of a provider with each credential that its type has, and a rule for each action that it takes. */
async function newProvider({ type, authentication, actions }) {
  const metadata = { retry_schedule_seconds: [1] };
  for (const { key, required, type: kind } of authentication.fields) {
    const name = `${type} ${key}`;
    const word = secretWord(`${type}-${key}`).replaceAll("_", "-");
    if (kind !== "password" || (type === "slack" && key !== "bot_token")) {
      if (required) metadata[key] = "https://acme.api-us1.com";
      continue;
    }
    secrets[name] = word;
    metadata[key] = LOOKS[name]?.(word) ?? word;
  }
  const workspace = tenant.workspace.id;
  const { connection } = made(await tenant.api.post("/connections", { workspace, type, name: type, metadata }));
  let rules = 0;
  for (const action of Object.keys(actions)) {
    const { status } = await tenant.api.post("/rules", { workspace, connection: connection.id, event: type, metadata: { action, ...SAYS } });
    rules += status === 201 ? 1 : 0;
  }
  assert.ok(rules > 0, `${type} takes no rule`);
}

test("providers that send back what they get learn and tell nothing more", async () => {
  // Not the credentials are refused, for then there would be no attempts: the provider is ill, and chats.
  world.receiver.otherwise(answer(500, { headers: { "x-echo": "yes" }, body: echo }));
  const { records } = ok(await tenant.api.get("/integrations"));
  const types = records.filter(({ type }) => !["webhook", "http"].includes(type));
  assert.deepEqual(types.map(({ type }) => type).sort(), PROVIDERS);
  for (const one of types) {
    await newProvider(one);
    const { id } = await emit(tenant, one.type, '{"email":"ann@example.com","first_name":"Ann"}');
    await settled(tenant, id, ["completed", "failed"], 30_000);
    const attempts = JSON.stringify(ok(await tenant.api.get(`/events/${id}`)));
    assert.match(attempts, /"attempt_count":[12]/, one.type);
    const arrived = world.receiver.requests.filter(({ path }) => path.startsWith(`/${one.type}/`));
    assert.ok(arrived.length > 0, `${one.type} was never called`);
  }
});

test("no answer of the API holds one", async () => {
  const { records: connections } = await asked("/connections?limit=200");
  for (const { id } of connections) {
    for (const path of ["", "/deliveries", "/actions", "/fields"]) await asked(`/connections/${id}${path}`);
  }
  const { records: events } = await asked("/events?limit=200");
  assert.ok(events.length >= 16);
  for (const { id, rule_events: deliveries } of events) {
    await asked(`/events/${id}`);
    for (const { rule } of deliveries) {
      const path = `/events/${id}/rules/${rule}/attempts`;
      const { records } = await asked(path);
      for (const { number } of records) {
        await asked(`${path}/${number}`);
        await asked(`${path}/${number}/response-details`);
      }
    }
  }
  for (const path of ["/organization", "/machine-keys", "/workspaces", "/rules", "/integrations", "/stats", `/sessions?workspace_id=${tenant.workspace.id}`]) {
    await asked(path);
  }
  assertNothing();
});

test("no page of the embed holds one", async () => {
  const session = await newSession(world, tenant, { role: "owner" });
  Object.assign(secrets, { "access token": session.access_token, "launch token": session.launch_token });
  const launched = await fetch(session.launch_url, { redirect: "manual" });
  const cookie = launched.headers.getSetCookie().map((one) => one.split(";")[0]).join("; ");
  secrets.cookie = cookie.split("=").slice(1).join("=");
  const first = new URL(launched.headers.get("location") ?? session.launch_url, world.localUrl).href;
  const waiting = [first];
  const seen = new Set();
  while (waiting.length && seen.size < PAGES_MAX) {
    const url = waiting.shift().split("#")[0];
    if (seen.has(url)) continue;
    seen.add(url);
    const page = await fetch(url, { headers: { cookie }, redirect: "manual" });
    const text = await page.text();
    keep(`page ${new URL(url).pathname}`, text);
    for (const [, link] of text.matchAll(/href="([^"]+)"/g)) {
      const next = new URL(link.replaceAll("&amp;", "&"), url);
      if (next.origin === world.localUrl && next.pathname.startsWith("/embed/s/")) waiting.push(next.href);
    }
  }
  assert.ok(seen.size > 30, `${seen.size} pages`);
  assertNothing();
});

test("no export, no line of the log and no byte that is stored holds one", async () => {
  let exported = "";
  const context = { target: { api: tenant.api }, write: (text) => (exported += text) };
  await COMMANDS.export.run(context, [tenant.workspace.id], { events: true });
  assert.ok(exported.split("\n").length > 30);
  keep("export", exported);
  keep("log", world.worker.lines.join("\n"));
  // Where this machine hands the Worker its own secrets.
  const skip = (path) => path.endsWith("vars.env") || path.includes("/worker/");
  let bytes = 0;
  for (const file of filesBelow(world.stateDir, skip)) {
    bytes += file.bytes.length;
    keep(file.path.replace(world.stateDir, "state"), file.bytes);
  }
  assert.ok(bytes > 100_000, `${bytes}`);
  assertNothing();
});

test("what goes wrong in a world is found when it is closed", async () => {
  const known = knownSecrets();
  const word = secretWord("found");
  const answers = { post: async (path) => ({ status: 201, body: path === "/machine-keys" ? { machine_key: { secret_key: word } } : {} }) };
  const api = known.watched({ ...answers, put: answers.post, patch: answers.post });
  const folder = mkdtempSync(join(tmpdir(), "posthorn-leak-"));
  try {
    writeFileSync(join(folder, "stored"), Buffer.from(`a byte before ${word}`).toString("base64"));
    assert.deepEqual(known.foundIn(folder, [word]), [], "nothing is known yet");
    await api.post("/machine-keys", {});
    assert.deepEqual(known.foundIn(folder, []).map(({ where }) => where), ["state/stored"]);
    assert.deepEqual(known.foundIn(folder, ["fine", word]).map(({ where }) => where), ["the log", "state/stored"]);
    const metadata = { url: "https://example.com/not-a-secret", auth_token: secretWord("given") };
    await api.patch("/connections/c", { metadata });
    assert.equal(known.foundIn(folder, [JSON.stringify(metadata)]).length, 2);
    known.ofVars({ MASTER_KEYS: `a:${MASTER_KEYS.split(":")[1]}`, ADMIN_TOKEN, NOTICE: "this is told to everybody" });
    assert.equal(known.foundIn(folder, [MASTER_KEYS, ADMIN_TOKEN, "this is told to everybody"]).length, 3);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("the search finds what is there", () => {
  const word = 'sk-1234567890/+?&"<é';
  for (const text of [word, JSON.stringify({ a: word }), JSON.stringify(JSON.stringify({ a: word })), encodeURIComponent(word),
    `a,"${word.replaceAll('"', '""')}"`, new URLSearchParams({ a: word }).toString(), Buffer.from(word).toString("hex"),
    ...["", "x", "xy"].map((before) => Buffer.from(`${before}${word}tail`).toString("base64url"))]) {
    assert.ok(leaks({ word }, `some ${text} text`).length, text);
  }
  assert.deepEqual(leaks({ word }, "nothing of it"), []);
});

function assertNothing() {
  assert.ok(Object.keys(secrets).length > 15);
  for (const [where, content] of told) {
    assert.deepEqual(leaks(secrets, content), [], where);
  }
}
