// Walks all pages of a session by their links, and looks at each for what must never be there.
import assert from "node:assert/strict";

/** As the narrowest phones show it. */
export const NARROW = { width: 320, height: 640 };

/**
 * Opens every page that links lead to in the same frame from `start` on, those whose path is below the session's own.
 * `look(url)` is called on each. Answers the pages' texts by URL.
 */
export async function crawl(page, start, look = async () => {}) {
  const home = new URL(start).pathname.match(/^\/embed\/s\/[^/]+\//)[0];
  const texts = new Map();
  const waiting = [start];
  while (waiting.length) {
    const url = waiting.shift();
    if (texts.has(url)) continue;
    const answer = await page.goto(url);
    assert.equal(answer.status(), 200, url);
    await look(url);
    texts.set(url, await textOf(page));
    const links = await page.locator("a[href]:not([target])").evaluateAll((all) => all.map((link) => link.href.split("#")[0]));
    for (const link of links) {
      assert.ok(new URL(link).pathname.startsWith(home), `${url} links to ${link}`);
      if (!texts.has(link)) waiting.push(link);
    }
  }
  return texts;
}

/** All that a page says, folded parts and fields of forms included. */
const textOf = (page) => page.evaluate(() => {
  const fields = [...document.querySelectorAll("input, textarea, option")].map((field) => field.value);
  return [document.title, document.body.textContent, ...fields].join("\n");
});

/** Nothing that somebody wrote became more than text: checked where it would have run, and in the tree. */
export async function isPlain(page, url) {
  const found = await page.evaluate(() => ({
    owned: window.__owned,
    scripts: document.scripts.length,
    // The page's own charts are of rectangles only.
    foreign: [...document.querySelectorAll(
      "img, svg:not(.chart, .strip), svg :not(rect), iframe, object, embed, base, style, math, video, audio, template",
    )]
      .map((element) => element.outerHTML),
    handlers: [...document.querySelectorAll("*")].flatMap((element) =>
      [...element.attributes].filter(({ name }) => name.startsWith("on")).map(({ name }) => `${element.tagName} ${name}`)),
    schemes: [...document.querySelectorAll("[href], [src], [action], [formaction]")]
      .flatMap((element) => ["href", "src", "action", "formAction"].map((name) => element[name]))
      .filter((link) => typeof link === "string" && link && !link.startsWith(location.origin)),
  }));
  assert.deepEqual(found, { owned: undefined, scripts: 1, foreign: [], handlers: [], schemes: [] }, url);
}

/** Nothing sticks out of a narrow page, with all that can be unfolded unfolded. */
export async function fits(page, url) {
  const wide = await page.evaluate(() => {
    for (const part of document.querySelectorAll("details")) part.open = true;
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth <= clientWidth) return [];
    const sticksOut = (element) => element.getBoundingClientRect().right > clientWidth + 0.5;
    return [`${scrollWidth} of ${clientWidth} pixels`, ...[...document.querySelectorAll("body *")].filter(sticksOut)
      .map((element) => element.outerHTML.slice(0, 200))];
  });
  assert.deepEqual(wide, [], `${url} is wider than ${NARROW.width} pixels`);
}
