// `npm run deploy`: from a clone to an installation on your own Cloudflare account, and every later version of it.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { Account } from "./lib/deploy/account.mjs";
import { deploy } from "./lib/deploy/steps.mjs";
import { inRepo, isMain } from "./lib/paths.mjs";
import { commandLine, die, run, stopToolsOnSignals } from "./lib/run.mjs";
import { wranglerCommand } from "./lib/wrangler.mjs";
import { setup } from "./setup.mjs";

const USAGE = `npm run deploy -- --domain HOST | --workers-dev  [options]

  --domain HOST        serve it under a host name of a zone in your account
  --workers-dev        serve it under a name below workers.dev
  --name NAME          what the Worker and its resources are called (posthorn)
  --organization NAME  the first organization, made on an empty installation (Default)
  --jurisdiction eu    where new databases and queues must stay
  --free-plan          the account is on the Workers Free plan, which knows no CPU limits
  --adopt              take over resources that another folder's deploy has made
  --dry-run            say what would be done, and do nothing

Later runs need no option: they know what the first one made.`;
export const OPTIONS = {
  domain: { type: "string" }, "workers-dev": { type: "boolean" }, name: { type: "string" },
  organization: { type: "string", default: "Default" }, jurisdiction: { type: "string" },
  "free-plan": { type: "boolean" }, adopt: { type: "boolean" }, "dry-run": { type: "boolean" }, help: { type: "boolean" },
};
const COMMAND_MS = 600_000;

/** Runs wrangler's commands with its notes in `folder`. */
export function wranglerRunner(node, folder) {
  const { command, first, cwd, env } = wranglerCommand(node, folder);
  return (args) => run(command, [...first, ...args], {
    cwd, env: { ...env, CLOUDFLARE_CF_FETCH_ENABLED: undefined }, timeoutMs: COMMAND_MS, what: `wrangler ${args.slice(0, 2).join(" ")}`,
  });
}

async function main() {
  const { values } = commandLine(OPTIONS, USAGE);
  if (values.help) return console.log(USAGE);
  const options = { ...values, workersDev: values["workers-dev"], dryRun: values["dry-run"], freePlan: values["free-plan"] };
  const folder = process.env.POSTHORN_DEPLOY_DIR ?? inRepo(".deploy");
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { node } = await setup();
  const done = await deploy(options, {
    account: new Account(wranglerRunner(node, folder), join(folder, "plain.toml")),
    template: readFileSync(inRepo("wrangler.toml"), "utf8"),
    configFile: inRepo("wrangler.local.toml"),
    folder,
    env: process.env,
    print: (line) => console.log(`  ${line}`),
    call: fetch,
    build,
  });
  if (!done.planned) console.log(farewell(done));
}

const farewell = ({ baseUrl, keysFile }) => `
Posthorn runs at ${baseUrl}

  Its keys are in ${keysFile}, readable by you alone.
  Copy MASTER_KEYS and ADMIN_TOKEN into your password manager now: Cloudflare does not show them
  again, and without MASTER_KEYS nobody can open the stored signing secrets.

Next:  npm run admin -- doctor
       npm run admin -- workspace create "My first customer"
`;

if (isMain(import.meta.url)) {
  stopToolsOnSignals();
  main().catch(die);
}
