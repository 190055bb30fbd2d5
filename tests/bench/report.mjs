// The results of the bench as a table, and as docs/benchmarks.md with its picture.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus, totalmem } from "node:os";
import { inRepo } from "../../tools/lib/paths.mjs";
import { FIGURES } from "./measure.mjs";
import { median } from "./statistics.mjs";

const PICTURED = ["single1", "single16", "single64", "delivered", "delivered10"];

/** The medians of the rounds: {subject: {figure: value}}. */
export function medians(rounds) {
  const names = Object.keys(rounds[0]);
  return Object.fromEntries(names.map((name) => [name, Object.fromEntries(Object.keys(FIGURES).map((figure) => [
    figure,
    median(rounds.map((round) => round[name][figure] ?? NaN)),
  ]))]));
}

const shown = (value, digits) => (Number.isNaN(value) ? "" : value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits }));

/** Rows of texts: the figure, each subject, and Posthorn in units of the naive floor. */
function table(results) {
  return Object.entries(FIGURES).map(([figure, [name, unit, digits]]) => {
    const row = { figure: unit ? `${name} (${unit})` : name };
    for (const [subject, values] of Object.entries(results)) row[subject] = shown(values[figure], digits);
    row["Posthorn : naive"] = shown(results.Posthorn[figure] / (results["naive floor"][figure] || NaN), 2);
    if (results.baseline) row["Posthorn : baseline"] = shown(results.Posthorn[figure] / (results.baseline[figure] || NaN), 2);
    return row;
  });
}

/** Prints the medians. */
export function print(results, rounds) {
  console.log(`\nSpeed, ${rounds === 1 ? "one round" : `medians of ${rounds} rounds`}; all deliver what they take meanwhile`);
  console.table(Object.fromEntries(table(results).map(({ figure, ...row }) => [figure, row])));
}

/** Writes the page and its picture, without the other build. */
export function write({ baseline: _, ...results }, rounds) {
  const rows = table(results);
  const columns = Object.keys(rows[0]);
  const lines = [columns, columns.map(() => "---"), ...rows.map((row) => columns.map((column) => row[column]))];
  const markdown = lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
  const runtime = JSON.parse(readFileSync(inRepo("node_modules", "workerd", "package.json"), "utf8")).version;
  const machine = `${availableParallelism()} processors (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 1e9)} GB`;
  writeFileSync(inRepo("docs", "images", "benchmarks.svg"), picture(results));
  writeFileSync(inRepo("docs", "benchmarks.md"), PAGE
    .replace("{table}", markdown)
    .replace("{day}", new Date().toISOString().slice(0, 10))
    .replace("{machine}", machine)
    .replace("{runtime}", runtime)
    .replace("{rounds}", rounds === 1 ? "one short round, so read it with care" : `medians of ${rounds} rounds`));
}

const PAGE = `# Benchmarks

Made by \`npm run bench -- speed --write\` on {day}: {machine}, workerd {runtime}, {rounds}.

![Emits and deliveries a second: naive floor, intake floor, Posthorn](images/benchmarks.svg)

{table}

## How to read it

Everything runs on one machine: the runtime with the Worker, the databases and the queue; the load; the
receiver; each in a process of its own. So the figures say nothing about Cloudflare's network. They are good
for comparing one subject with another in the same run, which is why the floors are there:

- **The naive floor** does the least that a service on these parts can do: one read of the key, one write of
  the event and its delivery, one message, one request, one write of the result. It has no rules, signatures,
  filters, history or retries.
- **The intake floor** gathers events in a Durable Object, answers when a group is in its storage, and writes
  to the database and the queue later.

While events are emitted they are also delivered, by the same runtime: nobody emits faster by delivering later.
Each round starts each subject anew on an empty state, one after the other, so that what else the
machine does meets all of them. Payloads have about 300 bytes, and one rule matches each event. "End to end" is from the first
emit to the last arrival, with 16 connections emitting. CPU is that of the runtime's process: Worker,
databases and queue together.

\`npm run bench\` also counts rows, messages and requests per event ([costs.md](costs.md)) and measures how long the module takes to
start. \`npm run bench -- speed --quick\` takes a minute and shows that all works.
\`npm run bench:growth\` asks everything with 1,000, 100,000 and 1,000,000 settled deliveries of one connection in front,
and says what costs more with them.
\`npm run bench -- outage\` stops the writing of LOG for a minute at 100 emits a second and until 60,000 events wait, and
says whether all arrive and how fast.
\`BASELINE=<build folder>\` measures the build of another checkout beside this one.
`;

/** Bars in groups: a group for each figure, a bar for each subject. */
function picture(results) {
  const names = Object.keys(results);
  const most = Math.max(...PICTURED.flatMap((figure) => names.map((name) => results[name][figure])));
  const [left, width, bar, gap] = [350, 340, 14, 16];
  const group = names.length * bar + gap;
  const parts = PICTURED.flatMap((figure, index) => {
    const top = 40 + index * group;
    const label = `<text x="${left - 10}" y="${top + (names.length * bar) / 2 + 4}" text-anchor="end">${FIGURES[figure][0]}</text>`;
    return [label, ...names.flatMap((name, at) => {
      const value = results[name][figure];
      const [y, long] = [top + at * bar, Math.max(1, Math.round((value / most) * width))];
      return [
        `<rect class="s${at}" x="${left}" y="${y}" width="${long}" height="${bar - 2}"/>`,
        `<text class="value" x="${left + long + 5}" y="${y + bar - 4}">${shown(value, 0)}</text>`,
      ];
    })];
  });
  const legend = names.map((name, at) => `<rect class="s${at}" x="${left + at * 115}" y="12" width="10" height="10"/><text x="${left + at * 115 + 15}" y="21">${name}</text>`);
  const height = 40 + PICTURED.length * group;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 ${height}" role="img" aria-label="Events a second">
<style>
text { font: 12px system-ui, sans-serif; fill: #333 } .value { font-size: 11px }
.s0 { fill: #b8bec6 } .s1 { fill: #7d8794 } .s2 { fill: #2f6fde } .s3 { fill: #d99a2b }
@media (prefers-color-scheme: dark) { text { fill: #ddd } }
</style>
${[...legend, ...parts].join("\n")}
</svg>
`;
}
