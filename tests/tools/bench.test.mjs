// The bench's page is that of the present bench.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inRepo } from "../../tools/lib/paths.mjs";
import { FIGURES } from "../bench/measure.mjs";
import { medians } from "../bench/report.mjs";

test("docs/benchmarks.md has a row for every figure of the bench", () => {
  const page = readFileSync(inRepo("docs", "benchmarks.md"), "utf8");
  for (const [name, unit] of Object.values(FIGURES)) {
    const row = `| ${unit ? `${name} (${unit})` : name} |`;
    assert.ok(page.includes(row), `${row}: run \`npm run bench -- speed --write\``);
  }
});

test("the median of the rounds is told, and what nobody measured is no figure", () => {
  const rounds = [3, 1, 2].map((single1) => ({ "naive floor": { single1 }, Posthorn: { single1: single1 * 2, beside50: 1 } }));
  const { "naive floor": naive, Posthorn } = medians(rounds);
  assert.deepEqual([naive.single1, naive.beside50, Posthorn.single1], [2, NaN, 4]);
});
