// Every scheme, algorithm and kind of secret, on the first attempt and on the retry, checked by the
// libraries that receivers use; and what else a request carries.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { after, before, suite, test } from "node:test";
import { verify as verifyGitHub } from "@octokit/webhooks-methods";
import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { answer } from "./lib/receiver.mjs";
import { attemptsOf, connect, emit, made, newTenant, openWorld, settled } from "./lib/world.mjs";

// The key bytes behind whsec_ are no UTF-8, so that taking them for text shows.
const WHSEC = `whsec_${Buffer.from(Array.from({ length: 32 }, (_, i) => 255 - 7 * i)).toString("base64")}`;
const TEXT = "un secr\u00e8t \u2014 plain text of mine";
const OTHER = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
const PAYLOAD = '{ "z":1.0, "name":"Zo\u00eb \u65e5\u672c", "a":1e400 }';

const stripe = new Stripe("sk_test_none");
const hmac = (algorithm, key, ...parts) => {
  const mac = createHmac(algorithm, key);
  parts.forEach((part) => mac.update(part));
  return mac;
};

/** What stock verifiers of Standard Webhooks are given: whsec_ as it is, plain text as its bytes. */
const forStandard = (secret) => (secret.startsWith("whsec_") ? secret : `whsec_${Buffer.from(secret).toString("base64")}`);
const standardKey = (secret) => Buffer.from(forStandard(secret).slice("whsec_".length), "base64");

/** Throws unless the request is signed with this secret. */
const schemes = {
  "standard hmac-sha256": (secret, { headers, body }) => {
    new Webhook(forStandard(secret)).verify(body, headers, { jsonParse: false });
    assert.match(headers["webhook-signature"], /^v1,[A-Za-z0-9+/]{43}=$/);
  },
  "standard hmac-sha512": (secret, { headers, body }) => {
    // A stock verifier skips the token it does not know and takes the other.
    new Webhook(forStandard(secret)).verify(body, headers, { jsonParse: false });
    const [stronger, plain, ...more] = headers["webhook-signature"].split(" ");
    const { "webhook-id": id, "webhook-timestamp": timestamp } = headers;
    const expected = hmac("sha512", standardKey(secret), `${id}.${timestamp}.`, body).digest("base64");
    assert.equal(stronger, `v1-sha512,${expected}`);
    assert.match(plain, /^v1,/);
    assert.deepEqual(more, []);
  },
  "timestamped hmac-sha256": (secret, { headers, body }) => {
    stripeVerified(body, headers["x-signature"], secret);
  },
  "timestamped hmac-sha512": (secret, { headers, body }) => {
    const [, t, v1] = headers["x-signature"].match(/^t=(\d+),v1-sha512=([0-9a-f]{128})$/);
    assert.equal(v1, hmac("sha512", secret, `${t}.`, body).digest("hex"));
    assertNow(t);
  },
  "body hmac-sha256": async (secret, { headers, body }) => {
    assert.equal(await verifyGitHub(secret, body.toString(), `sha256=${headers["x-signature"]}`), true);
    assertNow(headers["x-signature-timestamp"]);
  },
  "body hmac-sha512": (secret, { headers, body }) => {
    assert.equal(headers["x-signature"], hmac("sha512", secret, body).digest("hex"));
    assertNow(headers["x-signature-timestamp"]);
  },
};

/** stripe parses what it verified, and the payload above is JSON. */
function stripeVerified(body, header, secret) {
  stripe.webhooks.constructEvent(body, header, secret);
}

const assertNow = (timestamp) => {
  assert.match(timestamp, /^\d{10}$/);
  assert.ok(Math.abs(Date.now() / 1000 - Number(timestamp)) < 60, `timestamp ${timestamp}`);
};

let world, tenant, paths = 0;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world);
});
after(() => world?.close());

/** Emits to a connection with these settings whose first attempt fails, and answers both requests. */
async function twoAttempts(metadata, payload = PAYLOAD) {
  const path = `/signing/${++paths}`;
  world.receiver.on(path, answer(503), answer(204));
  const settings = { retry_schedule_seconds: [1], ...metadata };
  const to = await connect(tenant, { url: world.receiver.url(path), metadata: settings });
  const event = await emit(tenant, to.event, payload);
  const requests = await world.receiver.arrived(path, 2, 30_000);
  await settled(tenant, event.id, ["completed"]);
  assert.equal(world.receiver.at(path).length, 2);
  return { ...to, event, requests };
}

// Each test waits seconds for retries, so they wait together.
suite("signing", { concurrency: true }, () => {
  test("every scheme, algorithm and kind of secret", async (t) => {
    const all = Object.entries(schemes).flatMap(([name, check]) =>
      [["whsec_", WHSEC], ["plain text", TEXT]].map(([kind, secret]) => ({ name, check, kind, secret })));
    const sent = await Promise.all(all.map(({ name, secret }) => {
      const [signing_scheme, signing_algorithm] = name.split(" ");
      return twoAttempts({ signing_scheme, signing_algorithm, signing_secret: secret });
    }));
    for (const [index, { name, check, kind, secret }] of all.entries()) {
      await t.test(`${name}, ${kind}`, async () => {
        for (const request of sent[index].requests) {
          assert.ok(request.body.equals(Buffer.from(PAYLOAD)));
          await check(secret, request);
          await assert.rejects(async () => check(OTHER, request), "another secret must not verify");
          const altered = { ...request, body: Buffer.from(PAYLOAD.replace("1.0", "1")) };
          await assert.rejects(async () => check(secret, altered), "an altered body must not verify");
        }
      });
    }
  });

  test("a retry has the same id, a fresh timestamp and a signature of its own", async () => {
    const { requests: [first, second], event } = await twoAttempts({ signing_secret: WHSEC });
    assert.match(first.headers["webhook-id"], /^msg_[0-9a-f]{40}$/);
    assert.ok(first.headers["webhook-id"].startsWith(`msg_${event.id.replaceAll("-", "")}`));
    assert.equal(second.headers["webhook-id"], first.headers["webhook-id"]);
    const [before, now] = [first, second].map(({ headers }) => Number(headers["webhook-timestamp"]));
    assert.ok(now > before, `${before}, then ${now}`);
    assert.notEqual(second.headers["webhook-signature"], first.headers["webhook-signature"]);
  });

  test("a retry is signed with the secret that is current by then", async () => {
    const path = `/signing/${++paths}`;
    world.receiver.on(path, answer(503), answer(204));
    const metadata = { retry_schedule_seconds: [2], signing_secret: TEXT };
    const { connection, event } = await connect(tenant, { url: world.receiver.url(path), metadata });
    const { id } = await emit(tenant, event);
    await world.receiver.arrived(path);
    const changed = { name: connection.name, metadata: { signing_secret: WHSEC } };
    assert.equal((await tenant.api.put(`/connections/${connection.id}`, changed)).status, 200);
    const [first, second] = await world.receiver.arrived(path, 2);
    schemes["standard hmac-sha256"](TEXT, first);
    schemes["standard hmac-sha256"](WHSEC, second);
    await settled(tenant, id, ["completed"]);
  });

  test("body: GitHub's form, base64, and a header of the customer's choice", async () => {
    const signing = { signing_scheme: "body", signing_secret: TEXT };
    const github = { ...signing, signature_header: "X-Hub-Signature-256", signature_prefix: "sha256=" };
    const [hub, base64] = await Promise.all([
      twoAttempts(github),
      twoAttempts({ ...signing, signature_encoding: "base64", timestamp_header: "X-Sent-At" }),
    ]);
    for (const { headers, body } of hub.requests) {
      assert.equal(await verifyGitHub(TEXT, body.toString(), headers["x-hub-signature-256"]), true);
      assert.equal(headers["x-signature"], undefined);
    }
    for (const { headers, body } of base64.requests) {
      assert.equal(headers["x-signature"], hmac("sha256", TEXT, body).digest("base64"));
      assertNow(headers["x-sent-at"]);
    }
  });

  test("timestamped: Stripe's header name", async () => {
    const metadata = { signing_scheme: "timestamped", signing_secret: WHSEC, signature_header: "Stripe-Signature" };
    const { requests } = await twoAttempts(metadata);
    for (const { headers, body } of requests) stripeVerified(body, headers["stripe-signature"], WHSEC);
  });

  test("algorithm none: no signature in any scheme", async () => {
    await Promise.all(["standard", "body", "timestamped"].map(async (signing_scheme) => {
      const { requests } = await twoAttempts({ signing_scheme, signing_algorithm: "none" });
      for (const { headers } of requests) {
        assert.deepEqual(Object.keys(headers).filter((name) => name.includes("signature") && !name.includes("timestamp")), []);
      }
    }));
  });

  test("a secret that was generated on request signs, and one that nobody was shown signs too", async () => {
    const path = `/signing/${++paths}`;
    const body = { workspace: tenant.workspace.id, type: "webhook", name: "Generated" };
    const metadata = { url: world.receiver.url(path), generate_secret: true };
    const answered = await tenant.api.post("/connections", { ...body, metadata });
    const { connection } = made(answered);
    assert.match(connection.metadata.signing_secret, /^whsec_[A-Za-z0-9+/]{43}=$/);
    assert.equal(answered.headers.get("cache-control"), "no-store");
    const rule = { workspace: tenant.workspace.id, connection: connection.id, event: "generated", metadata: { action: "send_webhook" } };
    made(await tenant.api.post("/rules", rule));
    await emit(tenant, "generated");
    const [request] = await world.receiver.arrived(path);
    schemes["standard hmac-sha256"](connection.metadata.signing_secret, request);
    const { requests } = await twoAttempts({});
    assert.match(requests[0].headers["webhook-signature"], /^v1,/);
  });

  test("auth schemes and custom headers, shown nowhere", async () => {
    const basic = { auth_scheme: "basic", auth_username: "ann", auth_password: "pa:ss w0rd" };
    const custom = { custom_headers: [{ name: "X-Team", value: "blue team" }, { name: "X-Two", value: "2222" }] };
    await Promise.all([
      [basic, "authorization", `Basic ${Buffer.from("ann:pa:ss w0rd").toString("base64")}`],
      [{ auth_scheme: "bearer", auth_token: "t0ken.of-mine" }, "authorization", "Bearer t0ken.of-mine"],
      [{ auth_scheme: "header", auth_header_name: "X-Api-Key", auth_header_value: "k3y!" }, "x-api-key", "k3y!"],
      [{ auth_scheme: "header", auth_header_name: "Authorization", auth_header_value: "Token k3y!" }, "authorization", "Token k3y!"],
      [custom, "x-team", "blue team"],
    ].map(async ([metadata, name, value]) => {
      const { requests, event, rule } = await twoAttempts(metadata);
      for (const { headers } of requests) assert.equal(headers[name], value);
      for (const { request } of await attemptsOf(tenant, event.id, rule.id)) {
        const shown = request.headers.filter((header) => header.name.toLowerCase() === name);
        assert.deepEqual(shown.map((header) => header.value), ["***"]);
      }
    }));
  });

  test("methods, and the headers that every request carries", async () => {
    await Promise.all(["POST", "PUT", "PATCH"].map(async (http_method) => {
      const { requests, event } = await twoAttempts({ http_method });
      for (const [index, { method, headers, body }] of requests.entries()) {
        assert.equal(method, http_method);
        assert.equal(headers["content-type"], "application/json");
        assert.equal(headers["content-length"], String(body.length));
        assert.match(headers["user-agent"], /^Posthorn\/\d+\.\d+\.\d+$/);
        assert.equal(headers["posthorn-event"], event.event);
        assert.equal(headers["posthorn-event-id"], event.id);
        assert.equal(headers["posthorn-attempt"], String(index + 1));
        assert.equal(headers["posthorn-test"], undefined);
        assert.equal(headers["x-meshes-publishable-key"], undefined);
      }
    }));
  });

  test("wrapped: an envelope around the untouched text, and signed as it is sent", async () => {
    const { requests, event } = await twoAttempts({ payload_mode: "wrapped", signing_secret: WHSEC });
    const sent = requests.map((request) => {
      schemes["standard hmac-sha256"](WHSEC, request);
      const head = `{"uuid":"${event.id}","event":"${event.event}","resource":null,"resource_id":null,"payload":`;
      const tail = `,"time_created":${Date.parse(event.created_at)},"time_sent":`;
      const start = Buffer.from(head + PAYLOAD + tail);
      assert.ok(request.body.subarray(0, start.length).equals(start), request.body.toString());
      const rest = request.body.subarray(start.length).toString();
      assert.match(rest, /^\d{13}\}$/);
      return Number(rest.slice(0, -1));
    });
    assert.ok(sent[0] >= Date.parse(event.created_at) && sent[1] > sent[0], `${sent}`);
  });
});
