// No file of the tools imports itself by way of others.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { test } from "node:test";
import { inRepo } from "../../tools/lib/paths.mjs";

const imports = (file) => [...readFileSync(file, "utf8").matchAll(/^(?:import|export)[^;]*?from "(\..*?)";/gm)]
  .map(([, path]) => resolve(dirname(file), path));

test("imports go round in no circle", () => {
  const files = readdirSync(inRepo("tools"), { recursive: true }).filter((name) => name.endsWith(".mjs")).map((name) => inRepo("tools", name));
  const [done, path] = [new Set(), []];
  const visit = (file) => {
    const from = path.indexOf(file);
    assert.equal(from, -1, [...path.slice(from), file].join("\n-> "));
    if (done.has(file)) return;
    path.push(file);
    imports(file).forEach(visit);
    path.pop();
    done.add(file);
  };
  files.forEach(visit);
  assert.ok(done.size > 30, `${done.size}`);
});
