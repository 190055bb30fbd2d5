// What the bench asks of one subject, and what it reads off: one flat object of figures, named as in FIGURES.
import { existsSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { median } from "./statistics.mjs";

const DRAIN_STALLS_MS = 20_000;
const TICKS_PER_SECOND = 100;
const QUIET_MS = 300;

/** The figures in the order of the page: name, unit, digits. */
export const FIGURES = {
  single1: ["single emits a second, 1 connection", "", 0],
  single16: ["single emits a second, 16 connections", "", 0],
  single64: ["single emits a second, 64 connections", "", 0],
  p50at1: ["emit p50, 1 connection", "ms", 1],
  p99at64: ["emit p99, 64 connections", "ms", 0],
  bulk: ["events a second in bulks of 100, 4 connections", "", 0],
  delivered: ["single events delivered a second, end to end", "", 0],
  delivered10: ["single events delivered a second to a receiver of 10 ms", "", 0],
  backlog10: ["events of a backlog (bulks of 100) delivered a second to a receiver of 10 ms", "", 0],
  cpu: ["CPU of the runtime for 1,000 events end to end", "s", 2],
  emit20: ["emit at 20/s, p50", "ms", 1],
  arrival50: ["emit to arrival at 20/s, p50", "ms", 1],
  arrival99: ["emit to arrival at 20/s, p99", "ms", 1],
  beside50: ["the same beside an endpoint that hangs, p50", "ms", 1],
  beside99: ["the same beside an endpoint that hangs, p99", "ms", 1],
  alone: ["emit of a neighbour that has no rules, p50", "ms", 1],
  besideFilters: ["the same beside emits of 500 KB with 100 costly filters, p50", "ms", 1],
  filtersRatio: ["the second of these in units of the first", "", 2],
  memory: ["memory of the runtime, highest", "MB", 0],
  lost: ["events that did not arrive", "", 0],
  repeats: ["events that arrived again", "", 0],
  failed: ["emits that were not answered 201", "", 0],
};

/** How much is asked: for a page of figures, or to see that all works. */
export const SIZES = {
  full: { rounds: 3, warmUp: 500, seconds: 5, endToEnd: 5_000, slow: 2_500, light: 10, hanging: 200, turns: 30 },
  quick: { rounds: 1, warmUp: 50, seconds: 1, endToEnd: 300, slow: 200, light: 2, hanging: 20, turns: 4 },
};

/** Measures a subject that was just started. */
export async function measure({ subject, running, load, receiver, size }) {
  const figures = { lost: 0, repeats: 0, failed: 0 };
  await receiver.ask({ forget: true });
  const run = async (endpoint, more) => {
    const told = await load.ask(running.load(endpoint, more));
    const events = told.answered * (more.bulk ?? 1);
    const arrived = await drain(receiver, endpoint === "hang" ? 0 : events);
    figures.lost += endpoint === "hang" ? 0 : events - arrived.count;
    figures.repeats += arrived.repeats;
    figures.failed += told.failed;
    return { ...told, arrived, events, perSecond: events / told.seconds };
  };
  const endToEnd = ({ events, began, arrived }) => (events * 1000) / (arrived.lastAtMs - began);
  await run("fast", { connections: 8, requests: size.warmUp });
  for (const connections of [1, 16, 64]) {
    const emitted = await run("fast", { connections, seconds: size.seconds });
    figures[`single${connections}`] = emitted.perSecond;
    if (connections === 1) figures.p50at1 = emitted.p50;
    if (connections === 64) figures.p99at64 = emitted.p99;
  }
  figures.bulk = (await run("fast", { connections: 4, seconds: size.seconds, bulk: 100 })).perSecond;
  const before = cpuSeconds(running.runtime);
  figures.delivered = endToEnd(await run("fast", { connections: 16, requests: size.endToEnd }));
  figures.cpu = ((cpuSeconds(running.runtime) - before) * 1000) / size.endToEnd;
  figures.delivered10 = endToEnd(await run("slow", { connections: 16, requests: size.slow }));
  figures.backlog10 = endToEnd(await run("slow", { connections: 4, requests: size.slow / 100, bulk: 100 }));
  const light = { connections: 4, perSecond: 20, seconds: size.light };
  const calm = await run("fast", light);
  [figures.emit20, figures.arrival50, figures.arrival99] = [calm.p50, calm.arrived.p50, calm.arrived.p99];
  if (subject.repo) {
    await run("hang", { connections: 4, requests: size.hanging });
    const beside = await run("fast", light);
    [figures.beside50, figures.beside99] = [beside.arrived.p50, beside.arrived.p99];
    Object.assign(figures, await besideCostly(running, size.turns));
  }
  figures.memory = memoryMegabytes(running.runtime);
  return figures;
}

/** A neighbour's emit alone and beside one that costs much, turn about, so that what else the machine does meets both. */
async function besideCostly({ neighbours }, turns) {
  const { near, costly } = await neighbours();
  const timed = async (call) => {
    const began = performance.now();
    await call();
    return performance.now() - began;
  };
  await Promise.all([near(), costly()]);
  const [alone, beside] = [[], []];
  for (let turn = 0; turn < turns; turn += 1) {
    // What the last emits left to do is done by then.
    await sleep(QUIET_MS);
    alone.push(await timed(near));
    const other = costly();
    beside.push(await timed(near));
    await other;
  }
  const found = { alone: median(alone), besideFilters: median(beside) };
  return { ...found, filtersRatio: found.besideFilters / found.alone };
}

/** Waits until so many have arrived, or nothing more arrives for long; what has, forgotten afterwards. */
export async function drain(receiver, count) {
  let [last, since] = [-1, Date.now()];
  for (;;) {
    const arrived = await receiver.ask({});
    if (arrived.count !== last) [last, since] = [arrived.count, Date.now()];
    if (arrived.count >= count || Date.now() - since > DRAIN_STALLS_MS) break;
    await sleep(50);
  }
  // What is recorded after the last arrival belongs to it.
  await sleep(500);
  return receiver.ask({ forget: true });
}

/** What a process has used of the processors; NaN where nobody tells. */
function cpuSeconds(pid) {
  if (!existsSync(`/proc/${pid}/stat`)) return NaN;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const [user, system] = stat.slice(stat.lastIndexOf(")") + 2).split(" ").slice(11, 13).map(Number);
  return (user + system) / TICKS_PER_SECOND;
}

function memoryMegabytes(pid) {
  if (!existsSync(`/proc/${pid}/status`)) return NaN;
  return Number(readFileSync(`/proc/${pid}/status`, "utf8").match(/^VmHWM:\s+(\d+) kB$/m)[1]) / 1000;
}
