// `npm run mutants` builds the tests from a copy: all that they are compiled from has to be in it.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { inRepo, root } from "../../tools/lib/paths.mjs";
import { COPIED } from "../../tools/mutants.mjs";

test("what the native tests include is copied for the mutants", () => {
  const files = readdirSync(inRepo("tests", "it"), { recursive: true }).filter((name) => name.endsWith(".rs"));
  const included = files.flatMap((name) => {
    const path = inRepo("tests", "it", name);
    const named = readFileSync(path, "utf8").matchAll(/include_(?:str|bytes)!\(\s*"([^"]+)"/g);
    return [...named].map(([, to]) => relative(root, join(dirname(path), to)));
  });
  assert.ok(included.includes("CHANGELOG.md"), "it finds what is included");
  for (const path of included) {
    const holds = (name) => path === name || path.startsWith(`${name}/`);
    assert.ok(COPIED.some(holds), `${path} is not copied`);
  }
});
