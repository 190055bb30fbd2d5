// The pages of the embed in every state in which customers meet them: [name, path, what to do there].

const press = (name) => async (page) => {
  await page.getByRole("button", { name, exact: true }).click();
  await page.waitForLoadState();
};

const unfold = (page) => page.evaluate(() => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});

async function fillNewConnection(page) {
  await page.getByLabel("URL").fill("http://10.0.0.1/");
  await page.getByLabel("Scheme").selectOption("body");
  await page.getByText("Method, body and retries").click();
  await page.getByLabel("Timeout").fill("70");
  await page.getByLabel("Retries").fill("5s, soon");
}

async function tryFilter(page) {
  await unfold(page);
  await page.getByLabel("Path in the payload").first().fill("total_cents");
  await page.getByLabel("Comparison").first().selectOption("gt");
  await page.getByLabel("Value", { exact: true }).first().fill("5000");
  await press("Try it on the last events")(page);
}

/** Name, path and what to do there, of every page that an admin can see. */
export function adminPages({ connections, events, rule, replay, chat, people }) {
  const [erp, audit, failing, paused, gone] = ["erp", "audit", "failing", "paused", "gone"]
    .map((name) => `connections/${connections[name].id}`);
  const attempt = `events/${events.retrying}/rules/${connections.failing.rules[0].id}/attempts/1`;
  return [
    ["dashboard", "dashboard"],
    ["connections", "connections"],
    ["connection", erp],
    ["connection-failing", failing],
    ["connection-paused", paused],
    ["connection-gone", gone],
    ["connection-new", "connections/new"],
    ["connection-new-webhook", "connections/new?type=webhook"],
    ["connection-new-wrong", "connections/new?type=webhook", async (page) => {
      await fillNewConnection(page);
      await press("Create connection")(page);
    }],
    ["connection-new-slack", "connections/new?type=slack"],
    ["connection-edit", `${erp}/edit`, unfold],
    ["connection-rotate", `${audit}/secret`],
    ["connection-resume-question", `${paused}/activate`],
    ["connection-delete-question", `${failing}/delete`],
    ["connection-rotated", `${erp}/secret`, press("Rotate secret")],
    ["verification", `${erp}/verification`],
    ["test-event", `${erp}/test?event=order.completed`],
    ["test-event-wrong", `${erp}/test?event=order.completed`, async (page) => {
      await page.getByLabel("Payload").fill("[1, 2");
      await press("Send test event")(page);
    }],
    ["changes", "changes"],
    ["event-types", "event-types"],
    ["event-type", "event-types?key=order.completed"],
    ["rules", "rules"],
    ["rule-edit", `rules/${rule.id}`, unfold],
    ["rule-tried", `rules/${rule.id}`, tryFilter],
    ["rule-double", "rules", async (page) => {
      await page.getByLabel("Connection").selectOption(connections.erp.id);
      await page.getByLabel("Event", { exact: true }).fill("order.completed");
      await press("Add rule")(page);
    }],
    ["rule-preview", `rules?connection=${chat}`, async (page) => {
      await page.getByLabel("Event", { exact: true }).fill("order.completed");
      await page.getByLabel("Message").fill("Order {{order_id}} of {{customer.name}}");
      await press("Preview")(page);
    }],
    ["mapping", `connections/${people}/mapping`],
    ["mapping-wrong", `connections/${people}/mapping`, async (page) => {
      await page.getByLabel("Path or value").first().fill("user..email");
      await press("Save")(page);
    }],
    ["rule-wrong", "rules", async (page) => {
      await page.getByLabel("Event", { exact: true }).fill("no name ");
      await unfold(page);
      await page.getByLabel("Write it as JSON").fill('{"path": "order..total", "gt": 100}');
      await press("Add rule")(page);
    }],
    ["events", "events"],
    ["events-nothing-found", "events?event=no.such.event&status=failed"],
    ["events-no-such-id", "events?q=12345"],
    ["event-delivered", `events/${events.test}?done=test-sent`],
    ["event-retrying", `events/${events.retrying}`],
    ["event-failed", `events/${events.failed}`],
    ["event-held", `events/${events.held}`],
    ["event-gone", `events/${events.paid}`],
    ["event-unrouted", `events/${events.unrouted}`],
    ["attempt", attempt, unfold],
    ["failed", "failed"],
    ["failed-many", "failed", unfold],
    ["failed-of-one", `failed?connection=${connections.finance.id}&done=retried`],
    ["replay-preview", "replays/new", press("Count")],
    ["replay-wrong", "replays/new", async (page) => {
      await page.getByLabel("Event").fill("no name");
      await page.getByLabel("Accepted until").fill("2026-01-31T08:00");
      await press("Count")(page);
    }],
    ["replay-nothing", "replays/new", async (page) => {
      await page.getByLabel("Event").fill("stock.low");
      await press("Count")(page);
    }],
    ["replays", "replays"],
    ["replay-done", `replays/${replay}`],
    ["not-found", "events/00000000-0000-7000-8000-000000000000"],
    ["closed", "connections", async (page) => {
      await page.context().clearCookies();
      await page.reload();
    }],
  ];
}

/** What differs for somebody who may only look and try. */
export function memberPages({ connections, events }) {
  return [
    ["member-connection", `connections/${connections.paused.id}`],
    ["member-event", `events/${events.retrying}`],
    ["member-rules", "rules"],
    ["member-forbidden", "connections/new"],
  ];
}

/** Pages of a workspace in which nothing was done yet. */
export const EMPTY_PAGES = [
  ["empty-dashboard", "dashboard"],
  ["empty-connections", "connections"],
  ["empty-rules", "rules"],
  ["empty-events", "events"],
  ["empty-failed", "failed"],
  ["empty-replays", "replays"],
  ["empty-changes", "changes"],
];

/** Those of the admin's pages that are shown in German, too: what is done there has no words. */
export const inGerman = (pages) => pages.filter(([, , act]) => !act || act === unfold);
