// Recipes: connections, rules and event types that belong together, for one workspace.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { all, expected } from "./api.mjs";
import { inRepo } from "./paths.mjs";
import { StepError } from "./run.mjs";

const FOLDER = inRepo("examples", "recipes");

export const recipeNames = () => readdirSync(FOLDER).filter((file) => file.endsWith(".json")).map((file) => file.replace(/\.json$/, ""));

/** The recipe of this name: {about, asks, event_types, connections, rules}. */
export function readRecipe(name) {
  const names = recipeNames();
  if (!names.includes(name)) throw new StepError(`no recipe ${name}.`, { hint: `there are ${names.join(", ")}.` });
  return JSON.parse(readFileSync(join(FOLDER, `${name}.json`), "utf8"));
}

/** What was given as `name=value`; all that the recipe asks for has to be there, and nothing else. */
export function readAnswers(recipe, words) {
  const given = Object.fromEntries(words.map((word) => {
    const at = word.indexOf("=");
    if (at < 1) throw new StepError(`${word} is not name=value.`);
    return [word.slice(0, at), word.slice(at + 1)];
  }));
  const missing = Object.keys(recipe.asks).filter((name) => !given[name]);
  if (missing.length) {
    const hint = missing.map((name) => `${name}=...: ${recipe.asks[name]}`).join("\n");
    throw new StepError(`the recipe needs ${missing.join(", ")}.`, { hint });
  }
  const unknown = Object.keys(given).filter((name) => !recipe.asks[name]);
  if (unknown.length) throw new StepError(`the recipe does not ask for ${unknown.join(", ")}.`);
  return given;
}

/** The same with each text that is `{name}` replaced by what was given; templates have two braces and stay. */
function filled(value, given) {
  if (typeof value === "string") {
    const name = /^\{(\w+)\}$/.exec(value)?.[1];
    return name === undefined ? value : given[name];
  }
  if (Array.isArray(value)) return value.map((one) => filled(one, given));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, filled(one, given)]));
  }
  return value;
}

/**
 * Applies a recipe to a workspace. What is there already is left as it is: event types by their name, connections by
 * theirs, rules that would be doubles. So it can be applied again, also after a failure in its midst.
 *
 * Answers {connections: {key: id}, made: [words]}.
 */
export async function applyRecipe(api, workspace, recipe, given) {
  const made = [];
  const known = new Set((await all(api, "/event-types")).map(({ key }) => key));
  for (const [name, eventType] of Object.entries(recipe.event_types)) {
    if (known.has(name)) continue;
    expected(`the event type ${name}`, 200, await api.put(`/event-types/${encodeURIComponent(name)}`, eventType));
    made.push(`event type ${name}`);
  }
  const there = await all(api, `/workspaces/${workspace}/connections`);
  const connections = {};
  for (const [key, { type, name, metadata }] of Object.entries(recipe.connections)) {
    let connection = there.find((one) => one.name === name && one.type === type);
    if (!connection) {
      const body = { workspace, type, name, metadata: filled(metadata, given) };
      ({ connection } = expected(`the connection ${name}`, 201, await api.post("/connections", body)));
      made.push(`connection ${name}`);
    }
    connections[key] = connection.id;
  }
  for (const { connection, ...rule } of recipe.rules) {
    const body = { workspace, connection: connections[connection], ...filled(rule, given) };
    const answer = await api.post("/rules", body);
    if (answer.status === 409 && answer.body?.error?.code === "duplicate") continue;
    expected(`the rule for ${rule.event}`, 201, answer);
    made.push(`rule for ${rule.event} to ${recipe.connections[connection].name}`);
  }
  return { connections, made };
}
