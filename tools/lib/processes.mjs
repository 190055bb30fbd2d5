// Process groups: who is in one, is it ours, end it. Reads /proc on Linux and asks `ps` elsewhere.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { ask } from "./run.mjs";

/** Processes we start carry this variable with a random value: a number alone may have been given to somebody else since. */
export const MARK = "POSTHORN_RUN";

const hasProc = existsSync("/proc/self/stat");

/** Every living process: {pid, pgid, started, environment()}. Zombies do not count, they only wait to be read. */
function processes() {
  return hasProc ? processesFromProc() : processesFromPs();
}

function processesFromProc() {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    const stat = readOrEmpty(`/proc/${pid}/stat`);
    // The second field is the program's name in parentheses and may itself hold blanks and parentheses.
    const [state, , pgid, ...rest] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (!pgid || state === "Z") return [];
    const environment = () => readOrEmpty(`/proc/${pid}/environ`);
    return [{ pid: Number(pid), pgid: Number(pgid), started: rest[16], environment }];
  });
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function processesFromPs() {
  // With `e` the command is followed by the environment, for one's own processes.
  const rows = ask("ps", ["axeww", "-o", "pid=,pgid=,stat=,lstart=,command="]) ?? "";
  return rows.split("\n").flatMap((row) => {
    const found = row.match(/^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+\s+\S+\s+\d+\s+\S+\s+\d+)\s(.*)$/);
    if (!found || found[3].startsWith("Z")) return [];
    const [, pid, pgid, , started, command] = found;
    return [{ pid: Number(pid), pgid: Number(pgid), started, environment: () => command }];
  });
}

/** The numbers of the living processes in a group. */
export function membersOf(pgid) {
  return processes().filter((one) => one.pgid === pgid).map((one) => one.pid);
}

/** Whether a group holds a process that carries `mark`. */
export function groupCarries(pgid, mark) {
  return processes().some((one) => one.pgid === pgid && one.environment().includes(`${MARK}=${mark}`));
}

/** Kills every other process that carries `mark` in its environment, whatever group it is in. */
export function killCarriers(mark) {
  for (const one of processes()) {
    if (one.pid === process.pid || !one.environment().includes(mark)) continue;
    try {
      process.kill(one.pid, "SIGKILL");
    } catch {
      // Gone in between.
    }
  }
}

/** What tells a process from a later one with the same number; null when it is not alive. */
export function startOf(pid) {
  return processes().find((one) => one.pid === pid)?.started ?? null;
}

/** Sends a signal to a whole group; false when nobody was there. */
export function signalGroup(pgid, signal) {
  try {
    process.kill(-pgid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Waits until nobody in the group lives; answers whether that came true in time. */
export async function groupEnds(pgid, timeoutMs) {
  const until = Date.now() + timeoutMs;
  while (membersOf(pgid).length > 0) {
    if (Date.now() > until) return false;
    await sleep(25);
  }
  return true;
}
