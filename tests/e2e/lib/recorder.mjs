// One recording stand-in for all providers: Posthorn comes to it by PROVIDER_BASES, the official SDKs because what they
// send over https is led there.
import http from "node:http";
import https from "node:https";
import { HOST } from "../../../tools/lib/ports.mjs";

/** Where Posthorn's requests come in, below the stand-in. */
const OURS = "/posthorn";
/** Where those of the SDKs come in, with the host that they were meant for. */
const THEIRS = "/sdk/";

/** Starts the stand-in. `answers` are given in turn, the last of them again and again: [status, body]. */
export async function openRecorder() {
  const recorder = { requests: [], answers: [[200, {}]] };
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const { answers, requests } = recorder;
    const [status, body] = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(read(request, Buffer.concat(chunks).toString()));
    const bare = status === 204;
    response.writeHead(status, bare ? {} : { "content-type": "application/json" }).end(bare ? "" : JSON.stringify(body));
  });
  await new Promise((ready, failed) => server.on("error", failed).listen(0, HOST, ready));
  recorder.port = server.address().port;
  recorder.base = `http://${HOST}:${recorder.port}${OURS}`;
  /** Begins anew with these answers. */
  recorder.script = (answers) => Object.assign(recorder, { requests: [], answers });
  recorder.close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return recorder;
}

/** What counts of a request. The host is known of the SDKs' requests only. */
function read(request, text) {
  const url = new URL(request.url, `http://${HOST}`);
  const theirs = url.pathname.startsWith(THEIRS);
  const [host, ...parts] = theirs ? url.pathname.slice(THEIRS.length).split("/") : ["", url.pathname.slice(OURS.length + 1)];
  const type = (request.headers["content-type"] ?? "").split(";")[0];
  const query = Object.fromEntries([...url.searchParams].sort());
  // A form and JSON are compared by what they say.
  const fields = type === "application/x-www-form-urlencoded" ? Object.fromEntries(new URLSearchParams(text)) : undefined;
  const body = fields ?? (text ? JSON.parse(text) : undefined);
  const { headers, method } = request;
  const signs = headers.authorization ?? headers["x-api-token"];
  return { method, host, path: decodeURIComponent(`/${parts.join("/")}`), query, type, body, signs, key: headers["idempotency-key"] };
}

/** Leads all that is sent over https to the stand-in while `work` runs. */
export async function leading(recorder, work) {
  const [theirFetch, theirRequest, theirGet] = [globalThis.fetch, https.request, https.get];
  const led = (url) => `http://${HOST}:${recorder.port}${THEIRS}${url.host}${url.pathname}${url.search}`;
  globalThis.fetch = (input, init) => {
    const url = new URL(input?.url ?? input);
    return theirFetch(url.protocol === "https:" ? led(url) : input, init);
  };
  https.request = (first, ...rest) => {
    const given = typeof first === "string" || first instanceof URL ? new URL(first) : undefined;
    const options = given ? (typeof rest[0] === "object" ? rest[0] : {}) : first;
    const host = given?.host ?? options.hostname ?? options.host;
    const path = given ? `${given.pathname}${given.search}` : options.path;
    const { href, hostname, agent, agents, port, protocol, ...kept } = options;
    const to = { ...kept, host: HOST, port: recorder.port, path: `${THEIRS}${host}${path}`, protocol: "http:" };
    return http.request(to, rest.find((one) => typeof one === "function"));
  };
  https.get = (...given) => https.request(...given).end();
  try {
    return await work();
  } finally {
    globalThis.fetch = theirFetch;
    Object.assign(https, { request: theirRequest, get: theirGet });
  }
}
