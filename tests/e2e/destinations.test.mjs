// Destinations beyond the webhook, on the running Worker with a stand-in for their providers (PROVIDER_BASES).
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { contractJudge } from "./lib/contract-schemas.mjs";
import { newSession } from "./lib/embed.mjs";
import { assertError } from "./lib/shapes.mjs";
import { answer } from "./lib/receiver.mjs";
import { until } from "./lib/until.mjs";
import { attemptsOf, emit, made, newTenant, ok, openWorld, secretWord, settled } from "./lib/world.mjs";

const SEND = "/slack/api/chat.postMessage";
const AUTH = "/slack/api/auth.test";
const json = (body, status = 200, headers = {}) =>
  answer(status, { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });
const good = json({ ok: true, channel: "C1", ts: "1.2" });

const PROVIDERS = ["hubspot", "resend", "sendgrid", "mailchimp", "mailerlite", "activecampaign", "intercom", "pipedrive"];

let world, tenant, names = 0;

before(async () => {
  world = await openWorld({
    vars: (receiver) => ({
      PROVIDER_BASES: JSON.stringify({
        slack: receiver.url("/slack"), discord: receiver.url("/discord"), http: receiver.url("/nowhere"),
        ...Object.fromEntries(PROVIDERS.map((type) => [type, receiver.url(`/${type}`)])),
      }),
    }),
  });
  tenant = await newTenant(world);
});
after(() => world?.close());

/** A connection of a type with a rule; its requests are retried after a second, and quickly. */
async function route(type, metadata, says, more = {}) {
  const event = `test.event-${(names += 1)}`;
  const { connection } = made(await tenant.api.post("/connections", {
    workspace: tenant.workspace.id, type, name: event, ...more,
    metadata: { ...metadata, retry_schedule_seconds: [1, 1, 1, 1], max_per_second: 50 },
  }));
  const { rule } = made(await tenant.api.post("/rules", {
    workspace: tenant.workspace.id, connection: connection.id, event, metadata: says,
  }));
  return { connection, rule, event };
}

const says = (template, more = {}) => ({ action: "send_message", id: "C1", template, ...more });
const bodies = (path) => world.receiver.at(path).map(({ body }) => JSON.parse(body));

async function slack(template = "v {{a}}", token = `xoxb-${secretWord("t").replaceAll("_", "-")}`) {
  world.receiver.on(AUTH, good);
  return { token, ...(await route("slack", { bot_token: token }, says(template))) };
}

test("a message arrives at the stand-in, path and all, and its attempt keeps what was sent", async () => {
  world.receiver.on(SEND, good);
  const to = await slack("{{a}} <!channel> {{b}}");
  const event = await emit(tenant, to.event, '{"a":"<!here> & 1.50"}');
  await settled(tenant, event.id, ["completed"]);
  const request = world.receiver.at(SEND).at(-1);
  assert.equal(request.headers.authorization, `Bearer ${to.token}`);
  const { text, channel } = JSON.parse(request.body);
  assert.deepEqual({ text, channel }, { text: "&lt;!here&gt; &amp; 1.50 <!channel> ", channel: "C1" });
  const [attempt] = await attemptsOf(tenant, event.id, to.rule.id);
  assert.equal(attempt.request.url, "https://slack.com/api/chat.postMessage");
  assert.match(attempt.request.body, /&lt;!here&gt;/);
  assert.deepEqual(attempt.notes, ["The payload has nothing at b"]);
  assert.ok(!JSON.stringify(attempt).includes(to.token));
});

test("a 429 waits as long as it asks, a 5xx is tried again", async () => {
  const to = await slack();
  world.receiver.on(SEND, good);
  const before = world.receiver.at(SEND).length;
  const scripts = Array.from({ length: before }, () => good);
  world.receiver.on(SEND, ...scripts, json({ ok: false, error: "ratelimited" }, 429, { "retry-after": "3" }),
    answer(503), good);
  const event = await emit(tenant, to.event);
  await settled(tenant, event.id, ["completed"], 30_000);
  const [limited, failed, last] = world.receiver.at(SEND).slice(before);
  assert.ok(failed.atMs - limited.atMs >= 2_900, `${failed.atMs - limited.atMs} ms`);
  assert.ok(last.atMs > failed.atMs);
  const outcomes = (await attemptsOf(tenant, event.id, to.rule.id)).map(({ outcome }) => outcome);
  assert.deepEqual(outcomes, ["rate_limited", "rejected_server_error", "delivered"]);
});

test("Slack's 200 that says no is a failure for good, and its connection stays on", async () => {
  const to = await slack();
  world.receiver.on(SEND, json({ ok: false, error: "channel_not_found" }));
  const event = await emit(tenant, to.event);
  await settled(tenant, event.id, ["failed"]);
  const attempts = await attemptsOf(tenant, event.id, to.rule.id);
  assert.equal(attempts.length, 1);
  assert.match(attempts[0].error, /channel_not_found/);
  assert.equal(ok(await tenant.api.get(`/connections/${to.connection.id}`)).active, true);
});

test("a revoked token holds what comes; with a new one it arrives", async () => {
  const to = await slack("n {{n}}");
  const revoked = json({ ok: false, error: "token_revoked" });
  world.receiver.on(SEND, revoked);
  world.receiver.on(AUTH, revoked);
  const first = await emit(tenant, to.event, '{"n":1}');
  const at = `/connections/${to.connection.id}`;
  await until("it is switched off", async () => ok(await tenant.api.get(at)).active === false);
  assert.equal(ok(await tenant.api.get(at)).inactive_reason, "authentication_invalid");
  const second = await emit(tenant, to.event, '{"n":2}');
  const token = "xoxb-9-9-another";
  const refused = await tenant.api.patch(at, { metadata: { bot_token: token } });
  assertError(refused, 422, "metadata.bot_token");
  assert.equal(refused.body.error.code, "credentials_refused");
  world.receiver.on(SEND, good);
  world.receiver.on(AUTH, good);
  const saved = ok(await tenant.api.patch(at, { metadata: { bot_token: token } }));
  assert.equal(saved.credentials_checked, true);
  ok(await tenant.api.post(`${at}/activate`));
  for (const { id } of [first, second]) await settled(tenant, id, ["completed"], 30_000);
  const sent = world.receiver.at(SEND).slice(-2);
  assert.deepEqual(sent.map(({ headers }) => headers.authorization), [`Bearer ${token}`, `Bearer ${token}`]);
});

test("Discord gets an embed that mentions nobody; a webhook that is gone switches off at once", async () => {
  const path = "/discord/api/webhooks/123/tok-EN_1?wait=true";
  world.receiver.on(path, json({ id: "1" }), json({ message: "Unknown Webhook", code: 10015 }, 404));
  const url = "https://discord.com/api/webhooks/123/tok-EN_1";
  const to = await route("discord", { webhook_url: url }, says("@everyone {{a}}", { title: "T" }));
  await settled(tenant, (await emit(tenant, to.event)).id, ["completed"]);
  const [body] = bodies(path);
  assert.deepEqual(body.allowed_mentions, { parse: [] });
  assert.deepEqual(body.embeds, [{ title: "T", description: "@everyone 1" }]);
  await emit(tenant, to.event);
  const at = `/connections/${to.connection.id}`;
  await until("it is switched off", async () => ok(await tenant.api.get(at)).active === false);
  assert.equal(world.receiver.at(path).length, 2);
  assert.ok(!JSON.stringify(ok(await tenant.api.get(at))).includes("tok-EN_1"));
});

test("HTTP sends a body of one's own to any URL, stand-in or not", async () => {
  const body = '{"text":"{{a}}","n":{{n}},"all":{{list|[]}}}';
  const to = await route("http", { url: world.receiver.url("/any") }, { action: "send_request", body });
  const event = await emit(tenant, to.event, '{"a":"\\"},{\\"","n":1e400}');
  await settled(tenant, event.id, ["completed"]);
  const [request] = world.receiver.at("/any");
  assert.equal(request.body.toString(), '{"text":"\\"},{\\"","n":1e400,"all":[]}');
  assert.equal(request.headers["content-type"], "application/json");
  const bad = await tenant.api.post("/rules", {
    workspace: tenant.workspace.id, connection: to.connection.id, event: to.event,
    metadata: { action: "send_request", body: '{"a":{{n}' },
  });
  assertError(bad, 422, "metadata.body");
});

test("HubSpot's 207 is a failure for good, and nothing is put into the list", async () => {
  const upsert = "/hubspot/crm/objects/2026-03/contacts/batch/upsert";
  const told = { status: "COMPLETE", results: [], numErrors: 1, errors: [{ message: "Property values were not valid" }] };
  world.receiver.on(upsert, json(told, 207));
  const to = await route("hubspot", { access_token: "pat-1" }, { action: "add_to_list", id: "44" }, { skip_test: true });
  const event = await emit(tenant, to.event, '{"email":"ann@acme.example"}');
  await settled(tenant, event.id, ["failed"]);
  const attempts = await attemptsOf(tenant, event.id, to.rule.id);
  assert.equal(attempts.length, 1);
  assert.match(attempts[0].error, /Property values were not valid/);
  assert.equal(world.receiver.at(upsert).length, 1);
  assert.equal(world.receiver.at("/hubspot/crm/lists/2026-03/44/memberships/add").length, 0);
  assert.equal(ok(await tenant.api.get(`/connections/${to.connection.id}`)).active, true);
});

/** Credentials of every integration with a live account. */
const ACCOUNTS = {
  slack: { bot_token: "xoxb-1-2-3" },
  discord: { webhook_url: "https://discord.com/api/webhooks/1/t" },
  resend: { api_key: "re_1" },
  sendgrid: { api_key: "SG.1" },
  mailchimp: { api_key: "0123-us21" },
  mailerlite: { api_key: "ml" },
  customer_io: { api_key: "cio" },
  activecampaign: { api_key: "ac", api_url: "https://acme.api-us1.com" },
  hubspot: { access_token: "pat-1" },
  intercom: { access_token: "ic" },
  pipedrive: { access_token: "pd" },
  http: { url: "https://example.com/any" },
  webhook: { url: "https://example.com/hook" },
};

test("the answers of the integration calls are what the public clients' types say", async () => {
  const { faultOf } = contractJudge();
  const holds = (operation, answer) => {
    assert.equal(faultOf(operation, answer), null, `${operation}: ${answer.text}`);
    return answer.body;
  };
  const { records } = holds("GetIntegrations", await tenant.api.get("/integrations?limit=200"));
  assert.deepEqual(records.map(({ type }) => type).sort(), Object.keys(ACCOUNTS).sort());
  for (const [type, metadata] of Object.entries(ACCOUNTS)) {
    const created = await tenant.api.post("/connections", {
      workspace: tenant.workspace.id, type, name: `Types of ${type}`, skip_test: true, metadata,
    });
    const { connection } = made(created);
    // The types were written before these two were there.
    const shown = ["http", "pipedrive"].includes(type) ? { ...connection, type: "webhook" } : connection;
    holds("CreateConnection", { ...created, body: { connection: shown } });
    const at = `/connections/${connection.id}`;
    holds("GetConnectionActions", await tenant.api.get(`${at}/actions`));
    const { fields } = holds("GetConnectionFields", await tenant.api.get(`${at}/fields`));
    const mapping = await tenant.api.get(`${at}/mappings/default`);
    if (fields.length === 0) {
      assertError(mapping, 404);
      continue;
    }
    const { mapping: generated } = holds("GetConnectionDefaultMappings", mapping);
    const schema = { ...generated.schema, fields: [...generated.schema.fields, PLAN], meta: { name: "n", notes: "why" } };
    const put = await tenant.api.put(`${at}/mappings/default`, { schema, expected_version: 0 });
    assert.deepEqual(holds("UpdateConnectionDefaultMappings", put).mapping.schema, schema);
  }
});

const PLAN = {
  dest: "plan", source: { type: "literal", value: "pro" }, on_error: "warn_action", notes: "by hand",
  transforms: [{ type: "trim" }, { type: "default", value: 1 }],
};

const LIST = "/slack/api/conversations.list?types=public_channel%2Cprivate_channel&exclude_archived=true&limit=200";
const looks = {
  "wide and light": { viewport: { width: 1280, height: 900 }, colorScheme: "light" },
  "narrow, dark, without script": { viewport: { width: 320, height: 700 }, colorScheme: "dark", javaScriptEnabled: false },
};
for (const [look, options] of Object.entries(looks)) {
  test(`a customer picks Slack, writes a message and sees it arrive: ${look}`, { skip: noBrowser }, async () => {
    const event = `alert.triggered-${(names += 1)}`;
    const example = JSON.stringify({ resource: "db", value: 7 });
    ok(await tenant.api.put(`/event-types/${event}`, { label: "Alert", example }));
    world.receiver.on(AUTH, good);
    world.receiver.on(SEND, good);
    world.receiver.on(LIST, json({ ok: true, channels: [{ id: "C1", name: "alerts" }] }));
    const browser = await openBrowser();
    try {
      const page = await openPage(browser, options);
      const press = (name) => page.getByRole("button", { name, exact: true }).click();
      const fits = async () => assert.ok((await page.locator("main").boundingBox()).width <= options.viewport.width);
      const { launch_url, session_id } = await newSession(world, tenant);
      await page.goto(launch_url);
      await page.goto(`${world.localUrl}/embed/s/${session_id}/connections/new`);
      await fits();
      await page.getByRole("link", { name: /^Slack/ }).click();
      await page.getByLabel("Bot token").fill("xoxb-1-2-browser");
      await page.getByLabel("Name", { exact: true }).fill(`Alerts ${look}`);
      await press("Create connection");
      await page.getByRole("link", { name: "Add rule" }).first().click();
      await page.getByLabel("Event", { exact: true }).fill(event);
      await page.getByLabel("Message").fill("{{resource}} is at {{value}}{{gone}}");
      await press("Load the list");
      await page.getByLabel("Channel").selectOption("C1");
      await press("Preview");
      await page.locator("pre", { hasText: "db is at 7" }).waitFor();
      await fits();
      if (options.javaScriptEnabled !== false) {
        await page.getByLabel("Message").fill("");
        await press("{{value}}");
        assert.equal(await page.getByLabel("Message").inputValue(), "{{value}}");
        await page.getByLabel("Message").fill("{{resource}} is at {{value}}{{gone}}");
      }
      await press("Add rule");
      await page.getByText(event).first().waitFor();
      const before = world.receiver.at(SEND).length;
      await settled(tenant, (await emit(tenant, event, example)).id, ["completed"], 30_000);
      assert.equal(bodies(SEND)[before].text, "db is at 7");
      assert.deepEqual(page.complaints, []);
    } finally {
      await browser.close();
    }
  });
}
