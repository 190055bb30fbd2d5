// Sessions of the embed, opened as a product's backend does.
import { apiClient, asMachine } from "../../../tools/lib/api.mjs";
import { ok } from "./world.mjs";

/** What a session is asked for where a test says nothing else. */
const USUAL = { role: "admin", scopes: ["events.payload:read"] };

/** A session of the tenant's workspace, or what `more` says; the answer of the API. */
export async function newSession(world, tenant, more = {}) {
  // Launch URLs begin as the API was called: browsers are to find the embed on another site.
  const api = apiClient(world.localUrl, asMachine(tenant.machine));
  return ok(await api.post("/sessions", { workspace_id: tenant.workspace.id, ...USUAL, ...more }));
}
