// The Deploy to Cloudflare button: it finds what it asks for, creates and runs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inRepo } from "../../tools/lib/paths.mjs";

const read = (name) => readFileSync(inRepo(name), "utf8");

test("every secret of the Worker is asked for and described, and none has a value", () => {
  const needed = [...read("src/platform/settings.rs").matchAll(/secret\("(\w+)"\)/g)].map(([, name]) => name).sort();
  assert.deepEqual(needed, ["ADMIN_TOKEN", "MASTER_KEYS"]);
  const asked = [...read(".dev.vars.example").matchAll(/^(\w+)="(.*)"$/gm)].map(([, name, value]) => [name, value]).sort();
  assert.deepEqual(asked, needed.map((name) => [name, ""]));
  const { cloudflare, scripts } = JSON.parse(read("package.json"));
  for (const name of needed) assert.ok(cloudflare.bindings[name].description.length > 20, name);
  const bound = [...read("wrangler.toml").matchAll(/^binding = "(CONTROL|LOG_\d+)"/gm)].map(([, name]) => name);
  for (const name of bound) assert.ok(scripts["deploy:button"].includes(`migrations apply ${name} --remote`), name);
  assert.match(scripts["deploy:button"], /&& wrangler deploy$/);
});
