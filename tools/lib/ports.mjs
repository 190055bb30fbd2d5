// TCP ports on this machine.
import { randomInt } from "node:crypto";
import { createServer } from "node:net";

export const HOST = "127.0.0.1";

/**
 * Below what operating systems hand out for connections and for "any port" (from 32768 on Linux, from
 * 49152 elsewhere): a port from there can be taken between this question and its use.
 */
const OURS = { from: 20_000, to: 32_000 };
const TRIES = 100;

/** A port that nobody uses. */
export async function freePort() {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = randomInt(OURS.from, OURS.to);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${OURS.from} and ${OURS.to}`);
}

/** Whether a server could be started on the port. */
export function isFree(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error) => (error.code === "EADDRINUSE" ? resolve(false) : reject(error)));
    server.listen(port, HOST, () => server.close(() => resolve(true)));
  });
}
