// What customers met and must not meet again, point by point, in a browser: nothing is destroyed by a click, answers are
// in sight, states are real, clocks tick, places can be linked to, and no choice throws away what was typed.
import assert from "node:assert/strict";
import { test } from "node:test";
import { noBrowser } from "./lib/browser.mjs";
import { openAt, withEmbed } from "./lib/embed.mjs";
import { answer } from "./lib/receiver.mjs";
import { connect, emit, ok, settled } from "./lib/world.mjs";

let world, browser, tenant;
withEmbed("Points", (opened) => ({ world, browser, tenant } = opened));

const at = (path, more) => openAt({ world, browser, tenant }, path, {}, more);
const skip = noBrowser;

/** A connection whose endpoint answers so. */
function to(name, ...answers) {
  world.receiver.on(`/points/${name}`, ...answers);
  return connect(tenant, { url: world.receiver.url(`/points/${name}`), metadata: { retry_schedule_seconds: [1, 3600] } });
}

async function ends(page) {
  assert.deepEqual(page.complaints, []);
  await page.close();
}

test("1: what is held is canceled after a question with its number, told as it is, and can be sent again", { skip }, async () => {
  const { connection, event } = await to("held", answer(204));
  ok(await tenant.api.post(`/connections/${connection.id}/deactivate`, {}));
  const { id } = await emit(tenant, event);
  await emit(tenant, event);
  const { page, home } = await at(`connections/${connection.id}`);
  await page.getByText("2 deliveries are held.").waitFor();
  await page.getByRole("link", { name: "Resume and cancel held deliveries" }).click();
  await page.getByRole("heading", { name: "Resume and cancel 2 held deliveries?" }).waitFor();
  await page.getByRole("link", { name: "No, go back" }).waitFor();
  await page.getByRole("button", { name: "Resume and cancel held deliveries" }).click();
  await page.locator(".done", { hasText: "The held deliveries were canceled." }).waitFor();
  await page.goto(`${home}/events/${id}`);
  await page.getByRole("button", { name: "Send again" }).click();
  await page.locator("#deliveries .badge", { hasText: "Delivered" }).waitFor();
  await ends(page);
});

test("2: what is wrong is in sight and focused, and leads to its field", { skip }, async () => {
  const { page } = await at("connections/new?type=webhook");
  await page.getByLabel("Name", { exact: true }).fill("A");
  await page.getByLabel("URL", { exact: true }).fill("http://10.0.0.1/");
  await page.getByText("Method, body and retries").click();
  await page.getByLabel("Timeout").fill("99");
  await page.getByRole("button", { name: "Create connection" }).click();
  const summary = page.locator("[role=alert]");
  await summary.waitFor();
  assert.ok(await summary.evaluate((one) => one === document.activeElement && scrollY === 0));
  await summary.getByRole("link", { name: "Timeout" }).click();
  assert.equal(await page.evaluate(() => document.activeElement.id), "timeout_seconds");
  await page.close();
});

test("3: the overview says which connection fails since when, and which one has no rules", { skip }, async () => {
  const failing = await to("failing", answer(500));
  await settled(tenant, (await emit(tenant, failing.event)).id, ["retrying"]);
  const bare = await to("bare", answer(204));
  ok(await tenant.api.delete(`/rules/${bare.rule.id}`));
  const { page } = await at("dashboard");
  const notice = (name) => page.locator(".notice", { hasText: name });
  await notice(failing.connection.name).getByText(/Failing since \d{4}-/).waitFor();
  await notice(bare.connection.name).getByText("nothing is sent to this connection").waitFor();
  const row = (name) => page.locator("#last-day tr", { hasText: name });
  await row(failing.connection.name).locator(".badge", { hasText: "Failing" }).waitFor();
  await row(bare.connection.name).locator(".badge", { hasText: "No rules" }).waitFor();
  await row(bare.connection.name).getByRole("img", { name: "Nothing was sent in the last 24 hours" }).waitFor();
  assert.equal(await page.getByText("All connections are working").count(), 0);
  await ends(page);
});

test("5: the clock ticks, what was done is said once, and copying does not stop the news", { skip }, async () => {
  const { event, rule } = await to("clock", answer(500));
  const { id } = await emit(tenant, event);
  const { page, home } = await at(`events/${id}?done=retried`);
  await page.locator(".done").waitFor();
  assert.equal(new URL(page.url()).search, "");
  await page.locator("#event-id + .copy").focus();
  await page.locator("#deliveries li[data-state=failed]").nth(1).waitFor();
  assert.ok(await page.locator("#event-id + .copy").evaluate((one) => one === document.activeElement));
  const next = page.locator("li[data-state=next] time");
  await next.waitFor();
  const shown = page.locator("#pane time:not(.exact)").first();
  const before = await shown.innerText();
  await page.waitForFunction(([selector, text]) => document.querySelector(selector).innerText !== text, ["#pane time:not(.exact)", before]);
  assert.match(await next.innerText(), /^in /);
  await page.goto(`${home}/events/${id}/rules/${rule.id}/attempts/1`);
  await page.getByRole("heading", { name: /^Attempt 1/ }).waitFor();
  await ends(page);
});

test("8: a session opens where its path says", { skip }, async () => {
  const { event } = await to("deep", answer(204));
  const { id } = await emit(tenant, event);
  const { session_id, launch_url } = ok(await tenant.api.post("/sessions", {
    workspace_id: tenant.workspace.id, role: "admin", path: `/events/${id}?x=1`,
  }));
  const page = await browser.newPage();
  await page.goto(launch_url);
  await page.getByRole("heading", { level: 1, name: event }).waitFor();
  assert.ok(page.url().includes(`${session_id}/events/${id}`), page.url());
  await page.close();
});

test("9: an arrow key in a choice goes nowhere, and what was typed stays", { skip }, async () => {
  const { connection } = await to("arrow", answer(204));
  await tenant.api.put("/event-types/arrow.one", { label: "One", example: '{"one":1}' });
  await tenant.api.put("/event-types/arrow.two", { label: "Two", example: '{"two":2}' });
  const { page } = await at(`connections/${connection.id}/test?event=arrow.one`);
  await page.getByLabel("Payload").fill('{"typed":true}');
  await page.getByLabel("Event").focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowUp"]) await page.keyboard.press(key);
  await page.getByLabel("Event").selectOption("arrow.two");
  await page.waitForTimeout(500);
  assert.ok(page.url().endsWith("test?event=arrow.one"), page.url());
  assert.equal(await page.getByLabel("Payload").inputValue(), '{"typed":true}');
  await page.getByRole("button", { name: "Use its example" }).click();
  await page.getByLabel("Payload").filter({ hasText: '"two"' }).waitFor();
  await ends(page);
});

test("10: a filter is built and tried without JSON; an unknown name and a double are told", { skip }, async () => {
  const { connection, event } = await to("rules", answer(204));
  const { id } = await emit(tenant, event, '{"order":{"total":150}}');
  const { page } = await at(`rules?connection=${connection.id}`);
  await page.getByLabel("Event", { exact: true }).fill(event);
  await page.getByText("Filter by payload").click();
  const first = page.locator(".condition").first();
  await first.locator("input").first().fill("order.total");
  await first.locator("select").selectOption("gt");
  await first.locator("input").last().fill("100");
  await page.getByRole("button", { name: "Try it on the last events" }).click();
  await page.getByText("1 of 1 would be sent:").waitFor();
  assert.ok((await page.locator(`a[href*="${id}"]`).count()) > 0);
  await page.locator(".condition").first().locator("input").first().fill("");
  await page.locator(".condition").first().locator("input").last().fill("");
  await page.getByRole("button", { name: "Add rule" }).last().click();
  await page.locator("[role=alert]").waitFor();
  await page.getByLabel("Event", { exact: true }).fill("no.such.event");
  await page.getByRole("button", { name: "Add rule" }).last().click();
  await page.locator(".done", { hasText: "check the spelling" }).waitFor();
  await page.close();
});
