// The code samples and commands of the pages: fenced code, and lines set off by four blanks that are commands.
import { readFileSync, readdirSync } from "node:fs";
import { inRepo } from "../../../tools/lib/paths.mjs";

const COMMAND = /^(npm|npx|cargo|node|curl|git|openssl|SEEDS?=)\b|^wrangler /;

/** Every page with samples, by its path from the repository's root. */
export const pages = () => ["README.md", "CONTRIBUTING.md", "examples/README.md",
  ...readdirSync(inRepo("docs")).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];

/** The fenced samples of a page: {page, language, needsAccount, code}. */
export function fenced(page) {
  const text = readFileSync(inRepo(page), "utf8");
  return [...text.matchAll(/^```(\w*)( account)?\n([\s\S]*?)^```$/gm)]
    .map(([, language, account, code]) => ({ page, language, needsAccount: Boolean(account), code }));
}

/** The commands of a page that stand in its text: set off by four blanks, in a fenced shell sample, or in back quotes. */
export function commands(page) {
  const text = readFileSync(inRepo(page), "utf8");
  const inline = text.replace(/^```[\s\S]*?^```$/gm, "").replace(/^ {4}.*$/gm, "");
  const found = [
    ...fenced(page).filter(({ language }) => language === "sh").flatMap(({ code, needsAccount }) => lines(code, needsAccount)),
    ...lines([...text.matchAll(/(?:^ {4}.*\n)+/gm)].map(([block]) => block.replace(/^ {4}/gm, "")).join("\n"), false),
    ...[...inline.matchAll(/`([^`\n]+)`/g)].map(([, command]) => ({ command, needsAccount: true })),
  ];
  return found.filter(({ command }) => COMMAND.test(command)).map((one) => ({ page, ...one }));
}

function lines(code, needsAccount) {
  return code.replace(/\\\n\s*/g, " ").split("\n").map((command) => ({ command: command.replace(/\s+#.*$/, "").trim(), needsAccount }));
}

/** A sample of a page, by a text that it holds. */
export function sample(page, holds) {
  const found = fenced(page).filter(({ code }) => code.includes(holds));
  if (found.length !== 1) throw new Error(`${page} has ${found.length} samples with ${holds}`);
  return found[0].code;
}

/** Runs a JavaScript sample with these names in scope; `answer` is an expression for what is wanted of it. */
export function evaluate(code, scope, answer = "undefined") {
  const body = code.replace(/^import .*$/gm, "").replace(/^export /gm, "");
  const AsyncFunction = (async () => {}).constructor;
  return new AsyncFunction(...Object.keys(scope), `${body}\nreturn ${answer};`)(...Object.values(scope));
}
