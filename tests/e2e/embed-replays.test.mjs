// A customer finds what was not delivered, sees why, counts it, sends it again and watches it arrive: in a real
// browser on the built Worker, with the stock library as the receiver; and once more without scripts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Webhook } from "standardwebhooks";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { newSession } from "./lib/embed.mjs";
import { answer } from "./lib/receiver.mjs";
import { until } from "./lib/until.mjs";
import { connect, emit, newTenant, ok, openWorld, settled } from "./lib/world.mjs";

const PER_STORY = 3;

let world, browser;

before(async () => {
  if (noBrowser) return;
  [world, browser] = await Promise.all([openWorld(), openBrowser()]);
});
after(async () => {
  await browser?.close();
  await world?.close();
});

/** A tenant some of whose events were refused for good; then its receiver is mended. */
async function refused(name) {
  const path = `/${name}`;
  const tenant = await newTenant(world, name);
  const metadata = { generate_secret: true };
  const { connection, event } = await connect(tenant, { url: world.receiver.url(path), metadata });
  world.receiver.on(path, answer(400, { headers: { "webhook-delivery": "abort-message" } }));
  for (let n = 0; n < PER_STORY; n += 1) {
    const { id } = await emit(tenant, event, `{"n":${n}.0}`);
    await settled(tenant, id, ["failed"]);
  }
  world.receiver.on(path, answer(204));
  return { tenant, event, path, connection, webhook: new Webhook(connection.metadata.signing_secret) };
}

/** From the overview to the page of the replay. */
async function sendAllAgain(page) {
  await page.getByText(`${PER_STORY} failed deliveries.`).getByRole("link").click();
  await page.getByRole("heading", { level: 1, name: "Failed" }).waitFor();
  assert.equal(await page.getByText("webhook-delivery: abort-message").count(), PER_STORY);
  await page.getByText("Send many again").click();
  await page.getByRole("button", { name: "Count" }).click();
  await page.getByText(`${PER_STORY} deliveries`, { exact: true }).waitFor();
  await page.getByRole("button", { name: `Send ${PER_STORY} deliveries again` }).click();
  await page.getByText(`of ${PER_STORY} sent again`).first().waitFor();
}

/** What arrived the second time is what was refused: the same ids and bytes, signed afresh. */
async function arrivesVerified({ webhook, path }) {
  const seen = await world.receiver.arrived(path, PER_STORY * 2);
  const [first, second] = [seen.slice(0, PER_STORY), seen.slice(PER_STORY)];
  for (const { body, headers } of second) {
    webhook.verify(body, headers);
    const before = first.find((one) => one.headers["webhook-id"] === headers["webhook-id"]);
    assert.deepEqual(body, before.body);
    assert.equal(headers["posthorn-attempt"], "2");
  }
  assert.equal(new Set(second.map(({ headers }) => headers["webhook-id"])).size, PER_STORY);
}

test("what was refused is found, counted, sent again and arrives", { skip: noBrowser }, async () => {
  const story = await refused("scripted");
  const page = await openPage(browser);
  await page.goto((await newSession(world, story.tenant, { role: "member" })).launch_url);
  await sendAllAgain(page);
  const url = page.url();
  await page.evaluate(() => (window.marked = true));
  await page.locator("h1 .badge", { hasText: "Completed" }).waitFor();
  await page.locator("#replay strong", { hasText: `${PER_STORY} of ${PER_STORY} sent again` }).waitFor();
  assert.ok(await page.evaluate(() => window.marked) && page.url() === url, "the page kept itself up to date");
  await arrivesVerified(story);
  await page.getByRole("link", { name: "Failed deliveries" }).click();
  await page.getByText("No failed deliveries").waitFor();
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("the same without scripts, and one alone", { skip: noBrowser }, async () => {
  const story = await refused("plain");
  const page = await openPage(browser, { javaScriptEnabled: false });
  await page.goto((await newSession(world, story.tenant, { role: "member" })).launch_url);
  await sendAllAgain(page);
  await until("the replay is done", async () => {
    await page.reload();
    return (await page.locator("h1 .badge").innerText()) === "Completed" || page.locator("main").innerText();
  });
  await arrivesVerified(story);

  world.receiver.on(story.path, answer(410));
  const { id } = await emit(story.tenant, story.event);
  await settled(story.tenant, id, ["failed"]);
  await page.goto(`${page.url().split("/replays")[0]}/failed?connection=${story.connection.id}`);
  await page.getByText("Your server answered 410").waitFor();
  // The 410 made the connection inactive, and nothing is sent to one that is (field report 2).
  assert.equal(await page.getByRole("button", { name: "Send again" }).count(), 0);
  ok(await story.tenant.api.post(`/connections/${story.connection.id}/activate`, {}));
  await page.reload();
  await page.getByRole("button", { name: "Send again" }).click();
  await page.getByText("It is being sent again.").waitFor();
  assert.ok(page.url().includes(`/failed?connection=${story.connection.id}`));
  await page.close();
});
