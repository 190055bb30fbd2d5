// Who cannot see the page, uses no mouse, has a small screen or is made ill by motion: every page in every state is
// held against axe-core (WCAG A and AA up to 2.2, and best practice), and the keyboard's way is walked.
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { adminPages, EMPTY_PAGES, memberPages } from "../../tools/screenshots/pages.mjs";
import { fill, newTenant as newScene, openReceivers, providers } from "../../tools/screenshots/scene.mjs";
import { axeViolations } from "./lib/axe.mjs";
import { noBrowser, openPage } from "./lib/browser.mjs";
import { NARROW } from "./lib/crawl.mjs";
import { openAt, withEmbed } from "./lib/embed.mjs";
import { ADMIN_TOKEN } from "./lib/world.mjs";

const ADMIN = { role: "admin", scopes: ["events.payload:read"] };
const SIZES = [NARROW, { width: 1280, height: 800 }];
/** The least size of what is pressed (WCAG 2.5.8). */
const TARGET = 24;

let world, browser, receivers, full, scene, empty;
withEmbed("Axe", async (opened) => {
  ({ world, browser } = opened);
  receivers = await openReceivers();
  const named = { baseUrl: world.baseUrl, adminToken: ADMIN_TOKEN, name: "Acme Ceramics" };
  full = await newScene({ ...named, organization: "Fieldstall" });
  scene = { ...await fill(full, receivers), ...await providers(full) };
  scene.replay = "none";
  empty = await newScene({ ...named, organization: "Empty" });
});
after(() => receivers?.close());

/** What is smaller than a fingertip, links within sentences aside. */
const small = (page) => page.evaluate((least) => {
  const pressed = document.querySelectorAll("button, summary, select, input:not([type=hidden]), a.button, nav a, td:first-child a");
  return [...pressed].filter((one) => one.checkVisibility() && !one.closest("[aria-hidden=true]")).map((one) => [one, one.getBoundingClientRect()])
    .filter(([one, { width, height }]) => width > 1 && (width < least || height < least) && !one.closest("label"))
    .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 90)} is ${Math.round(width)} x ${Math.round(height)}`);
}, TARGET);

/** Opens each page once and looks at it in all sizes and both themes; what is wrong, one line for each. */
async function lookAt(tenant, rights, pages) {
  const { page, home } = await openAt({ world, browser, tenant }, "dashboard", {}, rights);
  const wrong = [];
  for (const [name, path, act] of pages) {
    await page.goto(`${home}/${path}`);
    await act?.(page);
    await page.evaluate(() => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
    for (const colorScheme of ["light", "dark"]) {
      await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
      for (const size of SIZES) {
        await page.setViewportSize(size);
        const found = [...await axeViolations(page), ...await small(page)];
        wrong.push(...found.map((line) => `${name} ${colorScheme} ${size.width}: ${line}`));
      }
    }
  }
  await page.close();
  return wrong;
}

test("axe finds nothing on any page that is full, or where something went wrong", { skip: noBrowser }, async () => {
  const pages = adminPages(scene).filter(([name]) => name !== "replay-done");
  assert.deepEqual(await lookAt(full, ADMIN, pages), []);
});

test("axe finds nothing on pages that are empty, or of which somebody may see a part", { skip: noBrowser }, async () => {
  assert.deepEqual(await lookAt(empty, ADMIN, EMPTY_PAGES), []);
  assert.deepEqual(await lookAt(full, { role: "member" }, memberPages(scene)), []);
});

test("the keyboard alone leads from the start to a paused connection and back, and each step is seen", { skip: noBrowser }, async () => {
  const { page } = await openAt({ world, browser, tenant: full }, "connections", {}, ADMIN);
  const focused = () => page.evaluate(() => {
    const { tagName, innerText } = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return { tagName, text: innerText?.trim(), isSeen: outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 };
  });
  const tabTo = async (text) => {
    for (let step = 0; step < 80; step += 1) {
      await page.keyboard.press("Tab");
      const now = await focused();
      assert.ok(now.isSeen, `the focus is seen on ${now.tagName} ${now.text}`);
      if (now.text?.startsWith(text)) return;
    }
    assert.fail(`the keyboard does not come to ${text}`);
  };
  await page.keyboard.press("Tab");
  assert.equal((await focused()).text, "Skip to content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  await tabTo("Newsletter sign-ups");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Newsletter sign-ups" }).waitFor();
  await tabTo("Resume");
  await page.keyboard.press("Enter");
  // What was done is told, and the reader stands there.
  const told = page.locator(".done[role=status]");
  await told.waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.className), "done");
  await tabTo("Pause");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Resume", exact: true }).waitFor();
  assert.deepEqual(page.complaints, []);
  await page.close();
});

test("what is copied is told to a screen reader, and nothing moves for who wants no motion", { skip: noBrowser }, async () => {
  const path = `events/${scene.events.test}`;
  const options = { reducedMotion: "reduce", permissions: ["clipboard-read", "clipboard-write"] };
  const { page } = await openAt({ world, browser, tenant: full }, path, options, ADMIN);
  const region = page.locator("#announcer");
  assert.equal(await region.getAttribute("role"), "status");
  await page.locator("summary", { hasText: "Copy" }).first().click();
  await page.getByRole("button", { name: "curl command" }).first().click();
  await page.locator("#announcer", { hasText: "Copied" }).waitFor({ state: "attached" });
  const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((one) => {
    const { animationName, animationDuration, transitionDuration } = getComputedStyle(one);
    const lasts = (text) => text.split(",").some((part) => parseFloat(part) > 0.01);
    return (animationName !== "none" && lasts(animationDuration)) || lasts(transitionDuration);
  }).map((one) => one.outerHTML.slice(0, 80)));
  assert.deepEqual(moving, []);
  await page.close();
});
