// Posthorn as the demo shop and the loader see it, without Posthorn: sessions, events, the loader,
// and pages that set the embed's cookie, speak its protocol and keep what they hear.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { HOST } from "../../../tools/lib/ports.mjs";
import { LOADER } from "./host-page.mjs";

/**
 * Starts it. `url` has the name `localhost`, so that pages on 127.0.0.1 are of another site. `calls`
 * are the API's requests; `revoked` are sessions that cannot be refreshed; `ancestors` replaces the
 * origins that may frame its pages; `launched` are the queries of launch URLs, `cookies` what came with pages.
 */
export async function openFakePosthorn() {
  const fake = { calls: [], revoked: new Set(), ancestors: null, heightPx: 640, launched: [], cookies: [] };
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = chunks.length ? JSON.parse(Buffer.concat(chunks)) : undefined;
    const { status = 200, headers = {}, content } = answer(fake, request, body);
    response.writeHead(status, headers).end(content);
  });
  await new Promise((ready, failed) => server.on("error", failed).listen(0, HOST, ready));
  fake.url = `http://localhost:${server.address().port}`;
  fake.close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return fake;
}

function answer(fake, { method, url, headers }, body) {
  const { pathname, searchParams } = new URL(url, fake.url);
  if (pathname === "/embed.js") return { headers: { "content-type": "text/javascript" }, content: readFileSync(LOADER) };
  const [, opened, launching] = pathname.match(/^\/embed\/s\/([^/]+)\/(launch)?/) ?? [];
  if (launching) return launch(fake, opened, searchParams);
  if (opened) return framed(fake, opened, headers.cookie);
  if (!pathname.startsWith("/api/v1/")) return { status: 404 };
  const { authorization, "x-meshes-publishable-key": key } = headers;
  fake.calls.push({ method, path: pathname, body, authorization, key });
  const [, refreshed] = pathname.match(/^\/api\/v1\/sessions\/([^/]+)\/refresh$/) ?? [];
  if (fake.revoked.has(refreshed)) return json(409, { message: "The session is over" });
  if (refreshed) return json(200, { access_token: `again ${refreshed}` });
  if (pathname === "/api/v1/sessions") return session(fake, body);
  return json(201, { event: { id: randomUUID(), event: body.event } });
}

const json = (status, value) => ({ status, headers: { "content-type": "application/json" }, content: JSON.stringify(value) });

function session(fake, { allowed_origins }) {
  const session_id = randomUUID();
  fake.ancestors ??= allowed_origins.join(" ");
  const launch_url = `${fake.url}/embed/s/${session_id}/launch?token=once`;
  return json(200, { session_id, launch_url, access_token: "first", launch_token: "once" });
}

function launch(fake, session_id, query) {
  fake.launched.push(Object.fromEntries(query));
  const home = `/embed/s/${session_id}/`;
  const cookie = `session=${session_id}; Path=${home}; HttpOnly; Secure; SameSite=None; Partitioned`;
  return { status: 303, headers: { location: home, "set-cookie": cookie } };
}

function framed(fake, session_id, cookie) {
  fake.cookies.push(cookie);
  const say = [
    { type: "meshes:ready", session_id, expires_at: "2030-01-01T00:00:00.000Z" },
    { type: "meshes:navigate", path: `/embed/s/${session_id}/`, title: "Overview" },
    { type: "meshes:resize", height: fake.heightPx },
  ];
  const content = `<!doctype html><title>Overview</title><p>Session ${session_id}</p><script>
    window.heard = [];
    addEventListener("message", ({ origin, source, data }) => source === parent && heard.push({ origin, data }));
    for (const message of ${JSON.stringify(say)}) parent.postMessage(message, "*");
  </script>`;
  const policy = `frame-ancestors ${fake.ancestors}`;
  return { headers: { "content-type": "text/html", "content-security-policy": policy }, content };
}
