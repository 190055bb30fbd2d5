// A Cloudflare account, as far as an installation needs it, through wrangler's commands.
import { writeFileSync } from "node:fs";
import { StepError } from "../run.mjs";

/** What of a database's tables is Cloudflare's own. */
const TABLES = "select name from sqlite_master where type = 'table' and name not like '\\_cf%' escape '\\'"
  + " and name not like 'sqlite%'";
const NOT_THERE = /does not exist|not found|could not be found|\b100(07|90)\b|\b11000\b/i;

/**
 * `wrangler(args)` runs one command and answers what it printed; `plain` is where a configuration without bindings
 * may be written, for commands that would else look up names in ours.
 */
export class Account {
  constructor(wrangler, plain) {
    this.wrangler = wrangler;
    this.plain = plain;
  }

  /** The id of the account to use. */
  async choose(wanted) {
    writeFileSync(this.plain, 'name = "none"\n');
    const me = await this.#json(["whoami", "--json"]).catch(() => ({ loggedIn: false }));
    if (!me.loggedIn) {
      throw new StepError("wrangler is not logged in to Cloudflare.", {
        hint: "run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN to a token that may edit Workers, D1 and Queues.",
      });
    }
    const accounts = me.accounts ?? [];
    const chosen = wanted ?? (accounts.length === 1 ? accounts[0].id : undefined);
    if (chosen) {
      writeFileSync(this.plain, `name = "none"\naccount_id = ${JSON.stringify(chosen)}\n`);
      return chosen;
    }
    const list = accounts.map(({ id, name }) => `  ${id}  ${name}`).join("\n");
    throw new StepError("set CLOUDFLARE_ACCOUNT_ID: this login has no single account.", { tail: list });
  }

  /** Ids of databases by their names. */
  async databases() {
    const list = await this.#json(["d1", "list", "--json", ...this.#plain()]);
    return Object.fromEntries(list.map(({ name, uuid }) => [name, uuid]));
  }

  async createDatabase(name, jurisdiction) {
    await this.wrangler(["d1", "create", name, ...inside(jurisdiction), ...this.#plain()]);
    const id = (await this.databases())[name];
    if (!id) throw new StepError(`the database ${name} was created and is not in the list.`, { hint: "run this again." });
    return id;
  }

  /** The names of a database's tables. */
  async tables(name) {
    return (await this.#query(name, TABLES)).map((row) => row.name);
  }

  /** How many organizations there are. */
  async organizations(control) {
    return (await this.#query(control, "select count(*) as n from organizations"))[0].n;
  }

  /** The organizations by name: {id, name}. */
  async listOrganizations(control) {
    return this.#query(control, "select id, name from organizations order by name");
  }

  /** The migrations that a database has. */
  async applied(name) {
    return (await this.#query(name, "select name from d1_migrations")).map((row) => row.name);
  }

  /** How large a database is, in bytes. */
  async size(name) {
    const info = await this.#json(["d1", "info", name, "--json", ...this.#plain()]);
    return info.database_size ?? info.file_size ?? 0;
  }

  /** How many deliveries of a shard were due before a moment and wait for no lane; counted up to 1,000. */
  async overdue(log, beforeMs) {
    const sql = `select count(*) as n from (select 1 from deliveries d where d.open = 1 and d.due_at_ms < ${beforeMs}`
      + " and not exists (select 1 from lanes l where l.workspace = d.workspace and l.connection = d.connection"
      + " and l.mode > 0) limit 1000)";
    return (await this.#query(log, sql))[0].n;
  }

  /** Until when the cron has counted a shard's statistics; null when it never has. */
  async countedUntil(log) {
    return (await this.#query(log, "select as_of_ms as at from rollup_progress"))[0]?.at ?? null;
  }

  /** The Workers that consume a queue; null when there is no such queue. */
  async consumers(name) {
    const text = await this.#unlessMissing(["queues", "info", name, ...this.#plain()]);
    if (text === null) return null;
    const listed = text.match(/^Consumers: (.*)$/m)?.[1] ?? "";
    return listed.split(",").filter(Boolean).map((one) => one.replace(/^worker:/, "").trim());
  }

  createQueue(name, jurisdiction) {
    return this.wrangler(["queues", "create", name, ...inside(jurisdiction), ...this.#plain()]);
  }

  /** Names of a Worker's secrets; null when there is no such Worker. */
  async secrets(worker) {
    const text = await this.#unlessMissing(["secret", "list", "--name", worker, "--format", "json", ...this.#plain()]);
    return text === null ? null : jsonIn(text).map(({ name }) => name);
  }

  migrate(database, config) {
    return this.wrangler(["d1", "migrations", "apply", database, "--remote", "--config", config]);
  }

  /** Deploys; `secretsFile` holds the secrets to set, others stay. Answers the addresses that wrangler names. */
  async deploy(config, secretsFile) {
    const secrets = secretsFile ? ["--secrets-file", secretsFile] : [];
    const text = await this.wrangler(["deploy", "--config", config, ...secrets]).catch((error) => {
      if (/CPU limits are not supported for the Free plan/.test(error.tail)) error.hint = "run this again with --free-plan.";
      throw error;
    });
    return [...text.matchAll(/https:\/\/([\w.-]+\.workers\.dev)/g)].map(([, host]) => host);
  }

  async #query(database, sql) {
    const answer = await this.#json(
      ["d1", "execute", database, "--remote", "--json", "--command", sql, ...this.#plain()],
    );
    return answer[0].results;
  }

  #plain = () => ["--config", this.plain];

  async #json(args) {
    return jsonIn(await this.wrangler(args));
  }

  async #unlessMissing(args) {
    try {
      return await this.wrangler(args);
    } catch (error) {
      if (NOT_THERE.test(`${error.message}\n${error.tail ?? ""}`)) return null;
      throw error;
    }
  }
}

const inside = (jurisdiction) => (jurisdiction ? ["--jurisdiction", jurisdiction] : []);

/** The JSON among a command's lines: warnings may stand before it. */
function jsonIn(text) {
  const from = text.search(/^[[{]/m);
  if (from < 0) throw new StepError("wrangler answered no JSON.", { tail: text.slice(0, 2000) });
  return JSON.parse(text.slice(from));
}
