// "Copy as curl" on the pages, run by a shell and curl: what is copied sends what was sent, whatever stands in the URL
// and in the payload, and however long that is.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { newSession } from "./lib/embed.mjs";
import { connect, eventBody, made, newTenant, openWorld, settled } from "./lib/world.mjs";

const SECRET = `whsec_${Buffer.alloc(32, 9).toString("base64")}`;
const ENTITIES = { "&quot;": '"', "&amp;": "&", "&lt;": "<", "&gt;": ">", "&#39;": "'" };

let world, tenant, directory, home, cookie;

before(async () => {
  world = await openWorld();
  tenant = await newTenant(world, "Curl");
  directory = mkdtempSync(join(tmpdir(), "posthorn-curl-"));
  const { launch_url: url } = await newSession(world, tenant);
  const launched = await fetch(url, { redirect: "manual" });
  assert.equal(launched.status, 303, await launched.text());
  cookie = launched.headers.get("set-cookie").split(";")[0];
  home = new URL(url.split("/launch")[0]);
});
after(async () => {
  await world?.close();
  rmSync(directory, { recursive: true, force: true });
});

async function read(below) {
  const answer = await fetch(`${home}/${below}`, { headers: { cookie } });
  const text = await answer.text();
  assert.equal(answer.status, 200, text);
  return text;
}

/** The text behind the button that copies the command. */
function command(page) {
  const [, escaped] = page.match(/<pre id="curl-1"[^>]*><code>([^]*?)<\/code>/);
  return escaped.replace(/&(quot|amp|lt|gt|#39);/g, (entity) => ENTITIES[entity]);
}

const cases = {
  "brackets and braces in the URL": ["/curl/x[1-3]/y?z={a,b}", '{"a":1.0}'],
  "quotes, dollars and backslashes": ["/curl/it's?q=$HOME&r=`id`", `{ "a" : "it's $HOME \`id\` \\"quoted\\" \\u0041 @file" }`],
  "letters of all kinds": ["/curl/plain", '{"größe":"日本 \u{1f4ef}"}'],
  "a payload of 400 KB": ["/curl/long", JSON.stringify({ b: 1, text: "it's long ".repeat(40_000) })],
};

for (const [name, [path, payload]] of Object.entries(cases)) {
  test(name, async () => {
    const url = world.receiver.url(path);
    const to = await connect(tenant, { url, metadata: { signing_secret: SECRET } });
    const { id } = made(await tenant.publisher.post("/events", eventBody(to.event, payload))).event;
    await settled(tenant, id, ["completed"]);
    const page = await read(`events/${id}`);
    const file = page.match(/download="([^"]+)"/)?.[1];
    assert.equal(file !== undefined, payload.length > 100_000, "only a long one is a file");
    if (file) writeFileSync(join(directory, file), await read(`events/${id}/payload`));
    const before = world.receiver.requests.length;
    // Not the synchronous way: the receiver lives in this process.
    await promisify(execFile)("sh", ["-c", `${command(page)} --silent --show-error`], { cwd: directory, timeout: 20_000 });
    const [original, copy, ...more] = world.receiver.requests.slice(before - 1);
    assert.deepEqual(more, [], "one request");
    assert.equal(copy.path, original.path);
    assert.ok(copy.body.equals(Buffer.from(payload)), "to the byte");
    new Webhook(SECRET).verify(copy.body, copy.headers, { jsonParse: false });
  });
}
