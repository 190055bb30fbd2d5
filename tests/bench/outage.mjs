// `npm run bench -- outage`: LOG cannot be written for a minute under load, and then until a backlog waits at the
// intakes. Says whether all was accepted and arrives, and how fast the backlog goes beside what was just emitted.
import { join } from "node:path";
import { drain } from "./measure.mjs";
import { helper, POSTHORN, start } from "./subjects.mjs";

/** A workspace may have a quarter of what waits at an intake. */
const WORKSPACES = 4;
const PER_SECOND = 100;
const BULK = 100;
const KILOBYTE = { text: "x".repeat(850) };
/** The backlog goes at least at this part of the fresh pace. */
const PACE = 0.7;
const SIZES = { full: { seconds: 60, fresh: 6_000, backlog: 60_000 }, quick: { seconds: 3, fresh: 400, backlog: 1_100 } };

/** Answers whether all of it was as it must be. */
export async function outage(isQuick) {
  const size = isQuick ? SIZES.quick : SIZES.full;
  const [load, receiver] = [await helper("load.mjs"), await helper("receiver.mjs")];
  const { url } = await receiver.told();
  const wrapper = join(import.meta.dirname, "..", "e2e", "lib", "weather.mjs");
  const running = await start({ ...POSTHORN, wrapper }, url);
  const ways = [running.load];
  while (ways.length < WORKSPACES) ways.push(await running.another());
  const weather = (unwritable) => fetch(`${running.baseUrl}/__weather?unwritable=${unwritable}`);
  const refused = [];
  /** Emits so many in bulks, workspace after workspace; when the first was sent. */
  const bulks = async (count) => {
    const began = [];
    for (const way of ways) {
      const requests = count / BULK / ways.length;
      const told = await load.ask(way("fast", { connections: 2, requests, bulk: BULK, payload: payload() }));
      refused.push(told.failed);
      began.push(told.began);
    }
    return began[0];
  };
  await bulks(size.fresh);
  await drain(receiver, size.fresh);
  const freshFrom = await bulks(size.fresh);
  const fresh = await drain(receiver, size.fresh);
  const freshPace = (fresh.count * 1000) / (fresh.lastAtMs - freshFrom);

  await weather(true);
  const emitted = await load.ask(ways[0]("fast", { connections: 16, perSecond: PER_SECOND, seconds: size.seconds, payload: payload() }));
  refused.push(emitted.failed);
  const before = (await receiver.ask({})).count;
  await bulks(size.backlog - PER_SECOND * size.seconds);
  await weather(false);
  const writableFrom = Number(process.hrtime.bigint()) / 1e6;
  const late = await drain(receiver, size.backlog);
  const latePace = (late.count * 1000) / (late.lastAtMs - writableFrom);
  await running.end();
  await Promise.all([load.end(), receiver.end()]);

  const [failed, lost, share] = [refused.reduce((sum, n) => sum + n, 0), size.backlog - late.count, latePace / freshPace];
  console.log(`\nLOG could not be written for ${size.seconds} s at ${PER_SECOND} emits of 1 KB a second (p50 ${
    emitted.p50.toFixed(1)} ms, p99 ${emitted.p99.toFixed(1)} ms), and until ${size.backlog} events waited: ${failed} requests were refused, ${
    before} arrived meanwhile, ${lost} were lost, ${late.repeats} arrived again.`);
  console.log(`The backlog went at ${Math.round(latePace)} a second from when LOG could be written again; what was just emitted went at ${
    Math.round(freshPace)} (${share.toFixed(2)} of it, at least ${PACE}).`);
  return failed === 0 && lost === 0 && late.repeats === 0 && share >= PACE;
}

const payload = () => ({ path: "/fast", ...KILOBYTE });
