// A release: versions, changelog and bill of materials, on a copy of the files that it changes.
import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { inRepo } from "../../tools/lib/paths.mjs";
import { billOfMaterials, prepare } from "../../tools/lib/release.mjs";

let home;
const read = (name) => readFileSync(join(home, name), "utf8");
before(() => {
  home = mkdtempSync(join(tmpdir(), "posthorn-release-"));
  for (const name of ["Cargo.toml", "Cargo.lock", "package.json", "package-lock.json"]) cpSync(inRepo(name), join(home, name));
  writeFileSync(join(home, "CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n- One.\n- Two.\n\n## 0.0.1 - 2026-01-01\n\n- Zero.\n");
});
after(() => rmSync(home, { recursive: true, force: true }));

test("what is no version, or not newer, or has nothing to tell is refused", () => {
  for (const [version, words] of [["x", /not a version/], ["0.0.9", /not newer/]]) {
    assert.throws(() => prepare(home, version, "2026-12-01"), words);
  }
});

test("every file has the version, the changelog is dated, and the notes are its part", () => {
  assert.equal(prepare(home, "9.8.7", "2026-12-01"), "- One.\n- Two.");
  assert.match(read("Cargo.toml"), /^version = "9\.8\.7"/m);
  assert.match(read("Cargo.lock"), /name = "posthorn"\nversion = "9\.8\.7"/);
  assert.equal(JSON.parse(read("package.json")).version, "9.8.7");
  const lock = JSON.parse(read("package-lock.json"));
  assert.deepEqual([lock.version, lock.packages[""].version], ["9.8.7", "9.8.7"]);
  assert.equal(read("CHANGELOG.md"), "# Changelog\n\n## Unreleased\n\n## 9.8.7 - 2026-12-01\n\n- One.\n- Two.\n\n## 0.0.1 - 2026-01-01\n\n- Zero.\n");
  assert.throws(() => prepare(home, "9.8.8", "2026-12-02"), /nothing under Unreleased/);
});

test("the bill of materials names every crate and package with its hash", () => {
  const bill = billOfMaterials(home, "9.8.7", "2026-12-01T00:00:00Z");
  const names = bill.components.map(({ name }) => name);
  for (const name of ["worker", "serde_json", "hmac", "wrangler", "standardwebhooks"]) assert.ok(names.includes(name), name);
  assert.ok(!names.includes("posthorn"));
  for (const { purl, hashes, scope } of bill.components) {
    assert.match(purl, /^pkg:(cargo|npm)\/\S+@\d/);
    // The lock has no digest of packages for other systems than the one it was made on.
    if (purl.startsWith("pkg:cargo") || hashes) assert.match(hashes[0].content, /^[0-9a-f]{40,128}$/, purl);
    assert.equal(scope, purl.startsWith("pkg:npm") ? "excluded" : undefined);
  }
  assert.equal(new Set(bill.components.map((one) => one["bom-ref"])).size, bill.components.length);
});
