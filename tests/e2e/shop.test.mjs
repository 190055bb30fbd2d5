// The demo shop and the loader in a real browser, with the shop and what it frames on two sites.
import assert from "node:assert/strict";
import { request } from "node:http";
import { after, before, beforeEach, test } from "node:test";
import { startDemoShop } from "../../examples/demo-shop.mjs";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { openFakePosthorn } from "./lib/fake-posthorn.mjs";
import { until } from "./lib/until.mjs";

const KEY = "mesh_pub_ws.1_key-1_secret123";
const WORKSPACE = "01234567-89ab-7def-8123-456789abcdef";
const machine = { organizationId: "o", accessKey: "mk_of-the-test", secretKey: "secret-of-the-test" };

let posthorn, shop, browser;

before(async () => {
  posthorn = await openFakePosthorn();
  shop = await startDemoShop({ posthornUrl: posthorn.url, machine, workspaceId: WORKSPACE, publishableKey: KEY });
  if (!noBrowser) browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await shop?.close();
  await posthorn?.close();
});
beforeEach(() => {
  for (const list of [posthorn.calls, posthorn.launched, posthorn.cookies]) list.length = 0;
  posthorn.revoked.clear();
  posthorn.ancestors = null;
});

const calls = (path) => posthorn.calls.filter((call) => call.path.endsWith(path));

/** A page on Settings > Webhooks, once the frame's page has reported. */
async function openWebhooks(options) {
  const page = await openPage(browser, options);
  await page.goto(`${shop.url}/`);
  await page.waitForFunction(() => document.title.startsWith("Overview"));
  return page;
}

const frameOf = (page) => page.frames().find((frame) => frame.url().startsWith(posthorn.url));
const heightOf = (page) => page.locator("iframe").first().evaluate((iframe) => iframe.style.height);
const say = (frame, message) => frame.evaluate((said) => parent.postMessage(said, "*"), message);

test("Settings > Webhooks shows the embed, across sites and under a strict policy", { skip: noBrowser }, async () => {
  const page = await openWebhooks();
  assert.equal(new URL(page.url()).pathname, "/settings/webhooks");
  assert.equal(await page.title(), "Overview · Webhooks · Fieldstall");
  assert.equal(await heightOf(page), "640px");
  const frame = frameOf(page);
  assert.deepEqual(posthorn.launched, [{ token: "once", theme: "auto", accent: "0f766e", locale: "en" }]);
  const [, id] = frame.url().match(/\/s\/([^/]+)/);
  assert.deepEqual(posthorn.cookies, [`session=${id}`], "a partitioned cookie goes on where others are blocked");
  assert.equal(await frame.evaluate(() => document.referrer), `${shop.url}/`);
  assert.equal(await page.locator("iframe").getAttribute("allow"), "clipboard-write");
  const [{ body, authorization }] = calls("/sessions");
  assert.deepEqual(body, {
    workspace_id: WORKSPACE, role: "admin", scopes: ["events.payload:read"], external_user_id: "demo-user",
    allowed_origins: [shop.url],
  });
  assert.match(authorization, /^Bearer ey/);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("tokens reach the frame, and only frames of that session's origin are heard", { skip: noBrowser }, async () => {
  const page = await openWebhooks();
  const frame = frameOf(page);
  const [, id] = frame.url().match(/\/s\/([^/]+)/);
  await say(frame, { type: "meshes:token-refresh", session_id: id });
  await frame.waitForFunction(() => window.heard.length > 0);
  const heard = await frame.evaluate(() => window.heard);
  assert.deepEqual(heard, [{ origin: shop.url, data: { type: "meshes:auth", token: `again ${id}` } }]);

  // The product's own window, and another frame of the very same origin.
  await page.evaluate(() => window.postMessage({ type: "meshes:resize", height: 5000 }, "*"));
  await page.evaluate((src) => {
    const other = Object.assign(document.createElement("iframe"), { src, name: "other" });
    document.body.append(other);
    return new Promise((loaded) => (other.onload = loaded));
  }, `${posthorn.url}/embed/s/other/`);
  await say(page.frame("other"), { type: "meshes:resize", height: 5000 });
  await say(frame, { type: "meshes:resize", height: 701 });
  await until("what the frame itself said was heard", async () => (await heightOf(page)) === "701px" || heightOf(page));
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("a session that is over and cannot be refreshed is followed by another one, once", { skip: noBrowser }, async () => {
  const page = await openWebhooks();
  const first = frameOf(page).url();
  posthorn.revoked.add(first.match(/\/s\/([^/]+)/)[1]);
  await say(frameOf(page), { type: "meshes:token-expired", session_id: null });
  await until("the frame shows another session", () => (frameOf(page) && frameOf(page).url() !== first) || first);
  await frameOf(page).waitForFunction(() => document.readyState === "complete");
  assert.equal(calls("/sessions").length, 2);
  assert.equal(calls("/refresh").length, 1);
  posthorn.revoked.add(frameOf(page).url().match(/\/s\/([^/]+)/)[1]);
  await say(frameOf(page), { type: "meshes:token-expired", session_id: null });
  const alert = page.getByRole("alert");
  await alert.waitFor();
  assert.match(await alert.innerText(), /Your session has ended\.\s*Try again/);
  assert.equal(await page.locator("iframe").isVisible(), false);
  await page.getByRole("button", { name: "Try again" }).click();
  await page.locator("iframe").waitFor({ state: "visible" });
  assert.equal(calls("/sessions").length, 3);
  await page.close();
});

test("a page that this product may not frame is said instead of an empty box", { skip: noBrowser }, async () => {
  posthorn.ancestors = "https://elsewhere.example";
  const page = await openPage(browser);
  await page.clock.install();
  await page.goto(`${shop.url}/settings/webhooks`);
  await until("Chromium has refused", () => page.complaints.some((text) => /frame-ancestors/.test(text)) || "not yet");
  assert.equal(await page.getByRole("alert").count(), 0);
  await page.clock.fastForward(20_000);
  await page.getByRole("alert").waitFor();
  assert.match(await page.getByRole("alert").innerText(), /could not be loaded/);
  await page.close();
});

test("a test order is an event, emitted by the server, without leaving the page", { skip: noBrowser }, async () => {
  const page = await openWebhooks();
  await page.getByRole("button", { name: "Place a test order" }).click();
  const toast = page.locator("#toast");
  await toast.waitFor();
  assert.match(await toast.innerText(), /^ord_\d+ by .+ is completed: event [0-9a-f-]{36} was sent\.$/);
  const [{ body, key }] = calls("/events");
  assert.equal(key, KEY);
  assert.equal(body.event, "order.completed");
  assert.deepEqual([body.resource, body.resource_id], ["order", body.payload.order_id]);
  assert.deepEqual(Object.keys(body.payload), [
    "order_id", "customer_id", "account_id", "total_cents", "currency", "items", "completed_at",
  ]);
  assert.ok(!(await page.content()).includes(KEY), "the key stays on the server");
  await page.getByRole("link", { name: "Orders" }).click();
  assert.match(await page.locator("tbody tr").first().innerText(), new RegExp(`${body.resource_id}.*event sent`, "s"));
  await page.getByRole("button", { name: "Place a test order" }).click();
  await page.waitForFunction(() => document.querySelectorAll("tbody .badge").length === 2);
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("the shop's backend serves its own pages only, and refreshes its own sessions only", async () => {
  const origin = shop.url;
  const post = (path, headers, body = "{}") => fetch(`${shop.url}${path}`, { method: "POST", headers, body, redirect: "manual" });
  for (const path of ["/webhooks/session", "/webhooks/session/refresh", "/orders"]) {
    for (const headers of [{}, { origin: "https://evil.example" }, { origin: "null" }]) {
      assert.equal((await post(path, headers)).status, 403, `${path} ${headers.origin}`);
    }
    assert.equal((await fetch(`${shop.url}${path}?x=1`, { method: "DELETE", headers: { origin } })).status, 404);
  }
  assert.equal(await statusWithHost("rebound.example"), 421);
  for (const session_id of ["x", "../workspaces", "", 7, null, ["x"]]) {
    const answer = await post("/webhooks/session/refresh", { origin }, JSON.stringify({ session_id }));
    assert.equal(answer.status, 404);
  }
  assert.equal((await post("/webhooks/session/refresh", { origin }, "not JSON")).status, 404);
  assert.deepEqual(posthorn.calls, [], "Posthorn was asked nothing");
  assert.equal((await fetch(`${shop.url}/nothing`)).status, 404);

  const { session_id, launch_token } = await (await post("/webhooks/session", { origin })).json();
  assert.equal(launch_token, undefined, "the page gets what the loader needs");
  const refreshed = await post("/webhooks/session/refresh", { origin }, JSON.stringify({ session_id }));
  assert.deepEqual(await refreshed.json(), { access_token: `again ${session_id}` });
  posthorn.revoked.add(session_id);
  assert.equal((await post("/webhooks/session/refresh", { origin }, JSON.stringify({ session_id }))).status, 409);
});

/** The status of a request that reaches the shop under another host name; `fetch` cannot make one. */
function statusWithHost(host) {
  const { hostname, port } = new URL(shop.url);
  return new Promise((done, failed) => {
    const asked = request({ hostname, port, path: "/orders", headers: { host } }, (answer) => done(answer.resume().statusCode));
    asked.on("error", failed).end();
  });
}
