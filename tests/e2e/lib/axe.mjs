// axe-core on a page: what a reader who cannot see, or has no mouse, would trip over.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SOURCE = readFileSync(fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

/**
 * What axe finds wrong with a page or frame (WCAG A and AA up to 2.2, and best practice), one line for
 * each: the rule, what it asks for, and the elements.
 */
export async function axeViolations(page) {
  // Evaluated, not added as a script: pages allow no scripts but their own.
  await page.evaluate(SOURCE);
  const { violations } = await page.evaluate((tags) => {
    const options = { runOnly: { type: "tag", values: tags }, rules: { "target-size": { enabled: true } }, resultTypes: ["violations"] };
    return globalThis.axe.run(document, options);
  }, TAGS);
  return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
}
