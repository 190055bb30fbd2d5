// `npm run admin -- COMMAND`: the operator's commands, against an installation that runs here or anywhere.
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { wranglerRunner } from "./deploy.mjs";
import { COMMANDS } from "./lib/admin/commands.mjs";
import { findTarget } from "./lib/admin/target.mjs";
import { Account } from "./lib/deploy/account.mjs";
import { inRepo, isMain } from "./lib/paths.mjs";
import { commandLine, die, StepError } from "./lib/run.mjs";

export const OPTIONS = {
  installation: { type: "string" }, local: { type: "boolean" }, yes: { type: "boolean" }, undo: { type: "boolean" }, cancel: { type: "boolean" },
  payload: { type: "boolean" }, role: { type: "string" }, events: { type: "boolean" }, "external-id": { type: "string" },
  help: { type: "boolean" },
};

/** The command that the words name, and its arguments. */
export function chosen(words) {
  const name = [2, 1].map((count) => words.slice(0, count).join(" ")).find((one) => COMMANDS[one]);
  if (!name) throw new StepError(`no such command: ${words.join(" ")}.`, { hint: "`npm run admin` lists them." });
  const args = words.slice(name.split(" ").length);
  const { takes = 0, usage } = COMMANDS[name];
  if (args.length < takes) throw new StepError(`${name} needs more: ${name} ${usage}`);
  return { command: COMMANDS[name], args };
}

export const help = () => ["npm run admin -- COMMAND [--installation NAME | --local]", "",
  ...Object.entries(COMMANDS).map(([name, { usage, says }]) => `  ${`${name} ${usage}`.padEnd(40)} ${says}`)].join("\n");

async function main() {
  const { values, positionals } = commandLine(OPTIONS, help(), true);
  if (values.help || !positionals.length) return console.log(help());
  const { command, args } = chosen(positionals);
  const folder = process.env.POSTHORN_DEPLOY_DIR ?? inRepo(".deploy");
  const target = findTarget(values, { env: process.env, deployFolder: folder, tenantFile: inRepo(".dev", "tenant.json") });
  console.error(`At ${target.baseUrl} (${target.name})`);
  const names = (kind) => readdirSync(inRepo("migrations", kind)).filter((name) => name.endsWith(".sql"));
  const configFile = inRepo("wrangler.local.toml");
  const printed = await command.run({
    target, folder, call: fetch, configFile,
    write: (text) => process.stdout.write(text),
    version: JSON.parse(readFileSync(inRepo("package.json"), "utf8")).version,
    repoConfig: readFileSync(inRepo("wrangler.toml"), "utf8"),
    migrations: { control: names("control"), log: names("log") },
    account: target.isLocal ? undefined : account(folder, configFile),
  }, args, values);
  if (printed) console.log(printed);
}

/** The account behind an installation that was deployed from here. */
function account(folder, configFile) {
  if (!existsSync(configFile)) return undefined;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return new Account(wranglerRunner(process.execPath, folder), join(folder, "plain.toml"));
}

if (isMain(import.meta.url)) main().catch(die);
