// What a receiver does, and the attempt that is recorded of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { freePort, HOST } from "../../tools/lib/ports.mjs";
import { answer, endless, hang } from "./lib/receiver.mjs";
import { sleep, until } from "./lib/until.mjs";
import { attemptsOf, connect, emit, newTenant, ok, openWorld, secretWord, settled } from "./lib/world.mjs";

const EXCERPT_BYTES = 16 * 1024;

let world, tenant, paths = 0;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

/**
 * Emits one event to an endpoint that behaves so, and waits for the delivery to have one of these
 * statuses. Answers the delivery, its attempts and what the endpoint saw.
 */
async function deliver(behaviours, { metadata = {}, status = ["retrying"], url } = {}) {
  const path = `/outcome/${++paths}`;
  world.receiver.on(path, ...[behaviours].flat());
  const settings = { timeout_seconds: 1, retry_schedule_seconds: [3600], ...metadata };
  const to = await connect(tenant, { url: url ?? world.receiver.url(path), metadata: settings });
  const event = await emit(tenant, to.event);
  const found = await settled(tenant, event.id, status);
  assert.equal(found.rule_events.length, 1);
  const attempts = await attemptsOf(tenant, event.id, to.rule.id);
  return { ...to, id: event.id, found, delivery: found.rule_events[0], attempts, attempt: attempts[0], path };
}

test("2xx of every kind is success", async () => {
  await Promise.all([200, 201, 202, 204, 206, 299].map(async (status) => {
    const body = status === 204 ? undefined : `thanks ${status}`;
    const { found, delivery, attempts, attempt } = await deliver(answer(status, { body }), { status: ["completed"] });
    assert.equal(attempts.length, 1);
    assert.equal(attempt.outcome, "delivered");
    assert.equal(attempt.status_code, status);
    assert.equal(attempt.error, undefined);
    assert.equal(attempt.response.body, body ?? "");
    assert.equal(attempt.response.truncated, false);
    assert.deepEqual([found.status, delivery.attempt_count], ["completed", 1]);
    assert.equal(delivery.next_attempt_at, undefined);
    assert.equal(delivery.last_error, undefined);
    assert.ok(Date.parse(delivery.completed_at) >= Date.parse(delivery.started_at));
  }));
});

test("failures are recorded as what they are and tried again", async () => {
  await Promise.all([
    [500, "rejected_server_error"], [502, "rejected_server_error"], [503, "rejected_server_error"],
    [400, "rejected_client_error"], [404, "rejected_client_error"], [422, "rejected_client_error"],
    [401, "auth_failed"], [403, "auth_failed"], [429, "rate_limited"],
  ].map(async ([status, outcome]) => {
    const { found, delivery, attempts, attempt } = await deliver(answer(status, { body: `no: ${status}` }));
    assert.equal(attempts.length, 1);
    assert.equal(attempt.outcome, outcome);
    assert.equal(attempt.status_code, status);
    assert.equal(attempt.error, `Answered ${status}`);
    assert.equal(attempt.response.body, `no: ${status}`);
    assert.deepEqual([found.status, delivery.status, delivery.attempt_count], ["retrying", "retrying", 1]);
    assert.equal(delivery.last_error, `Answered ${status}`);
    assert.equal(delivery.completed_at, undefined);
    assertDueAfter(delivery, 3_600_000, 360_000);
  }));
});

test("a redirect is not followed", async () => {
  await Promise.all([301, 302, 303, 307, 308].map(async (status) => {
    const elsewhere = `/elsewhere/${status}`;
    const location = world.receiver.url(elsewhere);
    const { attempt, delivery, path } = await deliver(answer(status, { headers: { location } }));
    assert.equal(attempt.outcome, "redirect_refused");
    assert.equal(attempt.status_code, status);
    assert.deepEqual(headersNamed(attempt.response, "location"), [location]);
    assert.ok(delivery.last_error.includes(location), delivery.last_error);
    assert.equal(world.receiver.at(path).length, 1);
    assert.equal(world.receiver.at(elsewhere).length, 0);
  }));
});

test("an endpoint that hangs is given up at its timeout", async () => {
  const { attempt, attempts, delivery } = await deliver(hang());
  assert.equal(attempts.length, 1);
  assert.equal(attempt.outcome, "timeout");
  assert.equal(attempt.status_code, undefined);
  assert.match(attempt.error, /^Timed out before the answer: nothing came within \d+ ms$/);
  assert.ok(attempt.duration_ms >= 1_000, `${attempt.duration_ms} ms`);
  assert.ok(!("status_code" in attempt.response));
  assert.equal(delivery.attempt_count, 1);
});

test("an endless body, sent fast, is success with the first 16 KiB kept", async () => {
  const { attempt, path } = await deliver(endless(), { status: ["completed"] });
  assert.equal(attempt.outcome, "delivered");
  assert.equal(attempt.status_code, 200);
  assert.equal(attempt.response.truncated, true);
  assert.equal(attempt.response.body, "x".repeat(EXCERPT_BYTES));
  const [request] = world.receiver.at(path);
  await until("the endless answer is cut off", () => request.closed === true || "it goes on");
});

const LATE = /^Answered 200; its body could not be read: timed out in its body, which was not complete within \d+ ms$/;

test("a body that trickles for ever after a 200 is noted, and what came is kept", async () => {
  const { attempt, delivery, path } = await deliver(endless({ chunk: "drip ", everyMs: 100 }), { status: ["completed"] });
  assert.equal(attempt.outcome, "delivered");
  assert.equal(attempt.status_code, 200);
  assert.match(attempt.error, LATE);
  assert.ok(!("last_error" in delivery));
  assert.match(attempt.response.body, /^(drip )+$/);
  assert.equal(attempt.response.truncated, false);
  const [request] = world.receiver.at(path);
  await until("the trickle is cut off", () => request.closed === true || "it goes on");
});

test("a body of exactly 16 KiB is whole, one byte more is truncated", async () => {
  for (const [bytes, truncated] of [[EXCERPT_BYTES, false], [EXCERPT_BYTES + 1, true]]) {
    const { attempt } = await deliver(answer(200, { body: "y".repeat(bytes) }), { status: ["completed"] });
    assert.equal(attempt.response.truncated, truncated);
    assert.equal(attempt.response.body, "y".repeat(EXCERPT_BYTES));
  }
});

test("a compressed body is kept up to 16 KiB of what it unfolds to", async () => {
  // 10 MB of one letter are less than 16 KiB when compressed.
  for (const [text, truncated] of [["short", false], ["z".repeat(10_000_000), true]]) {
    const body = gzipSync(text);
    assert.ok(body.length < EXCERPT_BYTES, `${body.length} bytes`);
    const headers = { "content-encoding": "gzip", "content-length": body.length };
    const { attempt } = await deliver(answer(200, { body, headers }), { status: ["completed"] });
    assert.equal(attempt.response.truncated, truncated);
    assert.equal(attempt.response.body, text.slice(0, EXCERPT_BYTES));
  }
});

test("a short body that stops before its told length is noted", async () => {
  const halt = (_, response) => response.writeHead(200, { "content-length": 10 }).write("half");
  const { attempt } = await deliver(halt, { status: ["completed"] });
  assert.equal(attempt.outcome, "delivered");
  assert.equal(attempt.status_code, 200);
  assert.match(attempt.error, LATE);
});

test("a slow answer in time is success", async () => {
  const metadata = { timeout_seconds: 5 };
  const { attempt, path } = await deliver(answer(200, { afterMs: 700 }), { metadata, status: ["completed"] });
  assert.equal(attempt.outcome, "delivered");
  assert.ok(attempt.duration_ms >= 700, `${attempt.duration_ms} ms`);
  await sleep(500);
  assert.equal(world.receiver.at(path).length, 1);
});

test("429 with Retry-After, in seconds and as a date, is heeded", async () => {
  const inTwoHours = new Date(Date.now() + 7_200_000).toUTCString();
  await Promise.all([["7200", 429], [inTwoHours, 429], ["7200", 503]].map(async ([value, status]) => {
    const behaviour = answer(status, { headers: { "retry-after": value } });
    const metadata = { retry_schedule_seconds: [60] };
    const { attempt, delivery } = await deliver(behaviour, { metadata });
    assert.equal(attempt.status_code, status);
    assert.deepEqual(headersNamed(attempt.response, "retry-after"), [value]);
    assertDueAfter(delivery, 7_195_000, 10_000);
  }));
});

test("410 makes the delivery failed at once, and the connection inactive", async () => {
  const { connection, found, delivery, attempts, attempt } = await deliver(answer(410), { status: ["failed"] });
  assert.equal(attempts.length, 1);
  assert.equal(attempt.outcome, "gone");
  assert.equal(attempt.status_code, 410);
  assert.deepEqual([found.status, delivery.attempt_count], ["failed", 1]);
  assert.equal(delivery.next_attempt_at, undefined);
  assert.ok(delivery.completed_at);
  const { active, inactive_detail } = ok(await tenant.api.get(`/connections/${connection.id}`));
  assert.deepEqual([active, inactive_detail], [false, "endpoint_gone"]);
});

test("a connection that is refused, or cut off, is a network error", async () => {
  const nobody = `http://${HOST}:${await freePort()}/nobody`;
  const cutOff = (_, response) => response.socket.destroy();
  for (const options of [{ url: nobody }, {}]) {
    const { attempt, attempts } = await deliver(cutOff, options);
    assert.equal(attempts.length, 1);
    assert.equal(attempt.outcome, "network_error");
    assert.equal(attempt.status_code, undefined);
    assert.ok(attempt.error.length > 10);
  }
});

test("attempts used up make the delivery failed, and every attempt is recorded", async () => {
  const metadata = { retry_schedule_seconds: [1, 1] };
  const script = [answer(500), hang(), answer(404)];
  const { found, delivery, attempts, path } = await deliver(script, { metadata, status: ["failed"] });
  assert.deepEqual(attempts.map(({ number }) => number), [1, 2, 3]);
  assert.deepEqual(attempts.map(({ outcome }) => outcome), ["rejected_server_error", "timeout", "rejected_client_error"]);
  assert.deepEqual([found.status, delivery.attempt_count], ["failed", 3]);
  assert.equal(delivery.last_error, "Answered 404");
  await sleep(1_500);
  assert.equal(world.receiver.at(path).length, 3);
});

test("failed twice, then delivered", async () => {
  const metadata = { retry_schedule_seconds: [1, 1, 1] };
  const script = [answer(500), answer(503), answer(200, { body: "at last" })];
  const { attempts, delivery } = await deliver(script, { metadata, status: ["completed"] });
  assert.deepEqual(attempts.map(({ status_code }) => status_code), [500, 503, 200]);
  assert.equal(attempts[2].response.body, "at last");
  assert.equal(delivery.attempt_count, 3);
  assert.equal(delivery.last_error, undefined);
});

test("a credential or a signing secret that comes back is masked", async () => {
  const [token, header, secret] = ["token", "header", "signing"].map(secretWord);
  const echo = ({ headers }) => JSON.stringify({ headers, secret });
  const metadata = {
    auth_scheme: "bearer", auth_token: token, signing_secret: secret,
    custom_headers: [{ name: "X-Team", value: header }],
  };
  const behaviour = answer(500, { headers: { "x-request-id": `Bearer ${token}`, server: header }, body: echo });
  const { attempt, path, id } = await deliver(behaviour, { metadata });
  const [request] = world.receiver.at(path);
  assert.equal(request.headers.authorization, `Bearer ${token}`);
  assert.equal(request.headers["x-team"], header);
  assert.ok(attempt.response.body.includes("***"));
  assert.ok(!headersNamed(attempt.response, "x-request-id")[0].includes(token));
  const everything = JSON.stringify([attempt, (await tenant.api.get(`/events/${id}`)).text, world.worker.lines]);
  for (const word of [token, header, secret]) assert.ok(!everything.includes(word), word);
});

test("a URL that was allowed when it was saved is checked again on every attempt", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/private") });
  await world.worker.stop();
  await world.restart({ ALLOW_PRIVATE_DESTINATIONS: "false" });
  const { id } = await emit(tenant, to.event);
  const { rule_events: [delivery] } = await settled(tenant, id, ["retrying"]);
  const [attempt] = await attemptsOf(tenant, id, to.rule.id);
  assert.equal(attempt.outcome, "url_refused");
  assert.equal(attempt.status_code, undefined);
  assert.equal(delivery.attempt_count, 1);
  assert.equal(world.receiver.at("/private").length, 0);
});

/** The next attempt is due that long after the first, or a little later. */
function assertDueAfter(delivery, ms, moreMs) {
  const waits = Date.parse(delivery.next_attempt_at) - Date.parse(delivery.started_at);
  assert.ok(waits >= ms && waits <= ms + moreMs + 5_000, `due after ${waits} ms`);
}

const headersNamed = ({ headers }, name) => headers.filter((header) => header.name === name).map(({ value }) => value);
