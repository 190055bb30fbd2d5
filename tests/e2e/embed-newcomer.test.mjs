// A new customer's story: registers, verifies, breaks it with 401, 500, a timeout and a wrong host name, and repairs each by
// what the page says, without another page or document. The clicks are counted and printed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ensureCatalogue } from "../../tools/lib/catalogue.mjs";
import { noBrowser } from "./lib/browser.mjs";
import { openCustomer } from "./lib/customer.mjs";
import { openAt, withEmbed } from "./lib/embed.mjs";
import { answer, hang } from "./lib/receiver.mjs";
import { until } from "./lib/until.mjs";
import { emit } from "./lib/world.mjs";

const ORDER = '{"order_id":"ord_1","total_cents":12900}';
/** More clicks than this for one repair, and it is no repair in one place. */
const REPAIR_MAX = 4;

let world, browser, tenant;
withEmbed("Newcomer", (opened) => ({ world, browser, tenant } = opened));

test("a new customer registers, verifies, and repairs each thing that breaks by what the page says", { skip: noBrowser }, async () => {
  await ensureCatalogue(tenant.api);
  const { page, home } = await openAt({ world, browser, tenant }, "dashboard");
  const told = [];
  let clicks = 0;
  const count = async (locator) => {
    clicks += 1;
    await locator.click();
    await page.waitForLoadState();
  };
  const link = (name) => count(page.getByRole("link", { name, exact: true }).first());
  const button = (name) => count(page.getByRole("button", { name, exact: true }).first());
  const done = (what) => {
    told.push([what, clicks]);
    clicks = 0;
  };
  const customer = openCustomer(world.receiver, "/newcomer");

  await link("New connection");
  await count(page.getByRole("link", { name: /^Webhook/ }));
  await page.getByLabel("URL").fill(customer.url);
  await page.getByLabel("Name", { exact: true }).fill("Orders");
  await count(page.getByLabel("Order completed"));
  await button("Create connection");
  await page.getByRole("heading", { level: 1, name: "Connection created" }).waitFor();
  customer.trust(await page.locator("pre#secret").innerText());
  done("register");

  await link("Verification code");
  await link("Python");
  assert.match(await page.locator("pre#code").innerText(), /import hmac/);
  done("code that verifies");

  const toConnection = async () => {
    await link("Connections");
    await count(page.locator("a.row", { hasText: "Orders" }));
    await page.getByRole("heading", { level: 1, name: "Orders" }).waitFor();
  };
  await toConnection();
  const at = page.url();
  await link("Send test event");
  await button("Send test event");
  const seen = await customer.arrived(1);
  assert.equal(seen.verifiedBy.length, 1, "the customer's library verifies it");
  done("first verified delivery");

  const health = page.locator("#health");
  const shows = (what, locator) => until(what, async () => {
    await page.goto(at);
    return (await locator.count()) > 0 || health.innerText();
  }, 30_000, 300);
  const repairs = async (what, { breaks, says, action, mends }) => {
    await breaks();
    await emit(tenant, "order.completed", ORDER);
    await shows(`the page says why: ${what}`, health.getByText(says));
    clicks = 0;
    await count(health.locator(".actions a").first());
    await page.waitForURL((url) => url.pathname.endsWith(action));
    await mends();
    if (page.url().split("?")[0] !== at) await toConnection();
    // Saved with another URL it is attempted by itself; what waits is sent at once by one press.
    const again = page.getByRole("button", { name: "Try now" });
    if (await again.count()) await count(again.first());
    await shows(`it works again: ${what}`, health.getByText("Working."));
    assert.ok(clicks <= REPAIR_MAX, `${what}: ${clicks} clicks`);
    done(`repair: ${what}`);
  };
  const answers = (behaviour) => () => world.receiver.on("/newcomer", behaviour);
  const isWell = answers(answer(204));
  await repairs("401", {
    breaks: answers(answer(401)), says: /verifies the raw body/, action: "/verification",
    mends: async () => {
      await page.locator("pre#code").waitFor();
      isWell();
    },
  });
  await repairs("500", {
    breaks: answers(answer(500)), says: /Your server had an error/, action: "/test", mends: async () => isWell(),
  });
  const timeout = async (seconds) => {
    await page.goto(`${at}/edit`);
    await page.locator("summary", { hasText: "Method, body and retries" }).click();
    await page.getByLabel("Timeout").fill(seconds);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await page.getByRole("status").filter({ hasText: "Saved." }).waitFor();
  };
  await timeout("1");
  await repairs("no answer in time", {
    breaks: answers(hang()), says: /did not answer in time/, action: "/edit",
    mends: async () => {
      isWell();
      await page.locator("summary", { hasText: "Method, body and retries" }).click();
      await page.getByLabel("Timeout").fill("10");
      await button("Save");
      await page.getByRole("status").filter({ hasText: "Saved." }).waitFor();
    },
  });
  const moveTo = async (url, save) => {
    await page.getByLabel("URL").fill(url);
    await save();
    await page.getByRole("status").filter({ hasText: "Saved." }).waitFor();
  };
  await repairs("a wrong host name", {
    breaks: async () => {
      await page.goto(`${at}/edit`);
      await moveTo("https://hooks.acme-ceramics-nowhere.com/newcomer", () => page.getByRole("button", { name: "Save", exact: true }).click());
    },
    says: /does not resolve|could not be reached/, action: "/edit",
    mends: () => moveTo(customer.url, () => button("Save")),
  });
  for (const [what, number] of told) console.log(`  ${String(number).padStart(2)} clicks: ${what}`);
  assert.ok(page.url().startsWith(home), "nothing led away from the page");
  assert.deepEqual(page.complaints, []);
  await page.close();
});
