// wrangler.local.toml: the committed wrangler.toml with the names, ids and settings of one installation.
// It is written anew by each deploy, so that a new release's bindings come in; what the operator set is kept.

const HEADER = `# Written by \`npm run deploy\`, and not committed. The values under [vars] and the limits of [[ratelimits]] are
# yours: they are kept when the file is written again. All else comes from wrangler.toml.
`;

const line = (text, key) => text.match(new RegExp(`^${key}\\s*=\\s*"([^"]*)"`, "m"))?.[1];
const replaced = (text, key, value) => text.replace(new RegExp(`^(${key}\\s*=\\s*).*$`, "m"), `$1${JSON.stringify(value)}`);

/** The blocks of one kind: {head, body} by their position. */
function blocks(text, kind) {
  const pattern = new RegExp(`^\\[\\[${kind}\\]\\]\\n(?:(?!\\[).*\\n?)*`, "gm");
  return [...text.matchAll(pattern)].map(([block]) => block);
}

const section = (text, name) => text.match(new RegExp(`^\\[${name}\\]\\n((?:(?!\\[).*\\n?)*)`, "m"))?.[1] ?? "";
const assignments = (text) => [...text.matchAll(/^(\w+)\s*=\s*"(.*)"$/gm)].map(([, key, value]) => [key, value]);

/** What an installation's file says that is its own; {} of no file. */
export function kept(text) {
  if (!text) return { databases: {}, vars: {}, limits: {} };
  const databases = blocks(text, "d1_databases").map((block) => [line(block, "database_name"), line(block, "database_id")]);
  const limits = blocks(text, "ratelimits").map((block) => [line(block, "name"), block.match(/limit = (\d+)/)?.[1]]);
  return {
    name: line(text, "name"),
    account: line(text, "account_id"),
    domain: text.match(/pattern = "([^"]+)", custom_domain = true/)?.[1],
    databases: Object.fromEntries(databases.filter(([, id]) => id)),
    vars: Object.fromEntries(assignments(section(text, "vars"))),
    limits: Object.fromEntries(limits),
    freePlan: !/^\[limits\]/m.test(text),
  };
}

/**
 * The names of an installation's resources, all beginning with its own name: the databases in the order of
 * their bindings, CONTROL first, and the queues.
 */
export function resources(template, name, shards) {
  const own = (text) => text.replace(/^posthorn\b/, name);
  const queues = [...template.matchAll(/^(?:queue|dead_letter_queue) = "(.*)"/gm)].map(([, queue]) => own(queue));
  const logs = Array.from({ length: shards }, (_, shard) => ({ binding: `LOG_${shard}`, name: `${name}-log-${shard}` }));
  return {
    worker: name,
    databases: [{ binding: "CONTROL", name: `${name}-control` }, ...logs],
    queues: [...new Set(queues)],
  };
}

/** The text of the file. `ids` are the databases' ids by their names. */
export function localConfig(template, { name, account, domain, ids, vars, limits, shards, freePlan }) {
  const { databases } = resources(template, name, shards);
  let text = template;
  for (const block of blocks(template, "d1_databases")) text = text.replace(block, "");
  text = replaced(text, "name", name);
  if (freePlan) text = text.replace(/^\[limits\]\n(?:(?!\[|\n).*\n)*/m, "");
  text = text.replace(/^((?:queue|dead_letter_queue) = ")posthorn/gm, `$1${name}`);
  for (const [key, value] of Object.entries(vars)) text = withVar(text, key, value);
  for (const block of blocks(text, "ratelimits")) {
    const limit = limits[line(block, "name")];
    if (limit) text = text.replace(block, block.replace(/limit = \d+/, `limit = ${limit}`));
  }
  const place = domain
    ? `routes = [{ pattern = ${JSON.stringify(domain)}, custom_domain = true }]\nworkers_dev = false`
    : "workers_dev = true";
  text = text.replace(/^workers_dev = false$/m, () => place);
  text = text.replace(/^(compatibility_date\s*=)/m, `account_id = ${JSON.stringify(account)}\n$1`);
  const bound = databases.map((one) => `
[[d1_databases]]
binding = "${one.binding}"
database_name = "${one.name}"
database_id = "${ids[one.name]}"
migrations_dir = "migrations/${one.binding === "CONTROL" ? "control" : "log"}"
`);
  return `${HEADER}${text.trimEnd()}\n${bound.join("")}`;
}

/** The text with another value of a variable. */
export function withVar(text, key, value) {
  const vars = section(text, "vars");
  const assignment = `${key} = ${JSON.stringify(value)}`;
  const next = line(vars, key) === undefined ? `${assignment}\n${vars}` : replaced(vars, key, value);
  return text.replace(vars, () => next);
}
