// What receivers answer, on raw sockets: every status against every way in which a body can be framed, encoded, cut off
// or late. The status decides; only a status that does not come in time is a timeout.
import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { HOST } from "../../tools/lib/ports.mjs";
import { connect, emit, newTenant, openWorld, settled } from "./lib/world.mjs";

const STATUSES = [200, 201, 202, 204, 299, 404, 503];
const OUTCOMES = { 404: "rejected_client_error", 503: "rejected_server_error" };
const zipped = gzipSync("thank you");

/** How the rest of an answer goes, after its status line; `close` and `reset` end the connection before that is right. */
const BODIES = {
  "nothing at all": { head: "content-length: 0" },
  "a told length": { head: "content-length: 2", body: "ok" },
  "chunks": { head: "transfer-encoding: chunked", body: "2\r\nok\r\n0\r\n\r\n" },
  "until the connection closes": { head: "connection: close", body: "ok", close: true },
  "gzip": { head: `content-encoding: gzip\r\ncontent-length: ${zipped.length}`, body: zipped },
  "gzip of no byte": { head: "content-encoding: gzip\r\ncontent-length: 0" },
  "gzip that is none": { head: "content-encoding: gzip\r\ncontent-length: 9", body: "thank you" },
  "gzip that is cut": { head: `content-encoding: gzip\r\ncontent-length: ${zipped.length - 9}`, body: zipped.subarray(0, -9) },
  "an encoding of no name": { head: "content-encoding: x-own\r\ncontent-length: 2", body: "ok" },
  "less than the told length, then a close": { head: "content-length: 10", body: "half", close: true },
  "less than the told length, then a reset": { head: "content-length: 10", body: "half", reset: true },
  "a chunk that is cut off": { head: "transfer-encoding: chunked", body: "ff\r\nhalf", close: true },
  "a chunk of no length": { head: "transfer-encoding: chunked", body: "zz\r\nok\r\n", close: true },
  "a body that never comes": { head: "content-length: 10" },
};
/** What 204 has no room for: with it these are no HTTP. */
const BODILESS = ["nothing at all"];
/** Answers without a status in time. */
const NO_STATUS = {
  "no answer": { raw: null, outcome: "timeout" },
  "half a status line": { raw: "HTTP/1.1 20", outcome: "timeout" },
  "headers without an end": { raw: "HTTP/1.1 200 OK\r\nx-a: b\r\n", outcome: "timeout" },
  "a close instead of an answer": { raw: "", close: true, outcome: "network_error" },
  "something that is not HTTP": { raw: "SSH-2.0-OpenSSH_9.6\r\n", close: true, outcome: "network_error" },
};

let world, tenant, server;
const answers = new Map();

before(async () => {
  server = createServer((socket) => {
    let [text, answered] = ["", 0];
    socket.on("error", () => {}).on("data", (data) => {
      text += data.toString("latin1");
      // A connection can be used again for the next request.
      const paths = [...text.matchAll(/POST (\S+) HTTP\/1\.1\r\n/g)].map(([, path]) => path);
      if (paths.length === answered || !text.endsWith("}")) return;
      answered = paths.length;
      const { raw, close, reset } = answers.get(paths.at(-1));
      if (raw !== null) socket.write(raw);
      if (reset) setTimeout(() => socket.resetAndDestroy(), 50);
      else if (close) socket.end();
    });
  });
  await new Promise((ready) => server.listen(0, HOST, ready));
  world = await openWorld();
  tenant = await newTenant(world);
});
after(async () => {
  await world?.close();
  server?.close();
});

async function attempted(path, raw) {
  answers.set(path, raw);
  const url = `http://${HOST}:${server.address().port}${path}`;
  const to = await connect(tenant, { url, metadata: { timeout_seconds: 1, retry_schedule_seconds: [86_400] } });
  const { id } = await emit(tenant, to.event);
  await settled(tenant, id, ["completed", "retrying"], 30_000);
  const { body } = await tenant.api.get(`/events/${id}/rules/${to.rule.id}/attempts`);
  return body.records[0];
}

test("the status decides, whatever becomes of the body", async (t) => {
  const rows = STATUSES.flatMap((status) => Object.entries(BODIES)
    .filter(([name]) => status !== 204 || BODILESS.includes(name))
    .map(([name, { head, body = "", ...end }]) => ({ status, name, head, body, ...end })));
  assert.ok(rows.length >= 60, `${rows.length} rows`);
  const wrong = [];
  for (let from = 0; from < rows.length; from += 5) {
    await Promise.all(rows.slice(from, from + 5).map(async ({ status, name, head, body, ...end }, index) => {
      const lines = Buffer.from(`HTTP/1.1 ${status} Told\r\n${head}\r\n\r\n`);
      const raw = Buffer.concat([lines, Buffer.from(body)]);
      const attempt = await attempted(`/row/${from + index}`, { raw, ...end });
      const expected = OUTCOMES[status] ?? "delivered";
      if (attempt.outcome !== expected || attempt.status_code !== status) {
        wrong.push(`${status}, ${name}: ${attempt.outcome}, ${attempt.error}`);
      }
    }));
  }
  t.diagnostic(`${rows.length} rows`);
  assert.deepEqual(wrong, []);
});

test("without a status the deadline and the connection decide", async () => {
  for (const [name, { outcome, ...raw }] of Object.entries(NO_STATUS)) {
    const attempt = await attempted(`/none/${Object.keys(NO_STATUS).indexOf(name)}`, raw);
    assert.equal(attempt.outcome, outcome, `${name}: ${attempt.error}`);
    assert.ok(!("status_code" in attempt), name);
    assert.doesNotMatch(attempt.error, /reference|internal error/, name);
  }
});
