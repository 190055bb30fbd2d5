// A Worker and a receiver as `openWorld` gives them to tests, but on Miniflare's API with a socket of its own: the proxy
// of `wrangler dev` takes longer than most calls, and each time another while. It can be stopped and started on its state.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiClient, asAdmin } from "../../tools/lib/api.mjs";
import { freePort, HOST } from "../../tools/lib/ports.mjs";
import { openReceiver } from "../e2e/lib/receiver.mjs";
import { ADMIN_TOKEN } from "../e2e/lib/world.mjs";
import { helper, POSTHORN } from "./subjects.mjs";

/** Answers {baseUrl, localUrl, admin, receiver, stateDir, worker: {lines, sweep, stop}, restart, close}. */
export async function openDirect(vars) {
  const stateDir = mkdtempSync(join(tmpdir(), "posthorn-bench-"));
  const [port, innerPort] = [await freePort(), await freePort()];
  const receiver = await openReceiver();
  const subject = { ...POSTHORN, vars: { ...POSTHORN.vars, ...vars } };
  const begin = () => serve({ subject, state: join(stateDir, "v3"), port, innerPort });
  const baseUrl = `http://${HOST}:${port}`;
  const world = { stateDir, receiver, baseUrl, localUrl: `http://localhost:${port}`, worker: await begin() };
  world.admin = apiClient(baseUrl, asAdmin(ADMIN_TOKEN));
  world.restart = async () => (world.worker = await begin());
  world.close = async () => {
    await world.worker.stop();
    await receiver.close();
    rmSync(stateDir, { recursive: true, force: true });
  };
  return world;
}

async function serve(what) {
  const server = await helper("serve.mjs", JSON.stringify({ ...what, sendsLog: true }));
  await server.told();
  const sweep = async (cron = "* * * * *") => {
    const { outcome } = await server.ask({ cron });
    if (outcome !== "ok") throw new Error(`the sweep ended with ${outcome}`);
  };
  // As when wrangler starts it: what waited in the memory of a former run is due now.
  await sweep("@restart");
  return { lines: server.lines, sweep, stop: server.end };
}
