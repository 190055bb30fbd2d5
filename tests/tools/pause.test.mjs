// `npm run admin -- pause | resume`: what is stopped, and that nothing else is.
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { COMMANDS } from "../../tools/lib/admin/commands.mjs";

const home = mkdtempSync(join(tmpdir(), "posthorn-pause-"));
after(() => rmSync(home, { recursive: true, force: true }));
const configFile = join(home, "wrangler.local.toml");

const run = (verb, args, target = {}) => COMMANDS[verb].run({ folder: home, configFile, target }, args, {});
const blocked = () => readFileSync(configFile, "utf8").match(/^BLOCKED_HOSTS = "(.*)"$/m)[1];

test("a host is blocked and let go; hosts that were blocked stay so", async () => {
  writeFileSync(configFile, 'name = "posthorn"\n\n[vars]\nBLOCKED_HOSTS = "bad.example"\nLOG_SHARDS = "1"\n');
  assert.match(await run("pause", ["host", "slow.example"]), /npm run deploy/);
  assert.equal(blocked(), "bad.example,slow.example");
  await run("pause", ["host", "slow.example"]);
  assert.equal(blocked(), "bad.example,slow.example", "once");
  await run("resume", ["host", "slow.example"]);
  assert.equal(blocked(), "bad.example");
  assert.match(readFileSync(configFile, "utf8"), /^LOG_SHARDS = "1"$/m);
});

test("where nothing was deployed from, it says what to do", async () => {
  assert.throws(() => run("pause", ["host", "x.example"], { isLocal: true }), /wrangler\.local\.toml/);
  assert.throws(() => run("pause", ["everything", "x"]), /pause org ID/);
});

test("an organization is suspended and goes on", async () => {
  const calls = [];
  const target = { admin: { patch: async (path, body) => (calls.push([path, body]), { status: 200, body: {} }) } };
  assert.match(await run("pause", ["org", "o1"], target), /suspended/);
  assert.match(await run("resume", ["org", "o1"], target), /active/);
  assert.deepEqual(calls, [["/organizations/o1", { suspended: true }], ["/organizations/o1", { suspended: false }]]);
});
