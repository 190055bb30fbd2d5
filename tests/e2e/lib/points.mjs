// The Worker with a data set of Workers Analytics Engine, for tests: `startWorker({wrapper})` puts this module in front of
// the built one. Locally there is no such data set: this one keeps its points and tells them at GET /__points.
import Worker from "./index.js";

export * from "./index.js";

const points = [];
const ATTEMPTS = { writeDataPoint: (point) => void points.push(point) };

export default class extends Worker {
  constructor(ctx, env) {
    super(ctx, { ...env, ATTEMPTS });
  }

  async fetch(request) {
    return new URL(request.url).pathname === "/__points" ? Response.json(points) : super.fetch(request);
  }
}
