// What a release changes: versions, the changelog, its notes and its bill of materials.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { isOlder } from "./rust.mjs";
import { StepError } from "./run.mjs";

const VERSION = /^\d+\.\d+\.\d+$/;

/** Sets the version everywhere and dates the changelog. Answers the notes: what the changelog says of it. */
export function prepare(root, version, date) {
  const path = (name) => join(root, name);
  const cargo = readFileSync(path("Cargo.toml"), "utf8");
  const former = cargo.match(/^version = "(.*)"/m)[1];
  if (!VERSION.test(version)) throw new StepError(`${version} is not a version such as 1.2.3.`);
  if (!isOlder(former, version)) throw new StepError(`${version} is not newer than ${former}.`);
  const notes = dated(path("CHANGELOG.md"), version, date);
  writeFileSync(path("Cargo.toml"), cargo.replace(/^version = ".*"/m, `version = "${version}"`));
  edit(path("Cargo.lock"), (text) => text.replace(/(name = "posthorn"\nversion = ")[^"]*/, `$1${version}`));
  for (const name of ["package.json", "package-lock.json"]) {
    edit(path(name), (text) => text.replaceAll(new RegExp(`("name": "posthorn",\\s+"version": ")[^"]*`, "g"), `$1${version}`));
  }
  return notes;
}

const edit = (path, change) => writeFileSync(path, change(readFileSync(path, "utf8")));

function dated(path, version, date) {
  const text = readFileSync(path, "utf8");
  const found = text.match(/^## Unreleased\n([\s\S]*?)(?=^## |(?![\s\S]))/m);
  const notes = found?.[1].trim();
  if (!notes) throw new StepError("CHANGELOG.md says nothing under Unreleased.", { hint: "say what has changed for users." });
  writeFileSync(path, text.replace(found[0], () => `## Unreleased\n\n## ${version} - ${date}\n\n${notes}\n\n`).trimEnd() + "\n");
  return notes;
}

/** What it is made of, as CycloneDX 1.6: the crates of Cargo.lock and the packages of package-lock.json. */
export function billOfMaterials(root, version, timestamp) {
  const lock = readFileSync(join(root, "Cargo.lock"), "utf8");
  const crates = [...lock.matchAll(/\[\[package\]\]\nname = "(.*)"\nversion = "(.*)"\nsource = ".*"\n(?:checksum = "(.*)")?/g)]
    .map(([, name, of, checksum]) => part("cargo", name, of, checksum && { alg: "SHA-256", content: checksum }));
  const { packages } = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8"));
  const modules = Object.entries(packages).filter(([path]) => path.startsWith("node_modules/")).map(([path, one]) => {
    const [, algorithm, digest] = one.integrity?.match(/^(sha\d+)-(.*)$/) ?? [];
    const hash = digest && { alg: algorithm.replace("sha", "SHA-"), content: Buffer.from(digest, "base64").toString("hex") };
    return { ...part("npm", path.replace(/^.*node_modules\//, ""), one.version, hash), scope: "excluded" };
  });
  const unique = new Map([...crates, ...modules].map((one) => [one["bom-ref"], one]));
  return {
    bomFormat: "CycloneDX", specVersion: "1.6", version: 1,
    metadata: {
      timestamp,
      component: { type: "application", name: "posthorn", version, "bom-ref": `pkg:cargo/posthorn@${version}`, licenses: [{ license: { id: "Apache-2.0" } }] },
    },
    components: [...unique.values()],
  };
}

function part(kind, name, version, hash) {
  const purl = `pkg:${kind}/${name.replace(/^@/, "%40")}@${version}`;
  return { type: "library", name, version, purl, "bom-ref": purl, ...(hash ? { hashes: [hash] } : {}) };
}
