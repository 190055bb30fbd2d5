// What a customer does on the embed's pages, from an empty workspace to a deleted connection. It is
// told once and played twice: in a product's page, and by somebody whose browser runs no scripts.
import assert from "node:assert/strict";
import { openCustomer } from "./customer.mjs";

/** The chapters, in order; each goes on where the one before it ended. */
export const CHAPTERS = [
  beginsWithThreeSteps,
  addsAConnection,
  readsVerificationCode,
  sendsATestEvent,
  findsItInTheHistory,
  rotatesTheSecret,
  changesTheUrl,
  pausesAndResumes,
  addsAnAuditLog,
  retriesByHand,
  changesARule,
  choosesColours,
  deletesTheConnection,
];

/**
 * Plays the story. `scene` has
 * - `embed`: where the pages are, with Playwright's locators
 * - `hand`: the mouse: `go` presses what leads to another page, `press` what does not, `check` a box
 * - `appears(locator)`: waits for what is to appear by itself, or reloads where nothing does
 * - `reload()`: loads the page again
 * - `scripts`: whether the pages run theirs
 * - `order()`: has the product emit an order; answers {order, event}
 * - `receiver`: the customer's server
 */
export async function play(scene) {
  const began = Date.now();
  scene.orders = openCustomer(scene.receiver, `/orders-${began}`);
  scene.log = (what, sinceMs = began) => console.log(`  ${seconds(sinceMs)}  ${what}`);
  for (const chapter of CHAPTERS) {
    const chapterBegan = Date.now();
    await chapter(scene).catch(async (error) => {
      const shown = await scene.embed.locator("body").innerText({ timeout: 2_000 }).catch(() => "nothing");
      throw new Error(`${words(chapter.name)}: ${error.message}\nThe page then:\n${shown}`, { cause: error });
    });
    scene.log(`${words(chapter.name)} (${seconds(chapterBegan).trim()})`);
  }
}

const seconds = (sinceMs) => `${((Date.now() - sinceMs) / 1000).toFixed(2)} s`.padStart(8);
const words = (name) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const heading = (embed, name) => embed.getByRole("heading", { level: 1, name }).waitFor();
const follow = ({ embed, hand }, name) => hand.go(embed.getByRole("link", { name, exact: true }).first());
const press = ({ embed, hand }, name) => hand.go(embed.getByRole("button", { name, exact: true }));
const unfold = ({ embed, hand }, name) => hand.press(embed.locator("summary", { hasText: name }));
const says = (embed, text) => embed.getByRole("status").filter({ hasText: text }).waitFor();
const rows = (embed) => embed.locator("#events tbody tr");

async function toConnection(scene, name) {
  const { embed, hand } = scene;
  await follow(scene, "Connections");
  await hand.go(embed.locator("a.row", { hasText: name }));
  await heading(embed, name);
}

async function toEvent(scene, id) {
  const { embed, hand } = scene;
  await follow(scene, "Events");
  await hand.go(embed.locator(`#events a[href$="${id}"]`));
  await embed.locator("code#event-id", { hasText: id }).waitFor();
}

/** The delivery of the event that is shown to the connection with this name. */
const delivery = (embed, name) => embed.locator(`article.delivery:has(h3 a:text-is("${name}"))`);

/** An order that the customer gets, and that one of his secrets verifies. */
async function orderArrives(scene, customer = scene.orders) {
  const count = customer.seen().length + 1;
  const placed = await scene.order();
  const seen = await customer.arrived(count);
  assert.equal(seen.headers["posthorn-event-id"], placed.event);
  assert.notDeepEqual(seen.verifiedBy, [], "the customer's library verifies the request");
  assert.equal(JSON.parse(seen.body).order_id, placed.order);
  return { ...placed, seen };
}

async function beginsWithThreeSteps(scene) {
  const { embed, hand } = scene;
  await embed.getByRole("heading", { name: "Get your first webhook in three steps" }).waitFor();
  assert.equal(await embed.locator("ol.steps > li").count(), 3);
  await follow(scene, "New connection");
  await heading(embed, "New connection");
  await hand.go(embed.getByRole("link", { name: /^Webhook/ }));
}

async function addsAConnection(scene) {
  const { embed, hand, orders } = scene;
  await embed.getByLabel("URL").fill(orders.url);
  await embed.getByLabel("Name", { exact: true }).fill("Orders");
  await hand.check(embed.getByLabel("Order completed"));
  await hand.check(embed.getByLabel("Order refunded"));
  assert.ok(await embed.getByLabel("Generate one for me").isChecked());
  await press(scene, "Create connection");
  await heading(embed, "Connection created");
  scene.secret = await readSecret(scene, orders);
}

/** Copies the secret that is shown this once; loaded again the page does not have it. */
async function readSecret({ embed, reload }, customer) {
  const secret = await embed.locator("pre#secret").innerText();
  assert.match(secret, /^whsec_[A-Za-z0-9+/]{32,}=*$/);
  customer.trust(secret);
  await reload();
  await embed.getByRole("heading", { name: "Secrets in use" }).or(embed.getByRole("heading", { name: "Deliveries" }))
    .first().waitFor();
  assert.ok(!(await embed.locator("html").innerHTML()).includes(secret), "the secret is gone when loaded again");
  return secret;
}

async function readsVerificationCode(scene) {
  const { embed, hand, scripts, secret } = scene;
  await follow(scene, "Verification code");
  await heading(embed, "Verification code");
  for (const [language, sign] of [["Python", "import hmac"], ["Go", "package"], ["Node.js", "node:crypto"]]) {
    await follow(scene, language);
    await embed.locator("nav.tabs a[aria-current]", { hasText: language }).waitFor();
    const code = await embed.locator("pre#code").innerText();
    assert.ok(code.includes(sign), `${language}: ${code.slice(0, 200)}`);
    assert.ok(!code.includes(secret));
  }
  const copy = embed.locator("button[data-copy=code]");
  assert.equal(await copy.isVisible(), scripts, "what needs a script is there only with it");
  if (!scripts) return;
  await hand.press(copy);
  await copy.filter({ hasText: "✓" }).waitFor();
}

async function sendsATestEvent(scene) {
  const { embed, orders } = scene;
  await toConnection(scene, "Orders");
  await follow(scene, "Send test event");
  for (const [key, field] of [["order.refunded", /"refund_id"/], ["order.completed", /"items"/]]) {
    await embed.getByLabel("Event").selectOption(key);
    await press(scene, "Use its example");
    await embed.getByLabel("Payload").filter({ hasText: field }).waitFor();
  }
  const example = await embed.getByLabel("Payload").inputValue();
  const edited = example.replace("12900", "1.290e4").replace('"eur"', '"Ω & <b>"');
  assert.notEqual(edited, example);
  await embed.getByLabel("Payload").fill(edited);
  const answerIt = orders.hold();
  const pressedAt = Date.now();
  await press(scene, "Send test event");
  await says(embed, "Test event sent.");
  const shown = delivery(embed, "Orders");
  await shown.getByText("No attempt yet").waitFor();
  scene.log("the page of the event is there", pressedAt);
  const mark = await scene.mark();
  const seen = await orders.arrived(1);
  assert.deepEqual(seen.verifiedBy, [scene.secret]);
  assert.equal(seen.body.toString(), edited, "what was typed is what is sent");
  assert.equal(seen.headers["posthorn-test"], "true");
  const answeredAt = Date.now();
  answerIt();
  await scene.appears(shown.getByRole("link", { name: "Attempt 1" }));
  scene.log("the attempt is on the page, from the customer's answer on", answeredAt);
  await scene.unmoved(mark);
  await showsTheAttempt(embed.locator("#pane"), seen);
  scene.tested = seen;
}

/** The request as it was sent with its signature, the answer, the timing. */
async function showsTheAttempt(pane, { headers }) {
  await pane.locator(".outcome").getByText(/\b\d+ ms\b|\b\d+(\.\d+)? s\b/).first().waitFor();
  assert.match(await pane.locator(".outcome").innerText(), /Delivered\s+200/);
  const sent = await pane.locator("#sent-1").textContent();
  for (const name of ["webhook-id", "webhook-timestamp", "webhook-signature"]) {
    assert.ok(sent.includes(`${name}: ${headers[name]}\n`), sent);
  }
  await pane.getByRole("heading", { name: "Response 200" }).waitFor();
  assert.equal(await pane.locator("pre#answer-body-1").innerText(), "thank you");
}

async function findsItInTheHistory(scene) {
  const { embed, tested } = scene;
  const { order, event, seen } = await orderArrives(scene);
  const show = async (fill) => {
    await follow(scene, "Events");
    await heading(embed, "Events");
    await fill();
    await press(scene, "Show");
  };
  await show(() => embed.getByLabel("Event", { exact: true }).fill("order.completed"));
  await scene.appears(rows(embed).nth(1));
  assert.equal(await rows(embed).count(), 2);
  assert.equal(await rows(embed).getByText("Test", { exact: true }).count(), 1);
  await show(() => embed.getByLabel("Event", { exact: true }).fill("order.refunded"));
  await embed.getByText("No event on this page matches.").waitFor();
  await show(() => embed.getByLabel("Status").selectOption({ label: "Delivered" }));
  await scene.appears(rows(embed).nth(1));
  assert.equal(await rows(embed).count(), 2);
  await show(() => embed.getByLabel("Status").selectOption({ label: "Failed" }));
  await embed.getByText("No event on this page matches.").waitFor();
  await show(async () => {
    await unfold(scene, "More filters and export");
    await embed.getByLabel("Resource id").fill(order);
  });
  await rows(embed).getByText(order).waitFor();
  assert.equal(await rows(embed).count(), 1);
  const found = (id) => embed.locator("code#event-id", { hasText: id }).waitFor();
  await show(() => embed.getByLabel("Find by id").fill(event));
  await found(event);
  await show(() => embed.getByLabel("Find by id").fill(seen.headers["webhook-id"]));
  await found(event);
  await show(() => embed.getByLabel("Find by id").fill(tested.headers["webhook-id"]));
  await found(tested.headers["posthorn-event-id"]);
}

async function rotatesTheSecret(scene) {
  const { embed, orders, secret } = scene;
  await toConnection(scene, "Orders");
  await follow(scene, "Rotate secret");
  await heading(embed, "Rotate secret");
  await press(scene, "Rotate secret");
  await heading(embed, "Secret rotated");
  const next = await readSecret(scene, orders);
  assert.notEqual(next, secret);
  const { seen } = await orderArrives(scene);
  assert.deepEqual(seen.verifiedBy, [secret, next], "both secrets sign while they overlap");
  await toConnection(scene, "Orders");
  await follow(scene, "Stop using old secrets");
  await heading(embed, "Stop using the old secrets now?");
  await press(scene, "Stop using the old secrets");
  await says(embed, "The old secrets are not used any more.");
  assert.deepEqual((await orderArrives(scene)).seen.verifiedBy, [next]);
}

async function changesTheUrl(scene) {
  const { embed, orders } = scene;
  const moved = openCustomer(scene.receiver, `${orders.path}-moved`);
  orders.secrets.forEach(moved.trust);
  await toConnection(scene, "Orders");
  await follow(scene, "Edit");
  await heading(embed, "Edit connection");
  await embed.getByLabel("URL").fill(moved.url);
  await press(scene, "Save");
  await says(embed, "Saved.");
  const before = orders.seen().length;
  await orderArrives(scene, moved);
  assert.equal(orders.seen().length, before, "nothing goes to the former URL");
  scene.orders = moved;
}

async function pausesAndResumes(scene) {
  const { embed, orders } = scene;
  await toConnection(scene, "Orders");
  await press(scene, "Pause");
  await says(embed, "Paused. New events are held until you resume.");
  const before = orders.seen().length;
  const { event } = await scene.order();
  await scene.appears(embed.locator(`#deliveries tr:has(a[href$="${event}"]) .badge`, { hasText: "Held" }));
  assert.equal(orders.seen().length, before, "nothing is sent while it is paused");
  await press(scene, "Resume");
  await says(embed, "Resumed. Held deliveries are sent now, oldest first.");
  const seen = await orders.arrived(before + 1);
  assert.equal(seen.headers["posthorn-event-id"], event);
  await scene.appears(embed.locator(`#deliveries tr:has(a[href$="${event}"]) .badge`, { hasText: "Delivered" }));
}

async function addsAnAuditLog(scene) {
  const { embed, hand, orders } = scene;
  scene.audit = openCustomer(scene.receiver, `${orders.path}-audit`);
  await follow(scene, "Connections");
  await follow(scene, "New connection");
  await hand.go(embed.getByRole("link", { name: /^Webhook/ }));
  await embed.getByLabel("URL").fill(scene.audit.url);
  await embed.getByLabel("Name", { exact: true }).fill("Audit log");
  await hand.check(embed.getByLabel("Order completed"));
  await unfold(scene, "Method, body and retries");
  await embed.getByLabel("Retries").fill("1h, 2h");
  await press(scene, "Create connection");
  await heading(embed, "Connection created");
  await readSecret(scene, scene.audit);
  const both = [orders.seen().length, scene.audit.seen().length];
  const { event } = await orderArrives(scene, scene.audit);
  await orders.arrived(both[0] + 1);
  await toEvent(scene, event);
  for (const name of ["Orders", "Audit log"]) {
    await scene.appears(delivery(embed, name).locator("h3 .badge", { hasText: "Delivered" }));
  }
}

async function retriesByHand(scene) {
  const { embed, hand, audit } = scene;
  Object.assign(audit, { status: 503, body: "we are moving house" });
  const { event } = await orderArrives(scene, audit);
  await toEvent(scene, event);
  const shown = delivery(embed, "Audit log");
  await scene.appears(shown.locator("h3 .badge", { hasText: "Retrying" }));
  await shown.getByText(/Next attempt in (1 h|59 min)/).waitFor();
  assert.equal(await embed.locator("#pane pre#answer-body-1").innerText(), "we are moving house");
  await embed.locator("#pane .diagnosis", { hasText: "Look in its log" }).waitFor();
  Object.assign(audit, { status: 204, body: undefined });
  const count = audit.seen().length;
  await hand.go(shown.getByRole("button", { name: "Retry now" }));
  await scene.appears(shown.locator("h3 .badge", { hasText: "Delivered" }));
  // What is delivered is folded when the page is loaded anew.
  const folded = shown.locator("> details:not([open]) > summary");
  if (await folded.count()) await folded.click();
  await shown.getByText(/Attempt 2.*Delivered.*manual/s).waitFor();
  const again = await audit.arrived(count + 1);
  const first = audit.seen()[count - 1];
  assert.equal(again.headers["webhook-id"], first.headers["webhook-id"], "the message id stays the same");
  assert.deepEqual(again.body, first.body);
  assert.equal(again.headers["posthorn-attempt"], "2");
}

async function changesARule(scene) {
  const { embed, hand, audit, orders } = scene;
  const rule = () => embed.locator("div.row", { hasText: "to Audit log" });
  const edit = async (change) => {
    await follow(scene, "Rules");
    await hand.go(rule().getByRole("link", { name: "Edit" }));
    await heading(embed, "Edit rule");
    await change();
  };
  const saved = async () => {
    await press(scene, "Save");
    await says(embed, "Saved.");
  };
  const isNotSent = async (why) => {
    const [before, others] = [audit.seen().length, orders.seen().length];
    const { event } = await scene.order();
    await orders.arrived(others + 1);
    await toEvent(scene, event);
    await unfold(scene, "Rules that did not match this event");
    await embed.locator("li", { hasText: `Audit log: ${why}` }).waitFor();
    assert.equal(audit.seen().length, before);
  };
  await edit(async () => {
    await unfold(scene, "Limit to one resource");
    await embed.getByLabel("Resource id").fill("ord_none");
    await saved();
  });
  await rule().getByText("ord_none").waitFor();
  await isNotSent("the rule is for another resource id");
  await edit(async () => {
    await hand.check(embed.getByLabel("Pause this rule"));
    await saved();
  });
  await rule().getByText("Paused", { exact: true }).waitFor();
  await isNotSent("the rule is paused");
  await edit(async () => {
    await unfold(scene, "Delete this rule");
    await press(scene, "Delete this rule");
    await says(embed, "Deleted.");
  });
  assert.equal(await rule().count(), 0);
}

async function choosesColours(scene) {
  const { embed } = scene;
  const [before, after] = ["dark", "light"].map((theme) => embed.locator(`html[data-theme=${theme}]`));
  await press(scene, "Dark");
  await before.waitFor();
  await press(scene, "Light");
  await after.waitFor();
  await heading(embed, "Rules");
}

async function deletesTheConnection(scene) {
  const { embed } = scene;
  await toConnection(scene, "Audit log");
  await follow(scene, "Delete this connection");
  await heading(embed, "Delete this connection?");
  await press(scene, "Delete this connection");
  await says(embed, "Deleted.");
  assert.equal(await embed.locator("a.row", { hasText: "Audit log" }).count(), 0);
  assert.equal(await embed.locator("a.row", { hasText: "Orders" }).count(), 1);
}
