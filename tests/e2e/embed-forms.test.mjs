// What a product's page and its customers are told when something does not come through, in a real browser: a form that is sent
// after its session has ended comes back with what was typed, and a frame of an origin that is not allowed tells the loader at once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { noBrowser, openPage } from "./lib/browser.mjs";
import { newSession, withEmbed } from "./lib/embed.mjs";
import { openSite } from "./lib/site.mjs";
import { ok } from "./lib/world.mjs";

const TYPED = { name: "Typed before the end", url: "https://hooks.example.com/typed" };
const SECRET = "a-secret-nobody-keeps";

let world, browser, tenant;
withEmbed("Forms", (opened) => ({ world, browser, tenant } = opened));

test("a form that is sent after the session has ended comes back as it was typed, without secrets", { skip: noBrowser }, async () => {
  const page = await openPage(browser);
  const first = await newSession(world, tenant, { launch_page: "connections" });
  await page.goto(first.launch_url);
  await page.goto(`${world.localUrl}/embed/s/${first.session_id}/connections/new?type=webhook`);
  await page.locator("[name=name]").fill(TYPED.name);
  await page.locator("[name=url]").fill(TYPED.url);
  await page.locator("[name=auth_scheme]").evaluate((field) => field.closest("details")?.setAttribute("open", ""));
  await page.locator("[name=auth_scheme]").selectOption("bearer");
  await page.locator("[name=auth_token]").fill(SECRET);
  ok(await tenant.api.delete(`/sessions/${first.session_id}`));
  await page.locator("form:has([name=url])").evaluate((form) => form.requestSubmit());
  await page.getByRole("heading", { name: "This session has ended" }).waitFor();
  const second = await newSession(world, tenant);
  await page.goto(second.launch_url);
  const told = page.locator("form .notice[role=alert]");
  await told.waitFor();
  assert.match(await told.innerText(), /nothing was saved/);
  assert.ok(page.url().includes(`${second.session_id}/connections/new`), page.url());
  assert.equal(await page.locator("[name=name]").inputValue(), TYPED.name);
  assert.equal(await page.locator("[name=url]").inputValue(), TYPED.url);
  assert.equal(await page.locator("[name=auth_scheme]").inputValue(), "bearer");
  assert.equal(await page.locator("[name=auth_token]").inputValue(), "", "a secret is not kept");
  assert.ok(!(await page.evaluate(() => JSON.stringify({ ...sessionStorage }))).includes(SECRET));
  const { records } = ok(await tenant.api.get("/connections"));
  assert.deepEqual(records, [], "nothing was saved");
  await page.close();
});

/** A product's page on another site with the pages in a frame; `given()` is its next launch. */
async function openProduct(given) {
  return openSite(({ url }) => url === "/launch"
    ? { headers: { "content-type": "application/json" }, body: JSON.stringify(given()) }
    : { body: `<div id=here></div><script src="${world.localUrl}/embed.js"></script><script>
        Posthorn.mount("#here", { launch: async () => (await fetch("/launch")).json() });
      </script>` });
}

for (const isRefused of [false, true]) {
  const where = isRefused ? "where the browser refuses the frame its storage" : "in the frame of a product on another site";
  test(`a form that is sent after the session has ended comes back, ${where}`, { skip: noBrowser }, async (t) => {
    let launch;
    const site = await openProduct(() => launch);
    t.after(site.close);
    const page = await openPage(browser);
    t.after(() => page.close());
    if (isRefused) {
      // As browsers do it: not the writing fails, but the way to the storage.
      await page.addInitScript(() => ["sessionStorage", "localStorage"].forEach((name) =>
        Object.defineProperty(window, name, { get: () => { throw new DOMException("Access is denied", "SecurityError"); } })));
    }
    const allowed_origins = [site.url];
    const first = (launch = await newSession(world, tenant, { launch_page: "connections", allowed_origins }));
    await page.goto(site.url);
    const frame = page.frameLocator("iframe");
    await frame.getByRole("link", { name: /new|add/i }).first().click();
    await frame.locator("a[href*='type=webhook']").first().click();
    await frame.locator("[name=name]").fill(TYPED.name);
    await frame.locator("[name=url]").fill(TYPED.url);
    launch = await newSession(world, tenant, { allowed_origins });
    ok(await tenant.api.delete(`/sessions/${first.session_id}`));
    await frame.locator("form:has([name=url])").evaluate((form) => form.requestSubmit());
    const told = frame.locator("form .notice[role=alert]");
    await told.waitFor();
    assert.match(await told.innerText(), /nothing was saved/);
    assert.equal(await frame.locator("[name=name]").inputValue(), TYPED.name);
    assert.equal(await frame.locator("[name=url]").inputValue(), TYPED.url);
    const own = page.frames().find((one) => one.url().includes(launch.session_id));
    assert.equal(await own.evaluate(() => window.name), "", "nothing is left in the frame");
    assert.deepEqual(ok(await tenant.api.get("/connections")).records, [], "nothing was saved");
  });
}

test("a frame of an origin that is not allowed tells the loader which one to allow, at once", { skip: noBrowser }, async (t) => {
  let launch;
  const site = await openSite(({ url }) => url === "/launch"
    ? { headers: { "content-type": "application/json" }, body: JSON.stringify(launch) }
    : { body: `<div id=here></div><script src="${world.localUrl}/embed.js"></script><script>
        window.told = [];
        Posthorn.mount("#here", {
          launch: async () => (await fetch("/launch")).json(),
          onReady: () => told.push("ready"),
          onError: (error) => told.push(error.message),
        });
      </script>` });
  t.after(site.close);
  const toldBy = async (allowed_origins) => {
    launch = await newSession(world, tenant, { allowed_origins });
    const page = await openPage(browser);
    await page.goto(site.url);
    await page.waitForFunction(() => window.told.length > 0, null, { timeout: 15_000 });
    const told = await page.evaluate(() => window.told);
    await page.close();
    return told;
  };
  for (const allowed of [[], ["https://elsewhere.example"]]) {
    const [message, ...more] = await toldBy(allowed);
    assert.match(message, /allowed_origins/);
    assert.ok(message.includes(site.url) && more.length === 0, message);
  }
  // The launch URL was not used up, and with a trailing slash the origin is the same.
  assert.deepEqual(await toldBy([`${site.url}/`]), ["ready"]);
});
