// Every code sample and command of the pages: it is run, here or against the running Worker (tests/e2e/samples.test.mjs),
// or it is known to need an account, and then its words are checked.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHmac, randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseArgs, promisify } from "node:util";
import { Webhook } from "standardwebhooks";
import { chosen, OPTIONS as ADMIN_OPTIONS } from "../../tools/admin.mjs";
import { OPTIONS as DEPLOY_OPTIONS } from "../../tools/deploy.mjs";
import { mintToken } from "../../tools/lib/api.mjs";
import { inRepo } from "../../tools/lib/paths.mjs";
import { wranglerCommand } from "../../tools/lib/wrangler.mjs";
import { commands, evaluate, fenced, pages, sample } from "./lib/samples.mjs";

/** Samples that are run, by their page and a text that they hold. */
const RUN = [
  ["README.md", 'post("/workspaces"'], ["README.md", "X-Meshes-Publishable-Key"], ["README.md", "new Webhook"],
  ["docs/api.md", "machineToken("], ["docs/api.md", '"error": {"name"'], ["docs/api.md", '{"and": ['],
  ["docs/embed.md", 'app.post("/webhooks/session"'], ["docs/migrate.md", "emitOutbox"],
  // Held against what is emitted, in tests/it/notices.rs.
  ["docs/operate.md", '"cause": "endpoint_gone"'],
];
/** Samples for a page of the product, whose functions the tests of loader and shop call. */
const BROWSER = [["README.md", "embed.js"], ["README.md", "Posthorn.mount"], ["docs/embed.md", "embed.js"], ["docs/embed.md", "Posthorn.mount"],
  ["docs/embed.md", "useEffect"]];

test("no sample is left out", () => {
  for (const { page, language, code } of pages().flatMap(fenced)) {
    if (["sh", "sql", ""].includes(language)) continue;
    const known = [...RUN, ...BROWSER].filter(([where, holds]) => where === page && code.includes(holds));
    assert.ok(known.length, `nothing runs this sample of ${page}:\n${code}`);
  }
});

test("JSON is JSON, and JavaScript compiles", () => {
  for (const { page, language, code } of pages().flatMap(fenced)) {
    if (language === "json") JSON.parse(code);
    const AsyncFunction = (async () => {}).constructor;
    if (language === "js") assert.ok(new AsyncFunction(code.replace(/^import .*$/gm, "").replace(/^export /gm, "")), page);
  }
});

test("commands are there, with the options that they take", () => {
  const { scripts } = JSON.parse(readFileSync(inRepo("package.json"), "utf8"));
  let seen = 0;
  for (const { page, command, needsAccount } of pages().flatMap(commands)) {
    const [program, verb, name, ...rest] = command.split(/\s+/).filter((word) => word !== "-s");
    const where = `${page}: ${command}`;
    if (program === "npm" && verb === "run") assert.ok(scripts[name], where);
    if (program === "npm" && ["start", "test"].includes(verb)) assert.ok(scripts[verb], where);
    if (program === "npx") assert.ok(needsAccount && verb === "wrangler", `${where} needs an account, and its sample does not say so`);
    const words = rest.join(" ").replace(/^-- ?/, "").match(/"[^"]*"|[^\s)"]+/g)?.map((word) => (word === "..." ? "x.example.com" : word)) ?? [];
    if (name === "deploy") parseArgs({ args: words.filter((word) => word !== "COMMAND"), options: DEPLOY_OPTIONS });
    if (name === "admin" && words.length && words[0] !== "COMMAND") {
      const { positionals } = parseArgs({ args: words, options: ADMIN_OPTIONS, allowPositionals: true });
      chosen(positionals);
    }
    seen += 1;
  }
  assert.ok(seen > 40, `${seen}`);
});

test("what is named in a command of cargo, node or a script is there", () => {
  const tests = readdirSync(inRepo("tests", "it"), { recursive: true }).filter((name) => name.endsWith(".rs"));
  const native = tests.map((name) => `mod ${name.replace(/\.rs$|\/.*/g, "")}\n${readFileSync(inRepo("tests", "it", name), "utf8")}`).join("\n");
  const sources = readdirSync(inRepo("src"), { recursive: true });
  const steps = readFileSync(inRepo("tools", "test.mjs"), "utf8");
  const mutants = readdirSync(inRepo("tests", "mutants"));
  let seen = 0;
  for (const { page, command } of pages().flatMap(commands)) {
    const where = `${page}: ${command}`;
    const [, it] = command.match(/cargo test --test it ([a-z_]+)/) ?? [];
    const [, lib] = command.match(/cargo test --lib ([a-z_]+)/) ?? [];
    const [, named] = command.match(/^npm test -- ([a-z ]+)$/) ?? [];
    const [, mutant] = command.match(/^npm run mutants -- (\S+)/) ?? [];
    const [, file] = command.match(/node --test (tests\S+)/) ?? [];
    if (it) assert.match(native, new RegExp(`\\b(mod|fn) ${it}\\b`), where);
    if (lib) assert.ok(sources.some((name) => name.includes(lib)), where);
    for (const step of named?.split(" ") ?? []) assert.match(steps, new RegExp(`^  ${step}[:,]`, "m"), where);
    if (mutant) assert.ok(mutants.some((name) => name.includes(mutant)), where);
    if (file) assert.ok(existsSync(inRepo(file)), where);
    seen += [it, lib, named, mutant, file].filter(Boolean).length;
  }
  assert.ok(seen >= 8, `${seen}`);
});

test("wrangler knows each of its commands that the pages tell to run", async () => {
  const folder = mkdtempSync(join(tmpdir(), "posthorn-wrangler-"));
  const { command, first, env, cwd } = wranglerCommand(process.execPath, folder);
  const lines = new Set(pages().flatMap(commands).map((one) => one.command.replace(/<[^>]*>/g, "x")).filter((line) => /^(npx )?wrangler /.test(line)));
  for (const line of lines) {
    const words = line.replace(/^npx /, "").split(" ").slice(1);
    const flags = words.filter((word) => word.startsWith("--"));
    const named = words.slice(0, words.findIndex((word) => !/^[a-z]/.test(word)) >>> 0);
    const { stdout } = await promisify(execFile)(command, [...first, ...named, "--help"], { env: { ...process.env, ...env }, cwd });
    const verb = named.slice(0, named[0] === "secret" || named[0] === "d1" ? 2 : 1).join(" ");
    assert.ok(stdout.startsWith(`wrangler ${verb}`) || stdout.includes(`\nwrangler ${verb}`), `${line}\n${stdout.slice(0, 300)}`);
    for (const flag of flags) assert.ok(stdout.includes(flag), `${line}: ${flag}`);
  }
  assert.ok(lines.size >= 4, `${lines.size}`);
  rmSync(folder, { recursive: true, force: true });
});

test("README: the receiver answers 204 to a request that verifies, and 401 to any other", async () => {
  const secret = `whsec_${randomBytes(32).toString("base64")}`;
  let handler;
  const app = { post: (path, middleware, handle) => (handler = handle) };
  process.env.WEBHOOK_SECRET = secret;
  await evaluate(sample("README.md", "new Webhook"), { Webhook, app, express: { raw: () => null }, process });
  const answer = (headers) => {
    let status;
    const res = { sendStatus: (code) => (status = code) };
    handler({ body: Buffer.from('{"a":1}'), headers }, res);
    return status;
  };
  const now = new Date();
  const headers = (signature, at = now) => ({
    "webhook-id": "msg_1", "webhook-timestamp": String(Math.floor(at / 1000)), "webhook-signature": signature,
  });
  const right = new Webhook(secret).sign("msg_1", now, '{"a":1}');
  const old = new Date(now - 3_600_000);
  assert.equal(answer(headers(right)), 204);
  assert.equal(answer(headers("v1,AAAA")), 401);
  assert.equal(answer(headers(new Webhook(secret).sign("msg_1", old, '{"a":1}'), old)), 401);
  assert.equal(answer({}), 401);
});

test("docs/api.md: the function makes the token that the client makes", async () => {
  const keys = { access_key: "mk_1", secret_key: "sk", organization_id: "org-1" };
  const token = await evaluate(sample("docs/api.md", "machineToken("), { createHmac, keys }, "machineToken(keys)");
  const [header, claims, signature] = token.split(".");
  const [sameHeader, sameClaims] = mintToken({ organizationId: "org-1", accessKey: "mk_1", secretKey: "sk" }).split(".");
  const read = (part) => JSON.parse(Buffer.from(part, "base64url"));
  assert.deepEqual(read(header), read(sameHeader));
  const { iat, exp, ...named } = read(claims);
  const { iat: _, exp: __, ...same } = read(sameClaims);
  assert.deepEqual(named, same);
  assert.ok(exp - iat <= 60);
  assert.equal(signature, createHmac("sha256", "sk").update(`${header}.${claims}`).digest("base64url"));
});

test("docs/embed.md: a session for whoever is logged in, and refreshed only by its own", async () => {
  const handlers = {};
  const app = { post: (path, requireLogin, handle) => (handlers[path] = handle) };
  const calls = [];
  const fake = async (url, init) => {
    calls.push({ url, body: init.body && JSON.parse(init.body), authorization: init.headers.Authorization });
    return Response.json({ launch_url: "https://p/embed/launch", session_id: "s1", access_token: "t", launch_token: "l" });
  };
  const scope = { app, requireLogin: null, fetch: fake, POSTHORN_URL: "https://p", machineToken: () => "token", keys: {} };
  await evaluate(sample("docs/embed.md", 'app.post("/webhooks/session"'), scope);
  const call = async (path, req) => {
    const res = { headers: {}, set(name, value) { return (this.headers[name] = value), this; }, json(body) { this.body = body; }, sendStatus(status) { this.status = status; } };
    await handlers[path](req, res);
    return res;
  };
  const session = {};
  const opened = await call("/webhooks/session", { user: { posthornWorkspace: "w1", isAdmin: true, id: "ann" }, session });
  assert.deepEqual(opened.body, { launch_url: "https://p/embed/launch", session_id: "s1", access_token: "t" });
  assert.equal(opened.headers["Cache-Control"], "no-store");
  assert.equal(calls[0].body.workspace_id, "w1");
  assert.equal((await call("/webhooks/session/refresh", { session: {} })).status, 404);
  assert.deepEqual((await call("/webhooks/session/refresh", { session })).body, { access_token: "t" });
  assert.equal(calls.at(-1).url, "https://p/api/v1/sessions/s1/refresh");
});

test("docs/migrate.md: an outbox forgets what was stored, and stops at what was not", async () => {
  const rows = ["a", "b", "c", "d"].map((id) => ({ id, event: "order.completed", payload: `{"n": 1.0, "id": "${id}"}` }));
  const run = async (statuses) => {
    const [sent, forgotten] = [[], []];
    const emit = async (path, { headers, body }) => {
      sent.push({ key: headers["Idempotency-Key"], body });
      return { status: statuses[headers["Idempotency-Key"]] ?? 201 };
    };
    const scope = { rows, emit, forget: async (id) => forgotten.push(id) };
    await evaluate(sample("docs/migrate.md", "emitOutbox"), scope, "await emitOutbox(rows, emit, forget)");
    return { sent, forgotten };
  };
  const { sent, forgotten } = await run({});
  assert.deepEqual(forgotten, ["a", "b", "c", "d"]);
  assert.equal(sent[0].body, '{"event":"order.completed","payload":{"n": 1.0, "id": "a"}}');
  assert.deepEqual((await run({ c: 503 })).forgotten, ["a", "b"]);
  assert.deepEqual((await run({ b: 409, d: 429 })).forgotten, ["a", "b", "c"]);
  await assert.rejects(run({ b: 400 }), /b: 400/);
});
