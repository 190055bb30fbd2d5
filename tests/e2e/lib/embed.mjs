// Sessions of the embed, opened as a product's backend does.
import { after, before } from "node:test";
import { apiClient, asMachine } from "../../../tools/lib/api.mjs";
import { noBrowser, openBrowser, openPage } from "./browser.mjs";
import { newTenant, ok, openWorld } from "./world.mjs";

/** What a session is asked for where a test says nothing else. */
const USUAL = { role: "admin", scopes: ["events.payload:read"] };

/** A session of the tenant's workspace, or what `more` says; the answer of the API. */
export async function newSession(world, tenant, more = {}) {
  // Launch URLs begin as the API was called: browsers are to find the embed on another site.
  const api = apiClient(world.localUrl, asMachine(tenant.machine));
  return ok(await api.post("/sessions", { workspace_id: tenant.workspace.id, ...USUAL, ...more }));
}

/** For a file of tests: a Worker, a browser and a tenant of this name, which `use` is given before the first test. */
export function withEmbed(name, use) {
  let world, browser;
  before(async () => {
    if (noBrowser) return;
    // One after the other: what is open when the other does not open is closed below.
    world = await openWorld();
    browser = await openBrowser();
    await use({ world, browser, tenant: await newTenant(world, name) });
  });
  after(async () => {
    await browser?.close();
    await world?.close();
  });
}

/** A page of a new session at this path of it, and where the session's pages begin. `more` is asked for the session. */
export async function openAt({ world, browser, tenant }, path, options, more) {
  const page = await openPage(browser, options);
  const { session_id, launch_url } = await newSession(world, tenant, more);
  await page.goto(launch_url);
  const home = `${world.localUrl}/embed/s/${session_id}`;
  await page.goto(`${home}/${path}`);
  return { page, home };
}
