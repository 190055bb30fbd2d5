// What others write must stay text: hostile strings in everything that the embed's pages print, shown
// by the built Worker in a real browser.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { crawl, fits, isPlain, NARROW } from "./lib/crawl.mjs";
import { newSession } from "./lib/embed.mjs";
import { answer } from "./lib/receiver.mjs";
import { until } from "./lib/until.mjs";
import { made, newTenant, ok, openWorld, secretWord } from "./lib/world.mjs";

/** Breaks out of text, attributes, comments, text areas, scripts, templates and reading direction. */
const HOSTILE = {
  script: `"><script>window.__owned=1</script>`,
  image: `'"><img src=x onerror="window.__owned=1">`,
  link: "javascript:window.__owned=1//",
  area: `</textarea></pre></title></option><script>window.__owned=1</script>`,
  comment: `--><svg/onload=window.__owned=1><!--`,
  template: "{{7*7}}${7*7}<%=7*7%>#{7*7}",
  backwards: "\u202Egnirts elitsoh\u202C",
  long: "W".repeat(120),
  emoji: "🧨👩‍👩‍👧‍👦 ünïcödé 漢字 العربية",
  entity: "&lt;b&gt;&quot;&#39;&amp;",
};
/** Names of events, resources and headers admit few characters: the worst of those. */
const NAME = `javascript:alert/${"n".repeat(110)}`;
const RESOURCE = "javascript:alert";
const HEADER = "x-'`&|-owned";
const AUTH = "x-'`&|-auth";
const QUOTES = `'"\`><script>\\\${7*7}`;

/** What receivers are sent to know us by; some of them send it back. */
const credentials = ["auth", "header"].map(secretWord);

const all = Object.values(HOSTILE);
const payload = JSON.stringify({ ...HOSTILE, [HOSTILE.script]: [HOSTILE.area] }, null, 2);

let world, browser, tenant, connections;

before(async () => {
  if (noBrowser) return;
  [world, browser] = await Promise.all([openWorld(), openBrowser()]);
  tenant = await newTenant(world, "Hostile");
  await fillCatalogue();
  connections = await makeConnections();
  await emitEvents();
});
after(async () => {
  await browser?.close();
  await world?.close();
});

async function fillCatalogue() {
  for (const [name, text] of Object.entries(HOSTILE)) {
    const eventType = { label: text, description: `${text} description`, group: `${text}`, example: payload };
    ok(await tenant.api.put(`/event-types/${encodeURIComponent(`hostile.${name}`)}`, eventType));
  }
  ok(await tenant.api.put(`/event-types/${encodeURIComponent(NAME)}`, { label: NAME, example: payload }));
}

/** One connection for each hostile name; they differ in how their receivers answer. */
async function makeConnections() {
  const { receiver } = world;
  const headers = {
    location: HOSTILE.link, "x-request-id": `${HOSTILE.script} ${HOSTILE.image}`, [HEADER]: HOSTILE.comment, server: HOSTILE.area,
  };
  const body = ({ headers: sent }) => [...all, sent[AUTH], sent[HEADER]].join("\n");
  const behaviours = [
    answer(200, { headers: { ...headers, "content-type": "text/html" }, body }),
    answer(500, { headers, body }),
    answer(302, { headers }),
    answer(410, { headers, body }),
  ];
  const made = [];
  for (const [index, name] of all.entries()) {
    const path = `/${index}/${"p".repeat(60)}?q='"><img/src=x/onerror=window.__owned=1>`;
    const { pathname, search } = new URL(receiver.url(path));
    receiver.on(pathname + search, behaviours[index % behaviours.length]);
    made.push(await makeConnection(name, receiver.url(path), index));
  }
  return made;
}

async function makeConnection(name, url, index) {
  const scheme = ["standard", "body", "timestamped"][index % 3];
  const { connection } = made(await tenant.api.post("/connections", {
    workspace: tenant.workspace.id,
    type: "webhook",
    name,
    metadata: {
      url,
      signing_scheme: scheme,
      signature_prefix: QUOTES,
      signature_header: "x-'`&|-signature",
      timestamp_header: "x-'`&|-time",
      auth_scheme: "header",
      auth_header_name: AUTH,
      auth_header_value: credentials[0],
      custom_headers: [{ name: HEADER, value: credentials[1] }],
      retry_schedule_seconds: [3600],
    },
  }));
  const rule = { workspace: tenant.workspace.id, connection: connection.id, event: NAME, metadata: { action: "send_webhook" } };
  made(await tenant.api.post("/rules", rule));
  made(await tenant.api.post("/rules", { ...rule, resource: RESOURCE, resource_id: "r".repeat(64) }));
  return connection;
}

async function emitEvents() {
  const { event } = made(await tenant.publisher.post("/events", {
    event: NAME, resource: RESOURCE, resource_id: `javascript:alert${"i".repeat(48)}`, payload: JSON.parse(payload),
  }));
  await until("every receiver has answered", async () => {
    const { rule_events } = ok(await tenant.api.get(`/events/${event.id}`));
    const tried = rule_events.filter(({ attempt_count }) => attempt_count > 0).length;
    return tried === all.length || `${tried} of ${all.length}`;
  }, 30_000);
}

/** A narrow page of a new session, and the session's address. */
async function openEmbed(page) {
  const { session_id, launch_url } = await newSession(world, tenant, { external_user_id: HOSTILE.script });
  await page.goto(launch_url);
  return `${world.localUrl}/embed/s/${session_id}`;
}

test("on no page does anything run that others wrote, stick out, or show a credential", { skip: noBrowser }, async () => {
  const page = await openPage(browser, { viewport: NARROW });
  const home = await openEmbed(page);
  await replayOne(page, home);
  const texts = await crawl(page, `${home}/dashboard`, async (url) => {
    await isPlain(page, url);
    await fits(page, url);
    const source = await page.content();
    for (const credential of credentials) assert.ok(!source.includes(credential), `${url} shows a credential`);
  });
  const pages = [...texts.keys()].map((url) => url.slice(home.length));
  console.log(`  ${pages.length} pages of ${new Set(pages.map((path) => path.replace(/[0-9a-f-]{36}/g, ":id"))).size} addresses`);
  // Else the walk proves nothing: every text was met as it was written, and each kind of page.
  const everything = [...texts.values()].join("\n");
  for (const text of [...all, NAME, RESOURCE, HEADER, payload, QUOTES]) assert.ok(everything.includes(text), text);
  for (const kind of [
    /^\/dashboard/, /^\/connections$/, /^\/connections\/new/, /^\/connections\/[^/]+$/, /\/edit$/, /\/secret$/, /\/test\?/,
    /\/verification\?language=java$/, /^\/rules$/, /^\/rules\/[^/]+$/, /^\/events$/, /^\/events\/[^/]+$/, /\/attempts\/1$/,
    /^\/failed$/, /^\/failed\?connection=/, /^\/replays$/, /^\/replays\/new$/, /^\/replays\/0[^/]+$/,
  ]) assert.ok(pages.some((path) => kind.test(path)), `no page like ${kind}`);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

/** Sends again what died of the connection with a name that breaks out of fields; the others' stays failed. */
async function replayOne(page, home) {
  await page.goto(`${home}/replays/new`);
  await page.getByLabel("Connection").selectOption({ label: HOSTILE.area });
  await page.getByRole("button", { name: "Count" }).click();
  await page.getByText("1 delivery", { exact: true }).waitFor();
  await isPlain(page, "the count");
  await fits(page, "the count");
  await page.getByRole("button", { name: "Send 1 delivery again" }).click();
  await page.getByText("of 1 sent again").first().waitFor();
}

test("what an address or a form says comes back as text", { skip: noBrowser }, async () => {
  const page = await openPage(browser, { viewport: NARROW });
  const home = await openEmbed(page);
  const [{ id }] = connections;
  for (const text of all) {
    const word = encodeURIComponent(text);
    for (const path of [
      `events?event=${word}&resource_id=${word}&status=${word}&q=${word}`, `connections?done=${word}`,
      `connections/${id}/test?event=${word}`, `connections/${id}/verification?language=${word}`, `rules?connection=${word}`,
      `events/${word}`, `connections/${word}`, `rules/${word}`, `replays/${word}`, `failed?connection=${word}`, `failed?cursor=${word}`,
      `failed?done=${word}`, `replays?cursor=${word}`, word,
    ]) {
      const answer = await page.goto(`${home}/${path}`);
      const type = answer.headers()["content-type"];
      if (type.startsWith("text/html")) await isPlain(page, path);
      // What is no page of the embed is answered as the API answers, without any markup.
      else assert.equal(type, "application/problem+json", path);
    }
  }
  await page.close();
});

test("a range that is refused shows what was entered, as text", { skip: noBrowser }, async () => {
  const page = await openPage(browser, { viewport: NARROW });
  const home = await openEmbed(page);
  for (const text of all) {
    await page.goto(`${home}/replays/new`);
    await page.getByLabel("Event").fill(text);
    await page.getByLabel("Accepted since").evaluate((field, value) => Object.assign(field, { type: "text", value }), text);
    await page.getByRole("button", { name: "Count" }).click();
    await page.getByRole("alert").first().waitFor();
    assert.equal(await page.getByLabel("Event").inputValue(), text);
    await isPlain(page, text);
    await fits(page, text);
  }
  await page.close();
});

test("a form that is refused shows what was entered, as text", { skip: noBrowser }, async () => {
  const page = await openPage(browser, { viewport: NARROW });
  const home = await openEmbed(page);
  for (const text of all) {
    await page.goto(`${home}/connections/new?type=webhook`);
    await page.locator("form.sheet").evaluate((form, value) => {
      form.noValidate = true;
      for (const field of form.querySelectorAll("input:not([type=hidden], [type=checkbox], [type=radio])")) field.value = value;
      form.querySelector("[name=signing_scheme]").value = "body";
    }, text);
    await page.getByRole("button", { name: "Create connection" }).click();
    await page.getByRole("alert").first().waitFor();
    assert.equal(await page.getByLabel("URL").inputValue(), text);
    await isPlain(page, text);
    await fits(page, text);
  }
  await page.close();
});
