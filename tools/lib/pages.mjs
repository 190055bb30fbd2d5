// The pages of public/ that are rendered from src/reference: the reference, a page for each problem,
// llms.txt and the page at `/`.
import { existsSync } from "node:fs";
import { inRepo, root } from "./paths.mjs";
import { run } from "./run.mjs";
import { hashOf, readStamp, writeStamp } from "./stamp.mjs";
import { step } from "./steps.mjs";

const RENDERED = ["docs.html", "index.html", "llms.txt", "problems"];
const STAMP = inRepo("target", ".posthorn-pages");
const RENDER_MS = 900_000;

/** Renders the pages, and the document with them, unless they are what the sources at hand would give. */
export async function renderPages({ rust }, { always = false } = {}) {
  // What the pages say of the API comes from the same descriptions as the committed document, and a
  // test holds that one against the sources.
  const sources = ["src/reference", "src/bin", "public/api/v1/openapi.json", "Cargo.lock"].map((name) => inRepo(name));
  const wanted = hashOf(sources);
  const complete = RENDERED.every((name) => existsSync(inRepo("public", name)));
  if (!always && complete && readStamp(STAMP) === wanted) return;
  // The profile of the tests: what was compiled for them is not compiled again.
  const args = ["run", "--quiet", "--profile", "test", "--bin", "render"];
  await step("Pages of the reference (cargo run --bin render)", (note) =>
    run("cargo", args, { cwd: root, env: rust.env, timeoutMs: RENDER_MS, onLine: note }));
  // The document may be another one now.
  writeStamp(STAMP, hashOf(sources));
}
