// A Worker and a receiver as `openWorld` gives them to tests, but on Miniflare's API with a socket of its own: the proxy
// of `wrangler dev` takes longer than most calls, and each time another while. It can be stopped and started on its state.
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { apiClient, asAdmin } from "../../tools/lib/api.mjs";
import { freePort, HOST } from "../../tools/lib/ports.mjs";
import { openReceiver } from "../e2e/lib/receiver.mjs";
import { ADMIN_TOKEN } from "../e2e/lib/world.mjs";
import { POSTHORN } from "./subjects.mjs";

/** Answers {baseUrl, localUrl, admin, receiver, stateDir, worker: {lines, sweep, stop}, restart, close}. */
export async function openDirect(vars) {
  const stateDir = mkdtempSync(join(tmpdir(), "posthorn-bench-"));
  const [port, innerPort] = [await freePort(), await freePort()];
  const receiver = await openReceiver();
  const subject = { ...POSTHORN, vars: { ...POSTHORN.vars, ...vars } };
  const begin = () => serve({ subject, state: join(stateDir, "v3"), port, innerPort, isTold: true });
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
  const child = fork(join(import.meta.dirname, "serve.mjs"), [JSON.stringify(what)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  const gone = once(child, "exit").then(([code]) => {
    throw new Error(`serve.mjs ended with ${code}`);
  });
  gone.catch(() => {});
  const lines = [];
  let heard;
  child.on("message", (message) => (message.line === undefined ? heard?.(message) : lines.push(message.line)));
  const told = () => Promise.race([new Promise((done) => (heard = done)), gone]);
  await told();
  const sweep = async (cron = "* * * * *") => {
    const over = told();
    child.send({ cron });
    const { outcome } = await over;
    if (outcome !== "ok") throw new Error(`the sweep ended with ${outcome}`);
  };
  // As when wrangler starts it: what waited in the memory of a former run is due now.
  await sweep("@restart");
  const stop = async () => {
    const over = once(child, "exit");
    child.disconnect();
    await over;
  };
  return { lines, sweep, stop };
}
