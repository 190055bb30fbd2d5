// The floors of the bench: the least that accepts an event and delivers it, without rules, signatures or history.
// `/naive` reads CONTROL, stores in LOG and sends a job. `/intake` has an object gather what arrives, write the
// group into its own storage and answer; LOG and the queue follow. What no trick can beat here, no code beats.
import { DurableObject } from "cloudflare:workers";

const GROUP_MAX = 200;
const JOBS_IN_A_MESSAGE = 10;
const FLUSH_EVERY_MS = 20;
const IN_FLIGHT = 6;
const RECORDED_TOGETHER = 50;

const KEY = "select * from keys where id = ?1";
const EVENTS = "insert or ignore into events (id, body) select value ->> 0, value ->> 1 from json_each(?1)";
const DELIVERIES = "insert or ignore into deliveries (id, state) select value ->> 0, 'pending' from json_each(?1)";
const DELIVERED = "update deliveries set state = 'completed' where id in (select value from json_each(?1))";

/** The events of a request: one, or an array of them. */
function eventsOf(text) {
  const bodies = text.startsWith("[") ? JSON.parse(text).map((one) => JSON.stringify(one)) : [text];
  return bodies.map((body) => ({ id: crypto.randomUUID(), body }));
}

function stored(env, events) {
  const rows = JSON.stringify(events.map(({ id, body }) => [id, body]));
  return env.LOG.batch([env.LOG.prepare(EVENTS).bind(rows), env.LOG.prepare(DELIVERIES).bind(rows)]);
}

/** One object that everybody emits through. */
export class Intake extends DurableObject {
  #arrived = [];
  #writing = false;
  #unflushed = [];
  #flushing = false;

  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists groups (n integer primary key, events text not null)");
  }

  async fetch(request) {
    const events = eventsOf(await request.text());
    const safe = new Promise((answer, fail) => this.#arrived.push({ events, answer, fail }));
    if (!this.#writing) this.#write();
    await safe;
    return new Response();
  }

  /** What arrives while a group is being written is the next group. */
  async #write() {
    this.#writing = true;
    await null;
    while (this.#arrived.length > 0) {
      const group = this.#arrived.splice(0, GROUP_MAX);
      const events = group.flatMap(({ events }) => events);
      try {
        this.ctx.storage.sql.exec("insert into groups (events) values (?)", JSON.stringify(events));
        await this.ctx.storage.sync();
        group.forEach(({ answer }) => answer());
        this.#unflushed.push(...events);
        if (!this.#flushing) this.ctx.waitUntil(this.#flush());
      } catch (error) {
        group.forEach(({ fail }) => fail(error));
      }
    }
    this.#writing = false;
  }

  async #flush() {
    this.#flushing = true;
    while (this.#unflushed.length > 0) {
      const { n } = this.ctx.storage.sql.exec("select max(n) as n from groups").one();
      const events = this.#unflushed.splice(0, GROUP_MAX);
      const isLast = this.#unflushed.length === 0;
      const messages = [];
      for (let at = 0; at < events.length; at += JOBS_IN_A_MESSAGE) {
        messages.push({ body: events.slice(at, at + JOBS_IN_A_MESSAGE) });
      }
      await stored(this.env, events);
      await this.env.JOBS.sendBatch(messages);
      if (isLast) this.ctx.storage.sql.exec("delete from groups where n <= ?", n);
      await new Promise((done) => setTimeout(done, FLUSH_EVERY_MS));
    }
    this.#flushing = false;
  }
}

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === "/intake") {
      await env.INTAKE.getByName("0").fetch(request);
    } else {
      const events = eventsOf(await request.text());
      await env.CONTROL.prepare(KEY).bind("a").first();
      await stored(env, events);
      await env.JOBS.sendBatch(events.map((event) => ({ body: [event] })));
    }
    return new Response("{}", { status: 201 });
  },

  async queue(batch, env) {
    const jobs = batch.messages.flatMap(({ body }) => body);
    let done = [];
    const record = async (ids) => env.LOG.prepare(DELIVERED).bind(JSON.stringify(ids)).run();
    const work = async () => {
      for (let job; (job = jobs.shift()); ) {
        const { path } = JSON.parse(job.body).payload;
        const answer = await fetch(env.RECEIVER + path, { method: "POST", body: job.body });
        await answer.arrayBuffer();
        done.push(job.id);
        if (done.length >= RECORDED_TOGETHER) await record(done.splice(0));
      }
    };
    await Promise.all(Array.from({ length: IN_FLIGHT }, work));
    if (done.length > 0) await record(done);
  },
};
