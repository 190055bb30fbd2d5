// `npm run release -- 1.2.3`: a commit and a tag with the version and a dated changelog, and in build/release the notes
// and the bill of materials (SBOM); tests/fixtures gets the state that the next releases are tested on. It pushes nothing.
import { mkdirSync, writeFileSync } from "node:fs";
import { build } from "./build.mjs";
import { renderPages } from "./lib/pages.mjs";
import { inRepo, isMain, root } from "./lib/paths.mjs";
import { billOfMaterials, prepare } from "./lib/release.mjs";
import { ask, die, run, StepError, stopToolsOnSignals } from "./lib/run.mjs";
import { setup } from "./setup.mjs";

async function main() {
  const [version] = process.argv.slice(2);
  if (!version) throw new StepError("which version? `npm run release -- 1.2.3`");
  const git = (...args) => run("git", args, { cwd: root });
  if (ask("git", ["-C", root, "status", "--porcelain"])) throw new StepError("there are changes that are not committed.");
  const now = new Date().toISOString();
  const notes = prepare(root, version, now.slice(0, 10));
  // The document names the version, and whoever asks for it gets it from what was built.
  const tools = await setup();
  await renderPages(tools, { always: true });
  await build();
  // What the next releases have to start on.
  await run("cargo", ["test", "--test", "it", "the_state_of_a_release_is_written"], { cwd: root, env: { ...tools.rust.env, RELEASE: "1" }, inherit: true });
  const folder = inRepo("build", "release");
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/notes.md`, `${notes}\n`);
  writeFileSync(`${folder}/posthorn-${version}.cdx.json`, `${JSON.stringify(billOfMaterials(root, version, now), null, 2)}\n`);
  await git("add", "tests/fixtures");
  await git("commit", "--all", "--message", `Release ${version}`);
  await git("tag", "--annotate", `v${version}`, "--file", `${folder}/notes.md`);
  console.log(`\nv${version} is tagged; its notes and SBOM are in ${folder}.\nRun the tests (npm test), then: git push origin main v${version}`);
}

if (isMain(import.meta.url)) {
  stopToolsOnSignals();
  main().catch(die);
}
