// Every recipe of examples/recipes on the running Worker, with stand-ins for the providers: applied, applied again, and
// its event emitted: each rule's destination gets its request, and each delivery ends as delivered.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { HOST } from "../../tools/lib/ports.mjs";
import { applyRecipe, readAnswers, readRecipe, recipeNames } from "../../tools/lib/recipes.mjs";
import { until } from "./lib/until.mjs";
import { made, newTenant, ok, openWorld } from "./lib/world.mjs";

const PROVIDERS = ["slack", "resend", "mailchimp", "hubspot", "intercom", "customer_io"];

/** Values of the forms that the destinations take. */
const ANSWERS = {
  slack_webhook_url: "https://hooks.slack.com/services/T0/B0/abcDEF123",
  resend_api_key: "re_recipe_key",
  resend_template: "tpl-1",
  mail_from: "Team <team@example.com>",
  mailchimp_api_key: "0123456789abcdef0123456789abcdef-us6",
  mailchimp_audience: "aud1",
  hubspot_access_token: "pat-eu1-recipe",
  hubspot_list: "42",
  customer_io_api_key: "cdp_recipe",
  intercom_access_token: "dG9rOnJlY2lwZQ==",
  intercom_tag: "9",
};

let world, tenant, standIn;
const requests = [];

/** What a provider that takes everything answers. */
function taken(path) {
  if (path.startsWith("/slack/services/")) return "ok";
  if (path.includes("/batch/upsert")) return JSON.stringify({ status: "COMPLETE", results: [{ id: "7" }] });
  if (path.includes("/memberships/")) return JSON.stringify({ recordsIdsAdded: ["7"], recordIdsMissing: [] });
  if (path.includes("/contacts/search")) return JSON.stringify({ data: [{ id: "5" }] });
  return JSON.stringify({ id: "1", results: [], data: [] });
}

before(async () => {
  standIn = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    requests.push({ path: request.url, method: request.method, body: Buffer.concat(chunks).toString() });
    const text = taken(request.url);
    response.writeHead(200, { "content-type": text === "ok" ? "text/plain" : "application/json" }).end(text);
  });
  await new Promise((ready) => standIn.listen(0, HOST, ready));
  const base = `http://${HOST}:${standIn.address().port}`;
  const bases = Object.fromEntries(PROVIDERS.map((name) => [name, `${base}/${name}`]));
  world = await openWorld({ vars: { PROVIDER_BASES: JSON.stringify(bases) } });
  tenant = await newTenant(world);
});
after(async () => {
  await world?.close();
  standIn?.close();
});

for (const name of recipeNames()) {
  test(`the recipe ${name}`, async () => {
    const recipe = readRecipe(name);
    const given = readAnswers(recipe, Object.keys(recipe.asks).map((key) => `${key}=${ANSWERS[key]}`));
    const workspace = made(await tenant.api.post("/workspaces", { name })).workspace.id;
    const { connections, made: first } = await applyRecipe(tenant.api, workspace, recipe, given);
    assert.deepEqual(Object.keys(connections), Object.keys(recipe.connections));
    assert.ok(first.length >= recipe.rules.length + Object.keys(connections).length);
    assert.deepEqual((await applyRecipe(tenant.api, workspace, recipe, given)).made, [], "it is there already");

    const [event] = Object.keys(recipe.event_types);
    const payload = JSON.parse(recipe.event_types[event].example);
    const before = requests.length;
    const sent = made(await tenant.api.post("/events", { workspace, event, payload })).event;
    await until(`${name} is delivered`, async () => {
      const { rule_events: rules } = ok(await tenant.api.get(`/events/${sent.id}`));
      const open = rules.filter(({ status }) => status !== "completed");
      return (rules.length === recipe.rules.length && !open.length) || JSON.stringify(open);
    }, 30_000);
    const asked = requests.slice(before);
    for (const { connection } of recipe.rules) {
      const { type } = recipe.connections[connection];
      assert.ok(asked.some(({ path }) => path.startsWith(`/${type}/`)), `${type} got nothing: ${JSON.stringify(asked)}`);
    }
    const texts = asked.filter(({ path }) => path.startsWith("/slack/")).map(({ body }) => JSON.parse(body).text);
    assert.ok(texts.every((text) => !/[{}]/.test(text)), `a template is not filled: ${texts}`);
  });
}

test("an alert that is not severe stays quiet", async () => {
  const recipe = readRecipe("alert-to-slack");
  const workspace = made(await tenant.api.post("/workspaces", { name: "quiet" })).workspace.id;
  await applyRecipe(tenant.api, workspace, recipe, { slack_webhook_url: ANSWERS.slack_webhook_url });
  const payload = { severity: "low", resource: "db-2", value: 1, threshold: 2 };
  const sent = made(await tenant.api.post("/events", { workspace, event: "alert.triggered", payload })).event;
  assert.equal(ok(await tenant.api.get(`/events/${sent.id}`)).total_rules, 0);
});

test("what is missing or unknown is said before anything is made", () => {
  const recipe = readRecipe("churn");
  assert.throws(() => readAnswers(recipe, []), /needs slack_webhook_url, intercom_access_token, intercom_tag/);
  const all = Object.keys(recipe.asks).map((key) => `${key}=x`);
  assert.throws(() => readAnswers(recipe, [...all, "more=1"]), /does not ask for more/);
  assert.throws(() => readAnswers(recipe, ["slack"]), /slack is not name=value/);
  assert.throws(() => readRecipe("nothing"), /no recipe nothing/);
});
