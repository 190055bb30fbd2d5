// The pages for people and contributors name files, tests and anchors; all of them are there.
import assert from "node:assert/strict";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { inRepo, root } from "../../tools/lib/paths.mjs";

const PAGES = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "examples/README.md"].map((name) => inRepo(name)),
  ...readdirSync(inRepo("docs")).filter((name) => name.endsWith(".md")).map((name) => inRepo("docs", name)),
];
const text = (path) => readFileSync(path, "utf8");
const below = (folder, ending) => readdirSync(inRepo(folder), { recursive: true })
  .filter((name) => name.endsWith(ending)).map((name) => text(inRepo(folder, name)));

/** The prose of a page: without fenced code and code that is set off by four blanks. */
const prose = (page) => text(page).replace(/^```[\s\S]*?^```$/gm, "").replace(/^ {4}.*$/gm, "");

/** The anchors that GitHub makes of a page's headings. */
function anchors(page) {
  return [...prose(page).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => (
    heading.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, "").trim().replace(/\s/g, "-")
  ));
}

for (const page of PAGES) {
  const name = relative(root, page);
  test(`${name}: links and paths lead somewhere`, () => {
    for (const [, link] of prose(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(link)) continue;
      const [path, anchor] = link.split("#");
      const target = path ? join(dirname(page), path) : page;
      assert.ok(existsSync(target), `${name} links to ${link}`);
      if (anchor) assert.ok(anchors(target).includes(anchor), `${name} links to ${link}; there are ${anchors(target)}`);
    }
    const folders = "src|tests|tools|migrations|public|examples|docs";
    for (const [, path] of prose(page).matchAll(new RegExp(`\`((?:${folders})/[\\w./-]*)\``, "g"))) {
      const rendered = /^public\/(docs\.html|llms\.txt|problems)/.test(path);
      assert.ok(rendered || existsSync(inRepo(path)), `${name} names ${path}`);
    }
  });
}

test("docs/promises.md: every mutant, test and function that it names is there, and no mutant is left out", () => {
  const page = text(inRepo("docs", "promises.md"));
  const mutants = readdirSync(inRepo("tests", "mutants")).map((name) => name.replace(/\.patch$/, ""));
  const listed = [...page.matchAll(/`(promise-\d-[a-z-]+)`/g)].map(([, name]) => name);
  assert.deepEqual([...listed].sort(), mutants.sort());
  const rust = [...below("tests/it", ".rs"), ...below("src", ".rs")].join("\n");
  for (const [, kind, cell] of page.matchAll(/^\| (native|worlds) \| (.*) \|$/gm)) {
    for (const [, name] of cell.matchAll(/`(?:\w+::)?(\w+)`/g)) {
      assert.ok(rust.includes(`fn ${name}(`), `${kind}: no fn ${name}`);
    }
  }
  for (const [, cell] of page.matchAll(/^\| end to end \| (.*) \|$/gm)) {
    for (const [, file, name] of cell.matchAll(/`(tests\/e2e\/[\w.-]+)`: "([^"]+)"/g)) {
      assert.ok(text(inRepo(file)).includes(name), `${file} has no test "${name}"`);
    }
  }
  assert.equal(page.match(/^## \d\. /gm).length, 8);
});

test("CONTRIBUTING.md: the functions it points to are in the files it names", () => {
  for (const [, name, path] of text(inRepo("CONTRIBUTING.md")).matchAll(/`(?:\w+::)?(\w+)` in `(src\/[\w./]+\.rs)`/g)) {
    assert.ok(text(inRepo(path)).includes(`fn ${name}`), `${path} has no fn ${name}`);
  }
});

test("docs/logs.md: every kind of log line is explained", () => {
  // Written out, or given to what writes the line.
  const lines = /(?:"at": |\bcomplain\(platform, |\blog\()"([a-z_ ]+)"/g;
  const used = new Set(below("src", ".rs").flatMap((code) => [...code.matchAll(lines)].map(([, at]) => at)));
  const rows = text(inRepo("docs", "logs.md")).split("\n").filter((row) => row.startsWith("| `"));
  const explained = new Set(rows.flatMap((row) => [...row.split("|")[1].matchAll(/`([^`]+)`/g)].map(([, at]) => at)));
  assert.ok(used.size > 10);
  assert.deepEqual([...used].filter((at) => !explained.has(at)), [], "not in docs/logs.md");
});
