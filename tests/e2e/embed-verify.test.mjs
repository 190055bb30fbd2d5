// The page that checks a signature in the browser: it says which check fails, and sends nothing.
import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import { after, before, test } from "node:test";
import { noBrowser, openBrowser, openPage } from "./lib/browser.mjs";
import { openWorld } from "./lib/world.mjs";

const KEY = Buffer.alloc(32, 7);
const SECRET = `whsec_${KEY.toString("base64")}`;
const BODY = '{"order_id":"ord_1", "total":12.0}';
const now = () => String(Math.floor(Date.now() / 1000));
const mac = (key, content, encoding, algorithm = "sha256") => createHmac(algorithm, key).update(content).digest(encoding);

/** A request of each scheme: the fields that describe it, and its headers. */
const SCHEMES = {
  standard(at = now(), body = BODY) {
    const signature = mac(KEY, `msg_1.${at}.${body}`, "base64");
    return [{ scheme: "standard" }, { "webhook-id": "msg_1", "webhook-timestamp": at, "webhook-signature": `v1,bm9uZQ== v1,${signature}` }];
  },
  timestamped(at = now(), body = BODY) {
    return [{ scheme: "timestamped", signature_header: "X-Sig" }, { "x-sig": `t=${at},v1=00,v1=${mac(SECRET, `${at}.${body}`, "hex")}` }];
  },
  body(at = now(), body = BODY) {
    const fields = { scheme: "body", signature_header: "X-Hub", timestamp_header: "X-Time", prefix: "sha256=", encoding: "hex" };
    return [fields, { "x-hub": `sha256=${mac(SECRET, body, "hex")}`, "x-time": at }];
  },
};

let world, browser, page, asked;

before(async () => {
  if (noBrowser) return;
  [world, browser] = await Promise.all([openWorld(), openBrowser()]);
  page = await openPage(browser);
});
after(async () => {
  await browser?.close();
  await world?.close();
});

async function check([fields, headers], { body = BODY, secret = SECRET } = {}) {
  await page.goto(`${world.localUrl}/tools/verify`);
  asked = [];
  const note = (request) => asked.push(request.url());
  page.on("request", note);
  for (const [name, value] of Object.entries(fields)) {
    const field = page.locator(`[name=${name}]`);
    await ((await field.evaluate((one) => one.tagName)) === "SELECT" ? field.selectOption(value) : field.fill(value));
  }
  await page.getByLabel("Request headers").fill(Object.entries(headers).map((pair) => pair.join(": ")).join("\n"));
  await page.getByLabel("Raw body").fill(body);
  await page.getByLabel("Secret", { exact: true }).fill(secret);
  await page.getByRole("button", { name: "Check" }).click();
  await page.locator("#result h2").waitFor();
  page.off("request", note);
  assert.deepEqual(asked, [], "nothing leaves the page");
  return page.locator("#result").innerText();
}

test("a valid signature of each scheme is found valid", { skip: noBrowser }, async () => {
  const fingerprint = createHash("sha256").update(SECRET).digest("hex").slice(0, 8);
  for (const [name, scheme] of Object.entries(SCHEMES)) {
    const said = await check(scheme());
    assert.match(said, /The signature is valid/, `${name}: ${said}`);
    assert.ok(said.includes(fingerprint), said);
  }
  const at = now();
  const strong = { "webhook-id": "m", "webhook-timestamp": at, "webhook-signature": `v1-sha512,${mac(KEY, `m.${at}.${BODY}`, "base64", "sha512")}` };
  assert.match(await check([{ scheme: "standard", algorithm: "SHA-512" }, strong]), /is valid/);
});

test("it says which check failed: time, headers, key or body", { skip: noBrowser }, async () => {
  const old = String(Number(now()) - 4_000);
  for (const [name, scheme] of Object.entries(SCHEMES)) {
    assert.match(await check(scheme(old)), /✗ Time: signed 4\d\d\d s ago/, name);
    assert.match(await check(scheme(), { secret: "another secret" }), /✗ Key or body: .* another secret/, name);
    assert.match(await check(scheme(), { body: `${BODY}\n` }), /✗ Body: The body has a line break at its end/, name);
    assert.match(await check(scheme(undefined, JSON.stringify(JSON.parse(BODY)))), /✗ Body: The body was parsed and written again/, name);
    const [fields] = scheme();
    assert.match(await check([fields, { "content-type": "application/json" }]), /✗ Headers: .* is missing/, name);
  }
  assert.match(await check(SCHEMES.standard(), { secret: "whsec_%%" }), /✗ Key: enter the secret/);
  const [fields] = SCHEMES.standard();
  const at = now();
  const asText = { "webhook-id": "m", "webhook-timestamp": at, "webhook-signature": `v1,${mac(SECRET, `m.${at}.${BODY}`, "base64")}` };
  assert.match(await check([fields, asText]), /✗ Key: .* decoded/);
});

test("a link fills it in, and the address is cleared", { skip: noBrowser }, async () => {
  const [fields, headers] = SCHEMES.timestamped();
  const filled = { ...fields, headers: Object.entries(headers).map((pair) => pair.join(": ")).join("\n"), body: BODY, secret: "no" };
  await page.goto("about:blank");
  await page.goto(`${world.localUrl}/tools/verify#${new URLSearchParams(filled)}`);
  assert.equal(new URL(page.url()).hash, "");
  assert.equal(await page.getByLabel("Secret", { exact: true }).inputValue(), "", "no secret comes by a link");
  await page.getByLabel("Secret", { exact: true }).fill(SECRET);
  await page.getByRole("button", { name: "Check" }).click();
  await page.getByRole("heading", { name: "The signature is valid" }).waitFor();
  const policy = (await fetch(`${world.localUrl}/tools/verify`)).headers.get("content-security-policy");
  assert.match(policy, /default-src 'none'.*connect-src 'none'/);
  assert.deepEqual(page.complaints, []);
});
