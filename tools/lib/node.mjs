// A Node new enough for wrangler, and this repository's npm packages.
import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { inCache, inRepo, platformKey, root } from "./paths.mjs";
import { run, StepError } from "./run.mjs";
import { isOlder } from "./rust.mjs";
import { buildInto, hashOf, readStamp, writeStamp } from "./stamp.mjs";
import { step } from "./steps.mjs";

const OLDEST_TO_START = "20.0.0";
const OLDEST_FOR_WRANGLER = "22.12.0";
const NODE_FROM_NPM = "24.21.0";
const NPM_MS = 600_000;
const QUIET = ["--no-audit", "--no-fund", "--no-progress"];

/** Answers the path of a Node that can run wrangler: this one, or one from npm kept in the cache. */
export async function ensureNode() {
  const own = process.versions.node;
  if (isOlder(own, OLDEST_TO_START)) {
    throw new StepError(`Node ${own} is too old: install Node ${OLDEST_FOR_WRANGLER} or later from https://nodejs.org.`);
  }
  if (!isOlder(own, OLDEST_FOR_WRANGLER)) return process.execPath;
  const home = inCache(`node-${NODE_FROM_NPM}-${platformKey}`);
  const node = join(home, "node_modules", nodePackage(), "bin", "node");
  if (!existsSync(node)) {
    const title = `Node ${NODE_FROM_NPM} from npm (wrangler needs ${OLDEST_FOR_WRANGLER}, this is ${own})`;
    await step(title, (note) => buildInto(home, (draft) => installNode(draft, note)));
  }
  return node;
}

function installNode(folder, note) {
  // The package `node` only picks this one in an install script, and npm may be told to run none.
  const args = ["install", "--prefix", folder, `${nodePackage()}@${NODE_FROM_NPM}`, "--ignore-scripts", ...QUIET];
  return npm(args, { note, hint: `install Node ${OLDEST_FOR_WRANGLER} or later from https://nodejs.org.` });
}

function nodePackage() {
  const prefix = process.platform === "darwin" && process.arch === "arm64" ? "node-bin" : "node";
  return `${prefix}-${process.platform}-${process.arch}`;
}

/** Installs what package-lock.json lists, unless exactly that is installed. */
export async function ensurePackages(node) {
  const stampFile = inRepo("node_modules", ".posthorn-stamp");
  const wanted = hashOf([inRepo("package-lock.json")], [platformKey]);
  if (readStamp(stampFile) === wanted) return;
  await step("npm packages (npm ci)", (note) =>
    npm(["ci", ...QUIET], { cwd: root, env: withNode(node), note, hint: "run `npm ci` by hand and see what it says." }));
  writeStamp(stampFile, wanted);
}

/**
 * The environment in which the scripts of npm packages find that Node. One that was on the PATH
 * anyway is left where it is: its folder may hold another cargo, which must not come to the front.
 */
export function withNode(node, env = process.env) {
  return node === process.execPath ? env : { ...env, PATH: dirname(node) + delimiter + env.PATH };
}

function npm(args, { cwd, env, note, hint }) {
  // Inside `npm start` this names the npm that is running, whatever PATH says.
  const script = process.env.npm_execpath;
  const [command, first] = script?.endsWith(".js") ? [process.execPath, [script]] : ["npm", []];
  return run(command, [...first, ...args], { cwd, env, timeoutMs: NPM_MS, onLine: note, hint, what: `npm ${args[0]}` });
}
