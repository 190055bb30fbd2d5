// The customer's story on the built Worker: in the iframe of a product on another site, where cookies
// of other sites are blocked unless they are partitioned, and again in a browser that runs no scripts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startDemoShop } from "../../examples/demo-shop.mjs";
import { ensureCatalogue } from "../../tools/lib/catalogue.mjs";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { newSession } from "./lib/embed.mjs";
import { play } from "./lib/story.mjs";
import { until } from "./lib/until.mjs";
import { made, newTenant, openWorld } from "./lib/world.mjs";

let world, browser;

before(async () => {
  if (noBrowser) return;
  [world, browser] = await Promise.all([openWorld(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  await world?.close();
});

async function newCustomer(name) {
  const tenant = await newTenant(world, name);
  await ensureCatalogue(tenant.api);
  return tenant;
}

/** How the browser asked for the embed's pages: {path, method, site, cookie} of each. */
function recordRequests(page) {
  const asked = [];
  const record = (request) => {
    const { pathname } = new URL(request.url());
    const [, path] = pathname.match(/^\/embed\/s\/[^/]+\/(.*)/) ?? [];
    if (path === undefined) return;
    asked.push(request.allHeaders().then((headers) => ({
      path, method: request.method(), site: headers["sec-fetch-site"], cookie: headers.cookie,
    })));
  };
  page.on("request", record);
  return () => {
    page.off("request", record);
    return Promise.all(asked);
  };
}

test("the story, in the iframe of a product on another site", { skip: noBrowser }, async () => {
  const tenant = await newCustomer("Framed");
  const shop = await startDemoShop({
    posthornUrl: world.localUrl,
    machine: tenant.machine,
    workspaceId: tenant.workspace.id,
    publishableKey: tenant.publishableKey,
  });
  try {
    // So high that nothing scrolls: clicks between the page's and the frame's scrolling can miss.
    const page = await openPage(browser, { viewport: { width: 1280, height: 4_000 } });
    const requests = recordRequests(page);
    const heights = new Set();
    page.on("framenavigated", async () => heights.add(await heightOf(page).catch(() => undefined)));
    await page.goto(`${shop.url}/settings/webhooks`);
    await play(sceneInShop(page));
    await checkRequests(await requests());
    await settles(page);
    assert.ok(heights.size > 3, `the frame has the heights of its pages: ${[...heights]}`);
    assert.deepEqual(page.complaints, []);
    await page.close();
  } finally {
    await shop.close();
  }
});

const heightOf = (page) => page.locator("iframe").evaluate((iframe) => iframe.style.height);
const frameOf = (page) => page.frames().find((frame) => frame.url().startsWith(world.localUrl));

function sceneInShop(page) {
  const embed = page.frameLocator("iframe");
  return {
    embed,
    hand: handInFrame(page),
    receiver: world.receiver,
    scripts: true,
    appears: (locator) => locator.waitFor(),
    async reload() {
      const again = page.waitForEvent("framenavigated", (frame) => frame !== page.mainFrame());
      await frameOf(page).evaluate(() => location.reload());
      await (await again).waitForLoadState("load");
    },
    /** A word in the page that is shown, which a page that is loaded in its place does not have. */
    mark: () => frameOf(page).evaluate(() => (window.marked = true)),
    unmoved: async () => assert.ok(await frameOf(page).evaluate(() => window.marked), "without a reload"),
    async order() {
      const toast = page.locator("#toast");
      const placed = page.waitForResponse((response) => response.url().endsWith("/orders"));
      await page.getByRole("button", { name: "Place a test order" }).click();
      const { order_id, event_id } = await (await placed).json();
      await toast.getByText(order_id).waitFor();
      return { order: order_id, event: event_id };
    },
  };
}

/** The frame is of another site than the page around it, and its own pages are of one site. */
async function checkRequests(asked) {
  const launches = asked.filter(({ path }) => path === "launch");
  assert.deepEqual(launches.map(({ method, site, cookie }) => [method, site, cookie]), [["GET", "cross-site", undefined]]);
  const forms = asked.filter(({ method }) => method === "POST");
  assert.ok(forms.length > 10);
  for (const { path, site, cookie } of forms) {
    assert.equal(site, "same-origin", path);
    assert.match(cookie, /^posthorn=/, path);
  }
  assert.ok(asked.some(({ path }) => path.startsWith("live/")), "pages asked for news");
}

/** Waits until the frame is as high as its page. */
async function settles(page) {
  const content = () => frameOf(page).evaluate(() => Math.ceil(document.documentElement.getBoundingClientRect().height));
  await until("the frame is as high as its page", async () =>
    (await heightOf(page)) === `${Math.max(320, await content())}px` || heightOf(page));
}

/** The mouse in the frame. While that still takes its page's height, what is to be clicked moves away. */
function handInFrame(page) {
  const moves = () => page.waitForEvent("framenavigated", (frame) => frame !== page.mainFrame());
  return {
    async go(locator) {
      await settles(page);
      const moved = moves();
      await locator.click();
      await (await moved).waitForLoadState("load");
    },
    async press(locator) {
      await settles(page);
      await locator.click();
    },
    async check(locator) {
      await settles(page);
      await locator.check();
    },
  };
}

test("the story, without scripts", { skip: noBrowser }, async () => {
  const tenant = await newCustomer("Plain");
  const { launch_url } = await newSession(world, tenant);
  const page = await openPage(browser, { javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  await page.goto(launch_url);
  await play({
    embed: page,
    hand: { go: (locator) => locator.click(), press: (locator) => locator.click(), check: (locator) => locator.check() },
    receiver: world.receiver,
    scripts: false,
    appears: (locator) => until("it appears when the page is loaded again", async () => {
      if (await locator.isVisible()) return true;
      await page.reload();
      return page.locator("main").innerText();
    }, 20_000, 300),
    reload: () => page.reload(),
    mark: () => page.url(),
    unmoved: (url) => assert.equal(page.url(), url),
    order: () => order(tenant),
  });
  assert.deepEqual(page.complaints, []);
  await page.close();
});

let orders = 0;

async function order(tenant) {
  const order_id = `ord_plain-${(orders += 1)}`;
  const { event } = made(await tenant.publisher.post("/events", {
    event: "order.completed", resource: "order", resource_id: order_id, payload: { order_id, total_cents: 4300 },
  }));
  return { order: order_id, event: event.id };
}
