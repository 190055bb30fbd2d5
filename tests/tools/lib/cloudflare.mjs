// A Cloudflare account as wrangler's commands show it: {databases, queues, workers} with what was done to them.
// `fail` names a command that fails once, before or after it took effect.
import { readFileSync } from "node:fs";
import { kept } from "../../../tools/lib/deploy/config.mjs";
import { StepError } from "../../../tools/lib/run.mjs";

const MIGRATIONS = ["0001_initial.sql"];
const CONTROL = ["d1_migrations", "organizations", "workspaces", "connections"];
const LOG = ["d1_migrations", "events", "deliveries"];

export class FakeAccount {
  accounts = [{ id: "acc1", name: "Mine" }];
  loggedIn = true;
  databases = {};
  queues = {};
  workers = {};
  commands = [];
  fail = null;
  organizations = 0;

  wrangler = async (args) => {
    this.commands.push(args.join(" "));
    const when = this.fail && args.join(" ").startsWith(this.fail.command) && this.fail.when;
    const again = () => {
      this.fail = null;
      throw new StepError(`wrangler ${args[0]}: ended with exit code 1`, { tail: "A request failed [code: 10013]" });
    };
    if (when === "before") again();
    const answer = this.#answer(args);
    if (when === "after") again();
    return answer;
  };

  #answer(args) {
    const [one, two, three] = args;
    const value = (flag) => args[args.indexOf(flag) + 1];
    const missing = (what) => {
      throw new StepError("ended with exit code 1", { tail: `✘ [ERROR] ${what} does not exist [code: 10007]` });
    };
    if (one === "whoami") return `a warning\n${JSON.stringify({ loggedIn: this.loggedIn, accounts: this.accounts })}`;
    if (one === "d1" && two === "list") {
      return JSON.stringify(Object.entries(this.databases).map(([name, { id }]) => ({ name, uuid: id })), null, 2);
    }
    if (one === "d1" && two === "create") {
      if (this.databases[three]) throw new StepError("exit code 1", { tail: "A database with that name already exists" });
      this.databases[three] = { id: `id-of-${three}`, tables: [], jurisdiction: args.includes("--jurisdiction") && value("--jurisdiction") };
      return `✅ Successfully created DB '${three}'`;
    }
    if (one === "d1" && two === "execute") {
      return JSON.stringify([{ results: this.#rows(value("--command"), this.databases[three]), success: true }]);
    }
    if (one === "d1" && two === "info") return JSON.stringify({ name: three, database_size: this.databases[three].size ?? 4096 });
    if (one === "d1" && two === "migrations") {
      const config = readFileSync(value("--config"), "utf8");
      if (kept(config).databases[args[3]] !== this.databases[args[3]]?.id) missing(args[3]);
      Object.assign(this.databases[args[3]], { tables: /control/.test(args[3]) ? CONTROL : LOG, applied: MIGRATIONS });
      return "✅";
    }
    if (one === "queues" && two === "info") {
      const consumers = this.queues[three] ?? missing(`Queue "${three}"`);
      const list = consumers.length ? `\nConsumers: ${consumers.map((script) => `worker:${script}`)}` : "";
      return `Queue Name: ${three}\nNumber of Consumers: ${consumers.length}${list}`;
    }
    if (one === "queues" && two === "create") return (this.queues[three] = []) && "Created";
    if (one === "secret") {
      const worker = this.workers[value("--name")] ?? missing("This Worker");
      return JSON.stringify(Object.keys(worker.secrets).map((name) => ({ name, type: "secret_text" })));
    }
    if (one === "deploy") return this.#deploy(readFileSync(value("--config"), "utf8"), args.includes("--secrets-file") && value("--secrets-file"));
    throw new Error(`not scripted: ${args.join(" ")}`);
  }

  #rows(sql, database) {
    if (/from organizations/.test(sql)) return [{ n: this.organizations }];
    if (/from d1_migrations/.test(sql)) return database.applied.map((name) => ({ name }));
    if (/from deliveries/.test(sql)) return [{ n: database.overdue ?? 0 }];
    if (/from rollup_progress/.test(sql)) return database.countedUntil ? [{ at: database.countedUntil }] : [];
    return database.tables.map((name) => ({ name }));
  }

  #deploy(config, secretsFile) {
    const { name, databases, domain } = kept(config);
    for (const [database, id] of Object.entries(databases)) {
      if (this.databases[database]?.id !== id) throw new StepError("exit code 1", { tail: `no database ${id}` });
    }
    for (const [, queue] of config.matchAll(/^(?:queue|dead_letter_queue) = "(.*)"/gm)) {
      if (!this.queues[queue]) throw new StepError("exit code 1", { tail: `Queue "${queue}" does not exist` });
    }
    if (this.isFree && /^cpu_ms/m.test(config)) {
      throw new StepError("exit code 1", { tail: "CPU limits are not supported for the Free plan. [code: 100328]" });
    }
    const worker = (this.workers[name] ??= { secrets: {}, deploys: 0 });
    Object.assign(worker.secrets, secretsFile ? JSON.parse(readFileSync(secretsFile, "utf8")) : {});
    worker.deploys += 1;
    worker.config = config;
    for (const [, queue] of config.matchAll(/^\[\[queues\.consumers\]\]\nqueue = "(.*)"/gm)) this.queues[queue] = [name];
    return domain ? `Deployed ${name}\n  ${domain} (custom domain)` : `Deployed ${name}\n  https://${name}.mine.workers.dev`;
  }

  /** The installation's HTTP side, as fetch. */
  call = async (url, init = {}) => {
    const { hostname, pathname } = new URL(url);
    const worker = Object.values(this.workers).find(({ config }) => config.includes(hostname));
    if (this.down || !worker) throw Object.assign(new Error("fetch failed"), { cause: { code: "ENOTFOUND" } });
    const date = new Date(this.now?.() ?? Date.now()).toUTCString();
    if (pathname === "/health") return new Response(JSON.stringify({ status: "ok", version: this.version }), { headers: { date } });
    if (init.headers.authorization !== `Bearer ${worker.secrets.ADMIN_TOKEN}`) return new Response("{}", { status: 401 });
    if (init.headers["content-type"] !== "application/json") return new Response("{}", { status: 415 });
    if (this.orgFails) return (this.orgFails = false) || new Response("{}", { status: 503 });
    this.organizations += 1;
    const { name } = JSON.parse(init.body);
    const body = { organization: { id: "org-1", name }, machine_key: { access_key: "mk_1", secret_key: "sk-very-secret" } };
    return new Response(JSON.stringify(body), { status: 201 });
  };
}
