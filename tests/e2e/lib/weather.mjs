// The Worker with weather, for tests: `startWorker({wrapper})` puts this module in front of the built one. It hands the
// database LOG_0 on with a wrapper around it that refuses writes while a test says so, GET /__weather?unwritable=true,
// and the intakes with one that lets nobody reach them: GET /__weather?unreachable=true.
import Worker, { Intake as BuiltIntake, Lane as BuiltLane } from "./index.js";

let [unwritable, unreachable] = [false, false];

// The built module asks for the name of the class.
const wrapped = (database) => new (class D1Database {
  prepare(sql) {
    return database.prepare(sql);
  }

  async batch(statements) {
    const writes = statements.some(({ statement }) => !/^\s*select/i.test(statement));
    if (unwritable && writes) throw new Error("D1_ERROR: database is read only");
    return database.batch(statements);
  }
})();
const reached = (intakes) => new (class DurableObjectNamespace {
  getByName(name) {
    return unreachable ? { fetch: () => new Promise(() => {}) } : intakes.getByName(name);
  }
})();
const withWeather = (env) => ({ ...env, LOG_0: wrapped(env.LOG_0), INTAKE: reached(env.INTAKE) });

export default class extends Worker {
  constructor(ctx, env) {
    super(ctx, withWeather(env));
  }

  async fetch(request) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/__weather") return super.fetch(request);
    unwritable = searchParams.get("unwritable") === "true";
    unreachable = searchParams.get("unreachable") === "true";
    return new Response(null, { status: 204 });
  }
}

export class Lane extends BuiltLane {
  constructor(state, env) {
    super(state, withWeather(env));
  }
}

export class Intake extends BuiltIntake {
  constructor(state, env) {
    super(state, withWeather(env));
  }
}
