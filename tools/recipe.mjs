// `npm run recipe -- NAME name=value ...`: sets up connections and rules that belong together.
import { findTarget } from "./lib/admin/target.mjs";
import { expected } from "./lib/api.mjs";
import { readLocal } from "./lib/local-files.mjs";
import { inRepo, isMain } from "./lib/paths.mjs";
import { applyRecipe, readAnswers, readRecipe, recipeNames } from "./lib/recipes.mjs";
import { commandLine, die, StepError } from "./lib/run.mjs";

const OPTIONS = {
  workspace: { type: "string" }, installation: { type: "string" }, local: { type: "boolean" }, help: { type: "boolean" },
};

const help = () => ["npm run recipe -- NAME [--workspace ID] [--installation NAME | --local] name=value ...", "",
  ...recipeNames().flatMap((name) => {
    const { about, asks } = readRecipe(name);
    return [`${name}: ${about}`, ...Object.entries(asks).map(([key, says]) => `    ${`${key}=`.padEnd(24)} ${says}`), ""];
  })].join("\n");

async function main() {
  const { values, positionals: [name, ...words] } = commandLine(OPTIONS, help(), true);
  if (values.help || !name) return console.log(help());
  const recipe = readRecipe(name);
  const given = readAnswers(recipe, words);
  const tenantFile = inRepo(".dev", "tenant.json");
  const target = findTarget(values, { env: process.env, deployFolder: process.env.POSTHORN_DEPLOY_DIR ?? inRepo(".deploy"), tenantFile });
  const workspace = values.workspace ?? (target.isLocal && readLocal(tenantFile).workspace_id);
  if (!workspace) throw new StepError("which workspace? Say --workspace ID.");
  expected(`the workspace ${workspace}`, 200, await target.api.get(`/workspaces/${workspace}`));
  const { made } = await applyRecipe(target.api, workspace, recipe, given);
  console.log(made.length ? made.map((one) => `Made: ${one}`).join("\n") : "All of it was there already.");
}

if (isMain(import.meta.url)) main().catch(die);
