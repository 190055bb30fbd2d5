// A customer's endpoint: keeps every request as raw bytes and answers each path as its script says.
import { createServer } from "node:http";
import { HOST } from "../../../tools/lib/ports.mjs";
import { sleep, until } from "./until.mjs";

/**
 * Starts a receiver. A path without a script answers 204. A script is one of the behaviours below, or
 * several: one for each request in turn, the last for all that follow.
 */
export async function openReceiver() {
  const scripts = new Map();
  const requests = [];
  let others = [answer(204)];
  const server = createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    const seen = { path: request.url, method: request.method, headers: request.headers, atMs: Date.now() };
    seen.rawHeaders = request.rawHeaders;
    try {
      const chunks = [];
      for await (const chunk of request) chunks.push(chunk);
      seen.body = Buffer.concat(chunks);
    } catch {
      // Cut off in the middle of a request: it did not arrive.
      return;
    }
    const number = requests.filter(({ path }) => path === request.url).length;
    requests.push(seen);
    const script = scripts.get(request.url) ?? others;
    response.on("error", () => {}).on("close", () => (seen.closed = true));
    await script[Math.min(number, script.length - 1)](seen, response);
  });
  await new Promise((ready, failed) => server.on("error", failed).listen(0, HOST, ready));
  const at = (path) => requests.filter((request) => request.path === path);
  return {
    requests,
    at,
    url: (path) => `http://${HOST}:${server.address().port}${path}`,
    /** Says how a path answers from now on. */
    on: (path, ...behaviours) => void scripts.set(path, behaviours),
    /** The same for every path without a script. */
    otherwise: (...behaviours) => void (others = behaviours),
    /** Waits until as many requests as asked for have arrived at a path, and answers them. */
    async arrived(path, count = 1, timeoutMs = 15_000) {
      const enough = () => at(path).length >= count || `${at(path).length} arrived`;
      await until(`${count} requests at ${path}`, enough, timeoutMs, 20);
      return at(path);
    },
    close: () => new Promise((done) => {
      server.close(done);
      server.closeAllConnections();
    }),
  };
}

/** Answers with a status, headers and body, after a while if asked for. */
export function answer(status, { headers = {}, body, afterMs = 0 } = {}) {
  return async (seen, response) => {
    if (afterMs) await sleep(afterMs);
    response.writeHead(status, headers).end(typeof body === "function" ? body(seen) : body);
  };
}

/** Never answers. */
export const hang = () => () => {};

/** Answers 200 at once and goes on with its body for ever: `chunk` each `everyMs`, or as fast as it is taken. */
export function endless({ chunk = Buffer.alloc(4096, "x"), everyMs = 0 } = {}) {
  return (_, response) => {
    response.writeHead(200, { "content-type": "text/plain" });
    if (everyMs) {
      const timer = setInterval(() => response.write(chunk), everyMs);
      response.once("close", () => clearInterval(timer));
      return;
    }
    const pump = () => {
      while (!response.destroyed && response.write(chunk));
    };
    response.on("drain", pump);
    pump();
  };
}
