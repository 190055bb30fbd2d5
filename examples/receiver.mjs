// The customer's side of the demo: an endpoint that verifies what it gets with the official library and shows it.
import { createServer } from "node:http";
import { isMain } from "../tools/lib/paths.mjs";
import { die } from "../tools/lib/run.mjs";
import { freePort, HOST, isFree } from "../tools/lib/ports.mjs";

const BODY_BYTES_MAX = 16 * 1024 * 1024;
const SHOWN = /^(webhook-|posthorn-|content-type$|user-agent$)/;

/**
 * Starts the receiver on `port` when that is free, else on another. `print` gets one block of text
 * per request. Answers {url, port, close()}.
 */
export async function startReceiver({ port, secret, print = console.log }) {
  // Loaded here and not above, because the set-up that installs it runs in this same process.
  const { Webhook } = await import("standardwebhooks");
  const webhook = new Webhook(secret);
  const server = createServer(async (request, response) => {
    const body = await wholeBody(request);
    if (body === null) return response.writeHead(413).end();
    const verdict = verify(webhook, body, request.headers);
    print(block(request, body, verdict));
    response.writeHead(verdict === null ? 204 : 401).end();
  });
  const chosen = port && (await isFree(port)) ? port : await freePort();
  await new Promise((ready, failed) => server.on("error", failed).listen(chosen, HOST, ready));
  const close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { url: `http://${HOST}:${chosen}/webhooks`, port: chosen, close };
}

async function wholeBody(request) {
  const chunks = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      bytes += chunk.length;
      if (bytes > BODY_BYTES_MAX) return null;
      chunks.push(chunk);
    }
  } catch {
    // The sender went away in the middle: there is nobody to answer.
    return null;
  }
  return Buffer.concat(chunks);
}

/** Null when the signature is right, else why it is not. */
function verify(webhook, body, headers) {
  try {
    // Only the signature is asked about: whether the body parses is the event's author's affair.
    webhook.verify(body, headers, { jsonParse: false });
    return null;
  } catch (error) {
    return error.message;
  }
}

function block(request, body, verdict) {
  const rule = "─".repeat(72);
  const headers = Object.entries(request.headers).filter(([name]) => SHOWN.test(name));
  return [
    `┌${rule}`,
    `│ ${verdict === null ? "✔ VERIFIED by standardwebhooks" : `✘ NOT verified: ${verdict}`}`,
    `│ ${request.method} ${request.url}   ${body.length} bytes   ${new Date().toISOString()}`,
    ...headers.map(([name, value]) => `│ ${name}: ${value}`),
    `├${rule}`,
    body.toString("utf8"),
    `└${rule}`,
  ].join("\n");
}

async function main() {
  const secret = process.env.SIGNING_SECRET;
  if (!secret) throw new Error("set SIGNING_SECRET to the connection's whsec_... secret");
  const { url } = await startReceiver({ port: Number(process.env.PORT) || undefined, secret });
  console.log(`Listening on ${url}`);
}

if (isMain(import.meta.url)) main().catch(die);
