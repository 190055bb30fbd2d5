// A small web site for browsers to visit: fixed pages on an origin of its own.
import { createServer } from "node:http";
import { HOST } from "../../../tools/lib/ports.mjs";

/**
 * Starts it. `answer(request)` gives {status?, headers?, body?} for each request. `url` begins with
 * 127.0.0.1, `localUrl` with localhost: to browsers these are two sites.
 */
export async function openSite(answer) {
  const server = createServer((request, response) => {
    const { status = 200, headers = {}, body = "" } = answer(request);
    response.writeHead(status, { "content-type": "text/html; charset=utf-8", ...headers }).end(body);
  });
  await new Promise((ready, failed) => server.on("error", failed).listen(0, HOST, ready));
  const { port } = server.address();
  const close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { url: `http://${HOST}:${port}`, localUrl: `http://localhost:${port}`, close };
}
