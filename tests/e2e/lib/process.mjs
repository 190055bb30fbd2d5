// What the system knows of the process that runs a Worker.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { membersOf } from "../../../tools/lib/processes.mjs";
import { sleep } from "./until.mjs";

/** The process that runs the Worker. The other one is wrangler's proxy. */
function workerd(worker) {
  const isIt = (pid) => /workerd.*--inspector-addr/s.test(readFileSync(`/proc/${pid}/cmdline`, "utf8"));
  return membersOf(worker.pgid).find(isIt);
}

const ofWorkerd = (worker, file) => readFileSync(`/proc/${workerd(worker)}/${file}`, "utf8");

/** Lets it stand still for so long, as a busy machine does, and what it collects or writes out. */
export async function pause(worker, ms) {
  const pid = workerd(worker);
  process.kill(pid, "SIGSTOP");
  await sleep(ms);
  process.kill(pid, "SIGCONT");
}

/** Its CPU so far, in milliseconds. */
export function cpuMs(worker) {
  const fields = ofWorkerd(worker, "stat").replace(/^.*\) /, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/**
 * The bytes of a Worker's wasm memory, which never shrinks: where 4 GiB are set aside, what of them can be written. The
 * largest, where there are several.
 */
export function wasmBytes(worker) {
  const places = ofWorkerd(worker, "maps").trim().split("\n").map((line) => {
    const [range, may] = line.split(/\s+/);
    const [start, end] = range.split("-").map((address) => BigInt(`0x${address}`));
    return { start, end, may };
  });
  const isIt = ({ start, end, may }, index) => {
    const next = places[index + 1];
    const mebibytes = next ? Number((next.end - start) >> 20n) : 0;
    return may.startsWith("rw") && next?.start === end && next.may.startsWith("---") && Math.abs(mebibytes - 4096) <= 4;
  };
  const found = places.filter(isIt).map(({ start, end }) => Number(end - start));
  assert.ok(found.length > 0, "no wasm memory is found");
  return Math.max(...found);
}
