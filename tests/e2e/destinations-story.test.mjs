// A customer connects Slack, then Resend, in a real browser as in a product's settings: wide and narrow, light and dark,
// with scripts and without. What is on the way is asked of axe.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { axeViolations } from "./lib/axe.mjs";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { newSession } from "./lib/embed.mjs";
import { answer } from "./lib/receiver.mjs";
import { sleep } from "./lib/until.mjs";
import { newTenant, ok, openWorld } from "./lib/world.mjs";

const SEND = "/slack/api/chat.postMessage";
const SLACKS_ANSWER = { ok: true, channel: "C1", ts: "1.2", message: { text: "as Slack has it" } };
const EXAMPLE = JSON.stringify({ resource: "db-1", value: 97, threshold: 90, severity: "high", email: "ann@acme.example" });
const MESSAGE = ":rotating_light: {{resource}} is at {{value}} (limit {{threshold}})";
const RENDERED = ":rotating_light: db-1 is at 97 (limit 90)";

const looks = [320, 1280].flatMap((width) => ["light", "dark"].map((colorScheme) => ({ viewport: { width, height: 900 }, colorScheme })));
looks.push({ viewport: { width: 320, height: 900 }, colorScheme: "dark", javaScriptEnabled: false });
const named = ({ viewport, colorScheme, javaScriptEnabled }) =>
  `${viewport.width} wide, ${colorScheme}${javaScriptEnabled === false ? ", without script" : ""}`;

let world, browser;

before(async () => {
  if (noBrowser) return;
  [world, browser] = await Promise.all([openWorld({
    vars: (receiver) => ({ PROVIDER_BASES: JSON.stringify({ slack: receiver.url("/slack"), resend: receiver.url("/resend") }) }),
  }), openBrowser()]);
  const json = (body) => answer(200, { headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const channels = "/slack/api/conversations.list?types=public_channel%2Cprivate_channel&exclude_archived=true&limit=200";
  world.receiver.on("/slack/api/auth.test", json({ ok: true }));
  world.receiver.on(SEND, json(SLACKS_ANSWER));
  world.receiver.on(channels, json({ ok: true, channels: [{ id: "C1", name: "alerts" }] }));
  world.receiver.on("/resend/domains", json({ data: [] }));
  world.receiver.on("/resend/templates?limit=100", json({ data: [{ id: "tpl-1", name: "Alert mail" }], has_more: false }));
  world.receiver.on("/resend/segments?limit=100", json({ data: [], has_more: false }));
});
after(async () => {
  await browser?.close();
  await world?.close();
});

/** A page with a hand that counts its clicks, and an eye that looks at what it shows. */
async function openEmbed(look) {
  const tenant = await newTenant(world, "Acme");
  ok(await tenant.api.put("/event-types/alert.triggered", { label: "Alert", example: EXAMPLE }));
  const page = await openPage(browser, look);
  const { launch_url, session_id } = await newSession(world, tenant);
  const hand = { clicks: 0, typed: 0 };
  const click = async (locator) => {
    hand.clicks += 1;
    await locator.click();
  };
  await page.goto(launch_url);
  return {
    tenant, page, hand, click,
    open: (below) => page.goto(`${world.localUrl}/embed/s/${session_id}/${below}`),
    press: (name) => click(page.getByRole("button", { name, exact: true }).first()),
    follow: (name) => click(page.getByRole("link", { name }).first()),
    fill: async (label, text) => {
      hand.typed += 1;
      await page.getByLabel(label, { exact: true }).first().fill(text);
    },
    choose: async (label, value) => {
      hand.clicks += 1;
      await page.getByLabel(label, { exact: true }).first().selectOption(value);
    },
    /** Nothing is wider than the page, and axe finds nothing wrong. */
    look: async (what) => {
      // Asked of the element: between two documents there is none for a moment.
      const wide = await page.locator("html").evaluate((html) => html.scrollWidth);
      assert.ok(wide <= look.viewport.width, `${what} is ${wide} wide`);
      // axe itself needs a script in the page.
      if (look.javaScriptEnabled !== false) assert.deepEqual(await axeViolations(page), [], what);
      const folder = process.env.SHOTS;
      if (folder) await page.screenshot({ path: `${folder}/${named(look)} ${what}.png`.replaceAll(" ", "-"), fullPage: true });
    },
  };
}

for (const look of looks) {
  const scripted = look.javaScriptEnabled !== false;
  test(`Slack, then Resend: ${named(look)}`, { skip: noBrowser, timeout: 300_000 }, async (t) => {
    const embed = await openEmbed(look);
    const { page, hand, press, follow, fill, choose } = embed;
    await embed.open("connections");
    await follow("New connection");
    await embed.look("the grid");
    await follow(/^Slack/);
    await fill("Name", "Alerts");
    await press("Create connection");
    await embed.look("a form that was not taken");
    await fill("Bot token", "xoxb-1-2-browser");
    await press("Create connection");
    await follow("Add rule");
    await fill("Event", "alert.triggered");
    await fill("Message", MESSAGE);
    await press("Load the list");
    await choose("Channel", "C1");
    await press("Preview");
    await page.locator("pre", { hasText: RENDERED }).waitFor();
    if (scripted) {
      const before = await page.getByLabel("Message").inputValue();
      await page.getByRole("button", { name: "{{severity}}", exact: true }).click();
      assert.match(await page.getByLabel("Message").inputValue(), /\{\{severity\}\}/);
      await page.getByLabel("Message").fill(before);
    }
    if (!(await page.getByLabel("Path in the payload").first().isVisible())) await embed.click(page.getByText("Filter by payload", { exact: true }).first());
    await fill("Path in the payload", "severity");
    await choose("Comparison", "eq");
    await fill("Value", "high");
    await embed.look("a rule with its list, preview and filter");
    await press("Add rule");
    const { records } = ok(await embed.tenant.api.get("/rules"));
    assert.deepEqual(records[0].filter, { path: "severity", eq: "high" });
    await follow("Alerts");
    await follow("Send test event");
    await press("Send test event");
    // Without a script a person loads the page again to see what came of it.
    for (let n = 0; !scripted && n < 10 && !(await page.getByText("as Slack has it").count()); n += 1) {
      await sleep(500);
      await page.reload();
    }
    await page.getByText("as Slack has it").first().waitFor();
    await embed.look("the attempt with Slack's own answer");
    assert.equal(JSON.parse(world.receiver.at(SEND).at(-1).body).text, RENDERED);
    t.diagnostic(`Slack: ${hand.clicks} clicks and ${hand.typed} fields, one of them to see an error`);
    Object.assign(hand, { clicks: 0, typed: 0 });
    await embed.open("connections");
    await follow("New connection");
    await follow(/^Resend/);
    await fill("API key", "re_browser");
    await fill("Name", "Mails");
    await press("Create connection");
    await follow("Add rule");
    await fill("Event", "alert.triggered");
    await choose("Action", "send_email_template");
    await press("Show its fields");
    await press("Load the list");
    await choose("Template", "tpl-1");
    await fill("From", "Acme <hi@acme.example>");
    await press("Add rule");
    t.diagnostic(`Resend: ${hand.clicks} clicks and ${hand.typed} fields`);
    const rules = ok(await embed.tenant.api.get("/rules")).records;
    assert.deepEqual(rules.find(({ metadata }) => metadata.id === "tpl-1")?.metadata.action, "send_email_template");
    await aMapping(embed);
    // Forms that were not taken are answered 400, and the browser tells it.
    assert.deepEqual(page.complaints.filter((text) => !/status of 400/.test(text)), []);
    await page.close();
  });
}

/** The mapping of the connection that was made last, first with a mistake. */
async function aMapping({ tenant, page, look, open, press, follow }) {
  const { records } = ok(await tenant.api.get("/connections"));
  const mails = records.find(({ name }) => name === "Mails");
  await open(`connections/${mails.id}`);
  await follow("Field mapping");
  const part = (name) => page.getByRole("group", { name, exact: true });
  await part("First name").getByLabel("Path or value").fill("user..first");
  await part("Another field").getByLabel("Name of the field").fill("plan");
  await part("Another field").getByLabel("Comes from").selectOption("literal");
  await part("Another field").getByLabel("Path or value").fill("pro");
  await press("Save");
  await page.getByRole("alert").getByRole("link", { name: "First name" }).waitFor();
  await look("a mapping that was not taken");
  await part("First name").getByLabel("Path or value").fill("user.first");
  const changes = part("First name").getByText("Change the value");
  await changes.click();
  await part("First name").getByLabel("Change", { exact: true }).first().selectOption("trim");
  await press("Show more lines");
  await part("First name").getByLabel("Change", { exact: true }).nth(1).selectOption("upper");
  await look("a mapping");
  await press("Save");
  await page.getByText("Saved.").waitFor();
  const { mapping } = ok(await tenant.api.get(`/connections/${mails.id}/mappings/default`));
  assert.deepEqual(mapping.schema.fields.find(({ dest }) => dest === "firstName"), {
    dest: "firstName", source: { type: "path", value: "user.first" }, transforms: [{ type: "trim" }, { type: "upper" }],
  });
  assert.deepEqual(mapping.schema.fields.at(-1), { dest: "plan", source: { type: "literal", value: "pro" } });
}

for (const look of [looks[0], looks[3]]) {
  test(`the form of each integration: ${named(look)}`, { skip: noBrowser, timeout: 300_000 }, async () => {
    const embed = await openEmbed(look);
    await embed.open("connections/new");
    const links = await embed.page.locator("ul.grid a").evaluateAll((all) => all.map((one) => one.href));
    assert.equal(links.length, 13);
    for (const link of links) {
      await embed.page.goto(link);
      await embed.look(`the form of ${new URL(link).searchParams.get("type")}`);
    }
    assert.deepEqual(embed.page.complaints, []);
    await embed.page.close();
  });
}
