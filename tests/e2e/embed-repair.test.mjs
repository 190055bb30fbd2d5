// A customer's endpoint breaks, and the page says why and what to do: each cause lived in a browser, narrow and
// wide, until it is repaired. And what is found can be taken along.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { noBrowser } from "./lib/browser.mjs";
import { fits, NARROW } from "./lib/crawl.mjs";
import { openAt, withEmbed } from "./lib/embed.mjs";
import { answer, hang } from "./lib/receiver.mjs";
import { until } from "./lib/until.mjs";
import { connect, emit, settled } from "./lib/world.mjs";

let world, browser, tenant;
withEmbed("Repair", (opened) => ({ world, browser, tenant } = opened));

const at = (path, options) => openAt({ world, browser, tenant }, path, options);

/** What the endpoint does, what the page says of it, and the page of the action that it offers. */
const CAUSES = [
  ["401", answer(401), /verifies the raw body/, /\/verification$/],
  ["404", answer(404), /does not know this address/, /\/edit$/],
  ["500", answer(500, { body: '{"error":"out of cheese"}' }), /Your server had an error/, /\/test/],
  ["a redirect", answer(302, { headers: { location: "https://b.example/" } }), /redirects are not followed/, /\/edit$/],
  ["no answer in time", hang(), /did not answer in time/, /\/edit$/],
];

test("the page of a connection says why it fails, and one click leads to the repair", { skip: noBrowser }, async () => {
  for (const [name, behaviour, words, action] of CAUSES) {
    const path = `/repair/${CAUSES.findIndex(([one]) => one === name)}`;
    world.receiver.on(path, behaviour);
    const metadata = { timeout_seconds: 1, retry_schedule_seconds: [3600] };
    const to = await connect(tenant, { url: world.receiver.url(path), metadata });
    const { id } = await emit(tenant, to.event);
    await settled(tenant, id, ["retrying"], 30_000);
    const { page, home } = await at(`connections/${to.connection.id}`);
    const health = page.locator("#health");
    await health.getByText(words).first().waitFor();
    await health.getByText("Failing since").waitFor();
    await health.getByRole("link", { name: "See the last attempt" }).click();
    await page.locator("#pane .diagnosis", { hasText: words }).waitFor();
    await page.locator("#deliveries").getByText(/Next attempt in (1 h|59 min)/).waitFor();
    await page.goBack();
    await health.locator(".actions a").first().click();
    assert.match(new URL(page.url()).pathname, action, name);
    // Repaired, tried again by hand from the event's page, and it is well.
    world.receiver.on(path, answer(204));
    await page.goto(`${home}/events/${id}`);
    await page.getByRole("button", { name: "Retry now" }).click();
    await until("it is delivered", async () => {
      await page.goto(`${home}/connections/${to.connection.id}`);
      return (await health.getByText("Working.").count()) > 0 || health.innerText();
    }, 20_000, 300);
    assert.deepEqual(page.complaints, [], name);
    await page.close();
  }
});

test("an event is read on a phone, with two attempts to compare and JSON laid out", { skip: noBrowser }, async () => {
  world.receiver.on("/compare", answer(500, { body: '{"error":"first"}' }), answer(503, { body: '{"error":"second"}' }));
  const metadata = { retry_schedule_seconds: [1, 3600] };
  const to = await connect(tenant, { url: world.receiver.url("/compare"), metadata });
  const { id } = await emit(tenant, to.event, '{"order":{"total":12.0}}');
  await world.receiver.arrived("/compare", 2, 30_000);
  const { page, home } = await at(`events/${id}`, { viewport: NARROW });
  await until("both attempts are there", async () => {
    const count = await page.locator(".steps-made a").count();
    if (count === 2) return true;
    await page.reload();
    return `${count} attempts`;
  }, 20_000, 300);
  await fits(page, "the event");
  await page.goto(`${home}/events/${id}`);
  await page.getByRole("link", { name: /^Attempt 2: 503/ }).click();
  const pane = page.locator("#pane");
  await pane.getByText("Compared with attempt 1").click();
  await pane.getByRole("cell", { name: '{"error":"first"}' }).waitFor();
  assert.match(await pane.locator("pre").first().innerText(), /^\{\n {2}"error": "second"\n\}$/);
  await page.getByText("Exact bytes").last().click();
  assert.equal(await page.locator("#payload").innerText(), '{"order":{"total":12.0}}');
  await pane.locator("summary", { hasText: "Copy" }).first().click();
  await pane.getByRole("button", { name: "curl command" }).click();
  await page.locator("#announcer", { hasText: "Copied" }).waitFor({ state: "attached" });
  const [popup] = await Promise.all([page.waitForEvent("popup"), pane.getByRole("link", { name: "Verify this signature" }).click()]);
  await popup.waitForLoadState();
  assert.match(await popup.getByLabel("Request headers").inputValue(), /webhook-signature: v1,/);
  assert.equal(await popup.getByLabel("Raw body").inputValue(), '{"order":{"total":12.0}}');
  await popup.close();
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("what the list of events shows is saved as a file", { skip: noBrowser }, async () => {
  const to = await connect(tenant, { url: world.receiver.url("/export") });
  const { id } = await emit(tenant, to.event);
  await settled(tenant, id, ["completed"]);
  const { page } = await at(`events?event=${to.event}`);
  await page.getByText("More filters and export").click();
  for (const [name, file] of [["Export as CSV", "events.csv"], ["Export as JSON lines", "events.jsonl"]]) {
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name }).click()]);
    assert.equal(download.suggestedFilename(), file);
    const text = readFileSync(await download.path(), "utf8");
    assert.ok(text.includes(id) && text.includes("delivered"), text);
    assert.equal(text.trim().split("\n").length, file === "events.csv" ? 2 : 1);
  }
  await page.close();
});
