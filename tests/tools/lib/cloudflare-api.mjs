// Cloudflare's API as far as a deploy needs it, for the real wrangler (CLOUDFLARE_API_BASE_URL): an account that
// remembers what was created.
import { createServer } from "node:http";

const ACCOUNT = "0123456789abcdef0123456789abcdef";

/** Starts it; answers {url, account, state, requests, close()}. */
export async function openCloudflareApi() {
  const state = { databases: [], queues: [], scripts: {}, tables: {}, consumers: [], domains: [] };
  const requests = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const url = new URL(request.url, "http://api");
    requests.push(`${request.method} ${url.pathname}`);
    const { status = 200, code = 10007, result, error, info } = answer(state, request, url, body);
    response.writeHead(status, { "content-type": "application/json" });
    const errors = error ? [{ code, message: error }] : [];
    response.end(JSON.stringify({ success: !error, errors, messages: [], result: result ?? null, result_info: info }));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  const close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${server.address().port}/client/v4`, account: ACCOUNT, state, requests, close };
}

function answer(state, request, url, body) {
  const path = url.pathname.replace("/client/v4", "").replace(`/accounts/${ACCOUNT}`, "/account");
  const { method } = request;
  const is = (verb, pattern) => method === verb && path.match(pattern);
  const json = () => JSON.parse(body.toString() || "{}");
  let found;
  if (is("GET", /^\/user\/tokens\/verify$/)) return { result: { id: "t", status: "active" } };
  if (is("GET", /^\/user$/)) return { result: { id: "u", email: "a@example.com" } };
  if (is("GET", /^\/(accounts|memberships)$/)) {
    const account = { id: ACCOUNT, name: "Mine" };
    const all = path === "/accounts" ? [account] : [{ id: "m", account }];
    return { result: all, info: { page: 1, per_page: 50, total_pages: 1, count: 1, total_count: 1 } };
  }
  if (is("GET", /^\/account\/d1\/database$/)) {
    const named = state.databases.filter(({ name }) => !url.searchParams.get("name") || name === url.searchParams.get("name"));
    return { result: Number(url.searchParams.get("page") ?? 1) > 1 ? [] : named, info: { total_pages: 1 } };
  }
  if (is("POST", /^\/account\/d1\/database$/)) {
    const { name } = json();
    const uuid = `00000000-0000-4000-8000-${String(state.databases.length + 1).padStart(12, "0")}`;
    state.databases.push({ uuid, name, version: "production", created_at: "2026-11-28T00:00:00Z" });
    state.tables[uuid] = { ran: [], migrations: [] };
    return { result: state.databases.at(-1) };
  }
  if ((found = is("GET", /^\/account\/d1\/database\/([^/]+)$/))) {
    const database = state.databases.find(({ uuid, name }) => [uuid, name].includes(found[1]));
    return database ? { result: { ...database, file_size: 8192 } } : { status: 404, code: 7404, error: "The database was not found" };
  }
  if ((found = is("POST", /^\/account\/d1\/database\/([^/]+)\/query$/))) return { result: query(state.tables[found[1]], json()) };
  if (is("GET", /^\/account\/queues$/)) {
    const named = state.queues.filter(({ queue_name: name }) => !url.searchParams.get("name") || name === url.searchParams.get("name"));
    return { result: named.map((queue) => withConsumers(state, queue)), info: { page: 1, total_pages: 1 } };
  }
  if (is("POST", /^\/account\/queues$/)) {
    state.queues.push({ queue_name: json().queue_name, queue_id: `q${state.queues.length + 1}`, created_on: "", modified_on: "", settings: {} });
    return { result: state.queues.at(-1) };
  }
  if ((found = is("GET", /^\/account\/queues\/([^/]+)\/consumers$/))) return { result: withConsumers(state, { queue_id: found[1] }).consumers };
  if ((found = is("POST", /^\/account\/queues\/([^/]+)\/consumers$/))) {
    state.consumers.push({ ...json(), consumer_id: `c${state.consumers.length + 1}`, queue: found[1], script: json().script_name });
    return { result: state.consumers.at(-1) };
  }
  if (is("PUT", /^\/account\/queues\/[^/]+\/consumers\/[^/]+$/)) return { result: {} };
  return worker(state, is, json, body) ?? { status: 404, error: `not scripted: ${method} ${path}` };
}

function withConsumers(state, queue) {
  const consumers = state.consumers.filter(({ queue: id }) => id === queue.queue_id);
  return { ...queue, producers: [], producers_total_count: 0, consumers, consumers_total_count: consumers.length };
}

function query(database, { sql }) {
  database.ran.push(sql);
  const results = [];
  if (/from\s+sqlite_master/i.test(sql)) results.push(...(database.migrations.length ? ["d1_migrations", "organizations", "workspaces", "connections"] : []).map((name) => ({ name })));
  if (/count\(\*\) as n from organizations/.test(sql)) results.push({ n: 0 });
  if (/select \*\s+from\s+"?d1_migrations/i.test(sql) || /^select name from d1_migrations/i.test(sql)) {
    results.push(...database.migrations.map((name, id) => ({ id, name, applied_at: "" })));
  }
  for (const [, name] of sql.matchAll(/insert into "?d1_migrations"? \(name\)\s*values \('([^']+)'\)/gi)) database.migrations.push(name);
  return [{ results, success: true, meta: { duration: 1, rows_read: 0, rows_written: 0 } }];
}

function worker(state, is, json, body) {
  let found;
  const missing = { status: 404, error: "This Worker does not exist on your account." };
  if ((found = is("GET", /^\/account\/workers\/scripts\/([^/]+)\/secrets$/))) {
    const script = state.scripts[found[1]];
    return script ? { result: script.secrets.map((name) => ({ name, type: "secret_text" })) } : missing;
  }
  if ((found = is("GET", /^\/account\/workers\/services\/([^/]+)$/))) {
    return state.scripts[found[1]] ? { result: { default_environment: { environment: "production", script: { last_deployed_from: "wrangler", tag: "t" } } } } : missing;
  }
  if (is("GET", /^\/account\/workers\/subdomain$/)) return { result: { subdomain: "mine" } };
  if ((found = is("POST", /^\/account\/workers\/scripts\/([^/]+)\/assets-upload-session$/))) return { result: { jwt: "done", buckets: [] } };
  if ((found = is("PUT", /^\/account\/workers\/scripts\/([^/]+)$/)) || (found = is("POST", /^\/account\/workers\/scripts\/([^/]+)\/versions$/))) {
    const text = body.toString("latin1");
    const metadata = JSON.parse(text.match(/name="metadata"\r\n(?:[^\r]+\r\n)*\r\n(\{.*?\})\r\n--/s)[1]);
    const secrets = metadata.bindings.filter(({ type }) => type === "secret_text").map(({ name }) => name);
    const former = state.scripts[found[1]]?.secrets ?? [];
    state.scripts[found[1]] = { secrets: [...new Set([...former, ...secrets])], metadata };
    return { result: { id: "v1", deployment_id: "d1", available_on_subdomain: true, startup_time_ms: 5, pipeline_hash: "p", mutable_pipeline_id: "m", etag: "e", tag: "t", metadata: { author_email: "a@example.com" } } };
  }
  if (is("GET", /^\/account\/workers\/workers\/[^/]+$/)) return { result: { subdomain: state.subdomain ?? { enabled: false } } };
  if (is("GET", /^\/account\/workers\/scripts\/[^/]+\/subdomain$/)) return { result: { enabled: true, previews_enabled: false } };
  if (is("POST", /^\/account\/workers\/scripts\/[^/]+\/subdomain$/)) return { result: (state.subdomain = json()) };
  if (is("PUT", /^\/account\/workers\/scripts\/[^/]+\/schedules$/)) return { result: { schedules: json() } };
  return null;
}
