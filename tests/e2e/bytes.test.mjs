// Promise 2: the payload text that came in is what is stored, sent, shown and sent again. Buffers are
// compared, never parsed values.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mintToken } from "../../tools/lib/api.mjs";
import { answer } from "./lib/receiver.mjs";
import { connect, eventBody, made, newTenant, openWorld, settled } from "./lib/world.mjs";

// Raw characters are written as escapes here where an editor could change them; what is doubled
// ("\\u0000") goes out as a JSON escape.
const payloads = {
  "reordered keys": '{"z":1,"a":2,"m":{"y":1,"b":2}}',
  "numbers that no double keeps": '{"a":1.0,"b":1e400,"c":-1E-400,"d":12345678901234567890,"e":0.10,"f":-0,"g":1E+2}',
  "numbers spelled in other ways": '{"a":1.0,"b":0.10,"c":-0,"d":1E+2,"e":12345678901234567890}',
  "twenty digits and more": '{"n":[99999999999999999999,100000000000000000000000000000000000000000001]}',
  "duplicate keys": '{"a":1,"a":2,"b":{"c":1,"c":{}},"a":"last"}',
  escapes: '{"a":"\\u0041\\/\\b\\f\\n\\r\\t\\"\\\\","\\u0062":"\\u00e9 \\u2028 \\ud83d\\ude00"}',
  "a lone surrogate as an escape": '{"a":"\\ud800","b":"x\\udc00y","\\ud800":"\\uD800\\uD800"}',
  "a zero as an escape": '{"a":"\\u0000","\\u0000":"b\\u0000c"}',
  "odd white space": '{ \t\r\n"a" :\t[ 1 ,\r\n 2 ] , "b":{ } ,"c" : [\n]\n\n}',
  "raw UTF-8": '{"name":"Zo\u00eb \u2014 \u65e5\u672c \u{1f600}","e\u0301":"\u00e9 is not e\u0301","\u{10ffff}":"\u{10000}"}',
  "characters that line tools break at": '{"a":"\u2028\u2029\u0085\u00a0\ufeff\u200b\u202e\ufffd\uffff"}',
  "quotes and SQL": `{"a":"'; drop table events; --","b":"?1 :a @b $c","c":"\u007f"}`,
  "empty strings and keys": '{"":"","a":{"":{"":[]}}}',
  "literals": '{"a":true,"b":false,"c":null,"d":[null,[],{},""]}',
  "an empty object": "{}",
  "64 levels": `${'{"a":'.repeat(63)}{}${"}".repeat(63)}`,
  "999 bytes": sized(999),
  "400 bytes, which stand beside their event": sized(400),
  "1000 bytes, which stand apart": sized(1_000),
  "1000 bytes of fewer characters": sized(1_000, "\u65e5"),
  "1002 bytes of fewer characters": sized(1_002, "\u65e5"),
  "500 KB": sized(500_000),
  "the largest, 512 KiB": sized(512 * 1024, "\u{1f600}"),
};

/** An object of exactly so many bytes, with 1.0 at its end. */
function sized(bytes, filler = "x") {
  const [head, tail] = ['{"z":"', '","a":1.0}'];
  const room = bytes - head.length - tail.length;
  const many = Math.floor(room / Buffer.byteLength(filler));
  const text = head + filler.repeat(many) + "-".repeat(room - many * Buffer.byteLength(filler)) + tail;
  assert.equal(Buffer.byteLength(text), bytes);
  return text;
}

let world, tenant;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

/** Fails unless the event is shown with exactly this payload at its end, by both paths. */
async function assertShown(id, sent) {
  const tail = Buffer.concat([Buffer.from(',"payload":'), sent, Buffer.from("}")]);
  for (const path of [`/events/${id}`, `/events/${id}/payload`]) {
    assertSame((await fetched(path)).subarray(-tail.length), tail, `GET ${path}`);
  }
}

test("every payload arrives, is shown and is sent again byte for byte", async (t) => {
  const cases = await Promise.all(Object.entries(payloads).map(async ([name, text], index) => {
    const path = `/bytes/${index}`;
    // The first attempt fails, so that each is sent twice.
    world.receiver.on(path, answer(503), answer(204));
    const metadata = { retry_schedule_seconds: [1] };
    const to = await connect(tenant, { url: world.receiver.url(path), metadata });
    return { name, path, sent: Buffer.from(text), ...to };
  }));
  for (const one of cases) {
    one.id = made(await tenant.publisher.post("/events", eventBody(one.event, one.sent))).event.id;
  }
  for (const { name, path, sent, id } of cases) {
    await t.test(name, async () => {
      const [first, second] = await world.receiver.arrived(path, 2, 30_000);
      assertSame(first.body, sent, "first attempt");
      assertSame(second.body, sent, "retry");
      assert.deepEqual([first.headers["posthorn-attempt"], second.headers["posthorn-attempt"]], ["1", "2"]);
      await settled(tenant, id, ["completed"]);
      await assertShown(id, sent);
      assert.equal(world.receiver.at(path).length, 2);
    });
  }
});

test("white space around the payload is not part of it", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/bytes/around") });
  const body = Buffer.from(`\r\n { "payload" : \t{ "a" : 1.0 } \n , "event" : "${to.event}" } \n`);
  const { event } = made(await tenant.publisher.post("/events", body));
  const [request] = await world.receiver.arrived("/bytes/around");
  assertSame(request.body, Buffer.from('{ "a" : 1.0 }'), "delivery");
  await assertShown(event.id, request.body);
});

test("in bulk each payload stays as it is", async () => {
  const to = await connect(tenant, { url: world.receiver.url("/bytes/bulk") });
  const sent = Object.values(payloads).slice(0, 19);
  const items = sent.map((text) => `{"event":"${to.event}","payload": ${text} }`);
  const { records } = made(await tenant.publisher.post("/events/bulk", Buffer.from(`[${items.join(" ,\n")}]`)));
  const requests = await world.receiver.arrived("/bytes/bulk", sent.length);
  for (const [index, { id }] of records.entries()) {
    const request = requests.find(({ headers }) => headers["posthorn-event-id"] === id);
    assertSame(request.body, Buffer.from(sent[index]), Object.keys(payloads)[index]);
  }
});

test("what is no JSON, or not UTF-8, is refused and not repaired", async () => {
  for (const [name, payload] of Object.entries({
    "a byte that UTF-8 does not have": Buffer.from([0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d]),
    "a surrogate as raw bytes": Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]),
    "a raw line break in a string": Buffer.from('{"a":"\n"}'),
    "a raw zero in a string": Buffer.from('{"a":"\0"}'),
    "a comma too many": Buffer.from('{"a":1,}'),
    "a number with a leading zero": Buffer.from('{"a":01}'),
    "NaN": Buffer.from('{"a":NaN}'),
    "a comment": Buffer.from('{"a":1/* */}'),
    "an escape that JSON does not have": Buffer.from('{"a":"\\x41"}'),
    "half an escape": Buffer.from('{"a":"\\u12"}'),
  })) {
    const refused = await tenant.publisher.post("/events", eventBody("refused.bytes", payload));
    assert.equal(refused.status, 400, `${name}: ${refused.text}`);
  }
  const { records } = (await tenant.api.get("/events?limit=200")).body;
  assert.ok(records.every(({ event }) => event !== "refused.bytes"));
});

async function fetched(path) {
  const authorization = `Bearer ${mintToken(tenant.machine)}`;
  const answer = await fetch(`${world.baseUrl}/api/v1${path}`, { headers: { authorization } });
  assert.equal(answer.status, 200);
  assert.equal(answer.headers.get("content-type"), "application/json");
  return Buffer.from(await answer.arrayBuffer());
}

/** Says where two texts part, since half a megabyte of them says nothing. */
function assertSame(actual, expected, where) {
  if (actual.equals(expected)) return;
  let at = 0;
  while (at < expected.length && actual[at] === expected[at]) at += 1;
  const around = (bytes) => JSON.stringify(bytes.subarray(Math.max(0, at - 20), at + 20).toString("latin1"));
  assert.fail(`${where}: differs at byte ${at} of ${expected.length} (${actual.length} came): `
    + `${around(actual)} instead of ${around(expected)}`);
}
