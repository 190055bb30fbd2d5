// The reference as it is served: static files beside the Worker, with their headers, while every other
// path still reaches the Worker. And how its pages look to a browser that runs no scripts.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { findChromium, NO_CHROMIUM, startChromium } from "../../tools/lib/chromium.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { assertError } from "./lib/shapes.mjs";
import { apiClient, asNobody } from "../../tools/lib/api.mjs";
import { newTenant, openWorld } from "./lib/world.mjs";

const skip = !findChromium() && !process.env.CI && NO_CHROMIUM;

let world;
before(async () => (world = await openWorld()));
after(() => world?.close());

const fetched = (path, init) => fetch(world.baseUrl + path, { redirect: "manual", ...init });
const file = (name) => readFileSync(inRepo("public", name), "utf8");

test("each file is served at its path, with headers that let it do nothing", async () => {
  const problems = readdirSync(inRepo("public", "problems")).map((name) => name.replace(".html", ""));
  for (const [path, name, type] of [
    ["/", "index.html", /^text\/html/],
    ["/docs", "docs.html", /^text\/html/],
    ["/docs.css", "docs.css", /^text\/css/],
    ["/docs.js", "docs.js", /javascript/],
    ["/llms.txt", "llms.txt", /^text\/plain/],
    ["/api/v1/openapi.json", "api/v1/openapi.json", /^application\/json/],
    ...problems.map((problem) => [`/problems/${problem}`, `problems/${problem}.html`, /^text\/html/]),
  ]) {
    const answer = await fetched(path);
    assert.equal(answer.status, 200, path);
    assert.equal(await answer.text(), file(name), path);
    assert.match(answer.headers.get("content-type"), type, path);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff", path);
    assert.match(answer.headers.get("content-security-policy"), /^default-src 'none'; style-src 'self';/, path);
    const shared = ["/llms.txt", "/api/v1/openapi.json"].includes(path);
    assert.equal(answer.headers.get("access-control-allow-origin"), shared ? "*" : null, path);
  }
  assert.ok(problems.length > 10);
});

test("the type of an error is the path of its page", async () => {
  const tenant = await newTenant(world);
  for (const [answer, status] of [
    [await tenant.api.get("/workspaces?limit=0"), 400],
    [await apiClient(world.baseUrl, asNobody).get("/workspaces"), 401],
    [await tenant.api.get("/rules/x"), 404],
    [await tenant.api.put("/rules", {}), 405],
  ]) {
    assertError(answer, status, ...(status === 400 ? ["limit"] : []));
    const page = await fetched(answer.body.type);
    assert.equal(page.status, 200);
    assert.ok((await page.text()).includes(`<span class="status">${status}</span>`));
  }
});

test("every other path reaches the Worker", async () => {
  for (const [path, method] of [["/nothing", "GET"], ["/problems", "GET"], ["/problems/none", "GET"], ["/_headers", "GET"],
    ["/api/v1", "GET"], ["/api/v1/nothing", "GET"], ["/api/v1//nothing", "POST"]]) {
    const answer = await fetched(path, { method });
    assert.equal(answer.status, 404, `${method} ${path}`);
    assert.equal(answer.headers.get("content-type"), "application/problem+json", path);
    assert.equal((await answer.json()).type, "/problems/not-found");
  }
  assert.equal((await fetched("/health")).status, 200);
  assert.match((await fetched("/embed.js")).headers.get("content-type"), /javascript/);
  // Neither is changed by it: an empty path segment, and a preflight.
  assert.equal((await fetched("/api/v1//events", { method: "POST" })).status, 401);
  assert.equal((await fetched("/api/v1/events", { method: "OPTIONS" })).status, 204);
});

test("the page needs no script, scrolls only downwards, and every link leads somewhere", { skip }, async () => {
  const browser = await startChromium();
  try {
    for (const [width, colorScheme] of [[1280, "light"], [360, "dark"]]) {
      const context = await browser.newContext({ javaScriptEnabled: false, viewport: { width, height: 800 }, colorScheme });
      const page = await context.newPage();
      const faults = [];
      page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
      page.on("requestfailed", (request) => faults.push(request.url()));
      await page.goto(`${world.baseUrl}/docs#emit_event`);
      assert.ok(await page.locator("#emit_event").isVisible());
      const box = await page.locator("main").boundingBox();
      assert.ok(box.x >= 0 && box.x + box.width <= width, `main is ${box.width} wide at ${box.x} of ${width}`);
      const background = await page.locator("body").evaluate((body) => getComputedStyle(body).backgroundColor);
      assert.equal(background, colorScheme === "dark" ? "rgb(20, 23, 28)" : "rgb(255, 255, 255)");
      const seen = new Set();
      for (const link of await page.locator("a").all()) seen.add((await link.getAttribute("href")).split("#")[0]);
      for (const path of [...seen].filter(Boolean)) assert.equal((await fetched(path)).status, 200, path);
      assert.deepEqual(faults.filter((fault) => !/favicon|404/.test(fault)), []);
      await context.close();
    }
  } finally {
    await browser.close();
  }
});

test("with its script the page names its own address, copies examples and finds operations", { skip }, async () => {
  const browser = await startChromium();
  try {
    const context = await browser.newContext({ permissions: ["clipboard-read", "clipboard-write"], viewport: { width: 1280, height: 800 } });
    const page = await context.newPage();
    const faults = [];
    page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(error.message));
    await page.goto(`${world.localUrl}/docs`);
    const example = page.locator("article", { has: page.locator("#emit_event") }).locator(".code").first();
    assert.match(await example.locator("pre").innerText(), new RegExp(`^curl -sS -X POST '${world.localUrl}/api/v1/events'`));
    await example.getByRole("button", { name: /^Copy the example/ }).click();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), await example.locator("pre").textContent());
    assert.equal(await page.locator(".said").textContent(), "Copied");
    await page.getByRole("searchbox", { name: "Find an operation" }).fill("rotate publishable");
    assert.deepEqual(await page.locator("nav li:visible a").evaluateAll((all) => all.map((link) => link.hash)), ["#rotate_publishable_key"]);
    await page.getByRole("searchbox").fill("");
    assert.ok((await page.locator("nav li:visible").count()) > 60);
    assert.deepEqual(faults.filter((fault) => !/favicon|404/.test(fault)), []);
  } finally {
    await browser.close();
  }
});
