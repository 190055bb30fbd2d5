// Who is let into the embed and who is not, in a real browser on the built Worker: tokens, walls
// between workspaces, the end of a session, and what pages of other origins cannot do.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startDemoShop } from "../../examples/demo-shop.mjs";
import { noBrowser, openPage } from "./lib/browser.mjs";
import { newSession, withEmbed } from "./lib/embed.mjs";
import { openSite } from "./lib/site.mjs";
import { until } from "./lib/until.mjs";
import { connect, emit, newTenant, newWorkspace, ok, settled } from "./lib/world.mjs";

const OVER = "This session has ended";
const NOTHING = "Page not found";

let world, browser, tenant;
withEmbed("Walled", (opened) => ({ world, browser, tenant } = opened));

const homeOf = (session) => `${world.localUrl}/embed/s/${session.session_id}`;
const title = (page) => page.getByRole("heading", { level: 1 }).innerText();
const frameOf = (page) => page.frames().find((frame) => frame.url().startsWith(`${world.localUrl}/embed/s/`));
const sessionIn = (page) => frameOf(page)?.url().match(/\/s\/([^/]+)/)[1];

/** Posts as a form of the page would, with its word; answers the status. */
const postFrom = (page, url, fields = {}) => page.evaluate(async ([to, given]) => {
  const { value: csrf_token } = document.querySelector("[name=csrf_token]");
  const answer = await fetch(to, { method: "POST", body: new URLSearchParams({ csrf_token, ...given }), redirect: "manual" });
  return answer.status;
}, [url, fields]);

/** The demo shop with Posthorn's pages mounted, in a page of its own; `work` is done with it. */
async function withShop(work) {
  const { machine, workspace, publishableKey } = tenant;
  const shop = await startDemoShop({ posthornUrl: world.localUrl, machine, workspaceId: workspace.id, publishableKey });
  const page = await openPage(browser);
  try {
    await work(page, shop);
  } finally {
    await page.close();
    await shop.close();
  }
}

test("the browser of these tests sends no cookie of another site unless it is partitioned", { skip: noBrowser }, async (t) => {
  const cookies = [];
  const site = await openSite(({ url, headers }) => {
    if (url === "/") return { body: `<iframe src="${site.localUrl}/set"></iframe>` };
    if (url === "/seen") cookies.push(headers.cookie);
    const attributes = "Path=/; Secure; HttpOnly; SameSite=None";
    const set = { "set-cookie": [`plain=1; ${attributes}`, `apart=1; ${attributes}; Partitioned`], location: "/seen" };
    return url === "/set" ? { status: 303, headers: set } : {};
  });
  t.after(site.close);
  const page = await openPage(browser);
  await page.goto(site.url);
  await until("the frame has followed", () => cookies.length > 0 || "not yet");
  assert.deepEqual(cookies, ["apart=1"]);
  await page.close();
});

test("a launch URL opens once", { skip: noBrowser }, async () => {
  const { launch_url } = await newSession(world, tenant);
  const [first, second] = [await openPage(browser), await openPage(browser)];
  assert.equal((await first.goto(launch_url)).status(), 200);
  assert.equal((await second.goto(launch_url)).status(), 401);
  assert.equal(await title(second), OVER);
  assert.deepEqual(await second.context().cookies(), []);
  assert.equal((await first.reload()).status(), 200, "who was first stays in");
  await first.close();
  await second.close();
});

test("a launch token opens no other session, and is not used up by trying", { skip: noBrowser }, async () => {
  const [own, other] = [await newSession(world, tenant), await newSession(world, tenant)];
  const page = await openPage(browser);
  const mixed = await page.goto(`${homeOf(other)}/launch?token=${own.launch_token}`);
  assert.equal(mixed.status(), 401);
  assert.deepEqual(await page.context().cookies(), []);
  assert.equal((await page.goto(`${homeOf(own)}/launch?token=${own.access_token}`)).status(), 401);
  for (const session of [own, other]) assert.equal((await page.goto(session.launch_url)).status(), 200);
  assert.equal((await page.goto(`${homeOf(own)}/dashboard`)).status(), 200, "each session has its own cookie");
  await page.close();
});

test("another workspace's ids are there for nobody else", { skip: noBrowser }, async () => {
  const page = await openPage(browser);
  const session = await newSession(world, tenant);
  const own = await connect(tenant, { url: world.receiver.url("/own") });
  await page.goto(session.launch_url);
  assert.equal((await page.goto(`${homeOf(session)}/connections/${own.connection.id}`)).status(), 200);
  const sibling = { ...tenant, ...(await newWorkspace(world, tenant.api, "Walled two")) };
  for (const stranger of [await newTenant(world, "Stranger"), withPublisher(sibling)]) {
    const { connection, rule, event } = await connect(stranger, { url: world.receiver.url("/theirs") });
    const { id } = await emit(stranger, event);
    await settled(stranger, id, ["completed"]);
    const paths = { connection: `connections/${connection.id}`, rule: `rules/${rule.id}`, event: `events/${id}` };
    await seesNothing(page, homeOf(session), paths, rule.id);
    await changesNothing(page, homeOf(session), paths, rule.id, own);
    const polls = [`live/${paths.connection}`, `live/${paths.event}`, "live/events"];
    for (const poll of polls) {
      const url = `${homeOf(session)}/${poll}?workspace=${stranger.workspace.id}`;
      assert.equal(await page.evaluate(async (asked) => (await fetch(asked)).status, url), 401, poll);
    }
    assert.equal(ok(await stranger.api.get(`/connections/${connection.id}`)).active, true);
    assert.equal(ok(await stranger.api.get(`/rules/${rule.id}`)).event, event);
    assert.equal(ok(await stranger.api.get(`/events/${id}`)).rule_events[0].attempt_count, 1);
  }
  await page.close();
});

/** The workspace's own key emits in it. */
function withPublisher(workspace) {
  return { ...workspace, publisher: { post: (path, body) =>
    workspace.api.post(path, { ...JSON.parse(body), workspace: workspace.workspace.id }) } };
}

async function seesNothing(page, home, { connection, rule, event }, ruleId) {
  for (const path of [
    connection, `${connection}/edit`, `${connection}/secret`, `${connection}/verification`, `${connection}/test`,
    rule, event, `${event}/rules/${ruleId}/attempts/1`,
  ]) {
    assert.equal((await page.goto(`${home}/${path}`)).status(), 404, path);
    assert.equal(await title(page), NOTHING, path);
  }
}

async function changesNothing(page, home, { connection, rule, event }, ruleId, own) {
  await page.goto(`${home}/rules`);
  const form = { name: "Mine now", url: own.url, connection: own.connection.id, event: "mine.now", secret: "generate", newest: "1" };
  for (const path of [
    `${connection}/edit`, `${connection}/secret`, `${connection}/secret/end-overlap`, `${connection}/deactivate`,
    `${connection}/activate`, `${connection}/delete`, rule, `${rule}/delete`, `${event}/rules/${ruleId}/retry`,
  ]) assert.equal(await postFrom(page, `${home}/${path}`, form), 404, path);
  const test = { event: "mine.now", payload: "{}" };
  assert.equal(await postFrom(page, `${home}/${connection}/test`, test), 404);
  const theirs = connection.split("/")[1];
  assert.equal(await postFrom(page, `${home}/rules`, { ...form, connection: theirs }), 404, "a rule to their connection");
}

test("a session that is revoked is over for the next request and the next poll", { skip: noBrowser }, async () => {
  const session = await newSession(world, tenant);
  const page = await openPage(browser);
  await page.goto(session.launch_url);
  const poll = new URL(await page.locator("html").getAttribute("data-poll"), world.localUrl).href;
  const asked = () => page.evaluate(async (url) => (await fetch(url)).status, poll);
  assert.equal(await asked(), 200);
  ok(await tenant.api.delete(`/sessions/${session.session_id}`));
  assert.equal(await asked(), 401);
  assert.equal((await page.goto(`${homeOf(session)}/connections`)).status(), 401);
  assert.equal(await title(page), OVER);
  await page.close();
});

test("in the product a revoked session is followed by another one", { skip: noBrowser }, () => withShop(async (page, shop) => {
  await page.goto(`${shop.url}/settings/webhooks`);
  await page.frameLocator("iframe").getByRole("heading", { level: 1 }).waitFor();
  const first = sessionIn(page);
  ok(await tenant.api.delete(`/sessions/${first}`));
  // Nobody does anything: the page asks for news, is refused, and says so to the page around it.
  await until("the frame shows another session", () => {
    const now = sessionIn(page);
    return (now !== undefined && now !== first) || `it shows ${now}`;
  });
  await page.frameLocator("iframe").getByRole("heading", { name: "Overview" }).waitFor();
}));

test("near its end a session is renewed without a reload", { skip: noBrowser }, () => withShop(async (page, shop) => {
  await page.clock.install();
  await page.goto(`${shop.url}/settings/webhooks`);
  await page.frameLocator("iframe").getByRole("heading", { level: 1 }).waitFor();
  const frame = frameOf(page);
  const id = sessionIn(page);
  await frame.evaluate(() => (window.marked = true));
  const session = async () => {
    const { records } = ok(await tenant.api.get(`/sessions?workspace_id=${tenant.workspace.id}`));
    return records.find((record) => record.id === id);
  };
  const before = await session();
  const renewed = page.waitForResponse((response) => response.url() === `${world.localUrl}/embed/s/${id}/auth`);
  // 1800 s of life, and the page asks 120 s before they are over.
  await page.clock.fastForward(1_700_000);
  const answer = await renewed;
  assert.equal(answer.status(), 200);
  assert.match((await answer.allHeaders())["set-cookie"], /^posthorn=.*HttpOnly; Secure; SameSite=None; Partitioned/);
  const { expires_at_ms } = await answer.json();
  const after = await session();
  assert.ok(expires_at_ms > Date.parse(before.expires_at));
  // To the page, whose clock was moved, the end is still near: it may have asked once more.
  assert.ok(Date.parse(after.expires_at) >= expires_at_ms);
  assert.ok(await frameOf(page).evaluate(() => window.marked), "without a reload");
  await page.frameLocator("iframe").getByRole("link", { name: "Rules" }).click();
  await page.frameLocator("iframe").getByRole("heading", { name: "Rules", exact: true }).waitFor();
  assert.equal(sessionIn(page), id, "it is the same session");
  assert.deepEqual(page.complaints, []);
}));

test("a page of an origin that is not allowed sees nothing of it, but which origin to allow", { skip: noBrowser }, async (t) => {
  const launches = [];
  const site = await openSite(() => ({ body: `<iframe src="${launches.at(-1)}"></iframe>` }));
  t.after(site.close);
  // The same host on another port is another origin, and so is none at all.
  for (const allowed_origins of [["http://127.0.0.1:9"], []]) {
    launches.push((await newSession(world, tenant, { allowed_origins })).launch_url);
    const page = await openPage(browser);
    await page.goto(site.url);
    const refused = page.frameLocator("iframe").getByRole("alert");
    await refused.waitFor();
    assert.equal(await refused.getAttribute("data-refused"), site.url);
    assert.equal((await page.context().cookies()).length, 0);
    assert.equal(await page.frameLocator("iframe").getByRole("navigation").count(), 0);
    await page.close();
  }
  launches.push((await newSession(world, tenant, { allowed_origins: [site.url] })).launch_url);
  const page = await openPage(browser);
  await page.goto(site.url);
  await page.frameLocator("iframe").getByRole("navigation").waitFor();
  await page.close();
});

test("a page of another origin cannot post a form into it", { skip: noBrowser }, async (t) => {
  const { connection } = await connect(tenant, { url: world.receiver.url("/kept") });
  // Both of one site, so that the browser has and sends the cookie: only the origin differs.
  const product = await openSite(() => ({ body: `<iframe src="${session.launch_url}"></iframe>` }));
  const evil = await openSite(() => ({ body: form }));
  t.after(() => Promise.all([product.close(), evil.close()]));
  const session = await newSession(world, tenant, { allowed_origins: [product.url, evil.url] });
  const page = await openPage(browser);
  await page.goto(product.url);
  const word = await page.frameLocator("iframe").locator("[name=csrf_token]").first().inputValue();
  const target = `${homeOf(session)}/connections/${connection.id}/delete`;
  const form = `<iframe name="inside"></iframe><form method="post" action="${target}" target="inside">
    <input name="csrf_token" value="${word}"><button>Win a prize</button></form>`;
  await page.goto(evil.url);
  const answered = page.waitForResponse(target);
  await page.getByRole("button").click();
  const answer = await answered;
  const { cookie, origin, "sec-fetch-site": from } = await answer.request().allHeaders();
  assert.match(cookie, /^posthorn=/, "the cookie alone would have let it in");
  assert.deepEqual([origin, from, answer.status()], [evil.url, "cross-site", 403]);
  const scripted = page.waitForResponse(target);
  await page.evaluate(([url, csrf_token]) => {
    const body = new URLSearchParams({ csrf_token });
    fetch(url, { method: "POST", mode: "no-cors", credentials: "include", body }).catch(() => {});
  }, [target, word]);
  assert.equal((await scripted).status(), 403);
  assert.equal(ok(await tenant.api.get(`/connections/${connection.id}`)).id, connection.id);
  await page.close();
});
