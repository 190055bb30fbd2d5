// One measurement of startTimes(): compiles the module of a build folder, runs it and has it answer a request.
// What the platform provides is faked as far as a request without credentials needs it: it is answered 401.
// Prints {compileMs, firstMs}; `firstMs` goes from the compiled module to the answer.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

class WorkerEntrypoint {
  constructor(ctx, env) {
    Object.assign(this, { ctx, env });
  }
}
// The Worker asks for the names of these classes.
class D1Database {}
class WorkerQueue {}
class DurableObjectNamespace {}

globalThis.addEventListener ??= () => {};

const folder = process.argv[2];
const wasm = readFileSync(join(folder, "index_bg.wasm"));
const compiling = performance.now();
const compiled = new WebAssembly.Module(wasm);
const compileMs = performance.now() - compiling;

globalThis.started = { WorkerEntrypoint, DurableObject: WorkerEntrypoint, compiled };
const code = readFileSync(join(folder, "index.js"), "utf8")
  .replace(/import\s*\{([^}]*)\}\s*from\s*"cloudflare:workers";?/g, (_, names) => `const {${names.replaceAll(" as ", ":")}} = globalThis.started;`)
  .replace(/import\s+(\w+)\s+from\s*"\.\/index_bg\.wasm";?/, "const $1 = globalThis.started.compiled;");
const temporary = mkdtempSync(join(tmpdir(), "posthorn-bench-"));
try {
  const script = join(temporary, "index.mjs");
  writeFileSync(script, code);
  const url = pathToFileURL(script).href;
  const answering = performance.now();
  const { default: Entrypoint } = await import(url);
  const env = {
    ADMIN_TOKEN: "a".repeat(40),
    MASTER_KEYS: `a:${Buffer.alloc(32, 1).toString("base64")}`,
    LOG_SHARDS: "1",
    CONTROL: new D1Database(),
    LOG_0: new D1Database(),
    JOBS: new WorkerQueue(),
    UPKEEP: new WorkerQueue(),
    LANES: new DurableObjectNamespace(),
    INTAKE: new DurableObjectNamespace(),
  };
  const ctx = { waitUntil() {}, passThroughOnException() {} };
  const request = new Request("https://posthorn.example.com/api/v1/workspaces");
  const answer = await new Entrypoint(ctx, env).fetch(request, env, ctx);
  const firstMs = performance.now() - answering;
  if (answer.status !== 401) throw new Error(`answered ${answer.status}: ${await answer.text()}`);
  console.log(JSON.stringify({ compileMs, firstMs }));
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
