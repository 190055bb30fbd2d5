// Runs the built Worker under `wrangler dev`: for `npm start`, for the end-to-end tests and for benchmarks.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { createWriteStream, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { applyMigrations } from "./migrations.mjs";
import { ensureNode } from "./node.mjs";
import { freePort, HOST, isFree } from "./ports.mjs";
import { groupCarries, groupEnds, MARK, membersOf, signalGroup, startOf } from "./processes.mjs";
import { eachLine, StepError } from "./run.mjs";
import { stageWorker, wranglerCommand, writeVars } from "./wrangler.mjs";

const READY_MS = 90_000;
const STOP_MS = 5_000;
const SWEEP_MS = 120_000;
const LINES_MAX = 100_000;

/** Sent once when the Worker starts: whatever was waiting in the memory of a former run is due now. */
const RESTART_CRON = "@restart";
const MINUTE_CRON = "* * * * *";

/**
 * Starts the Worker on a state folder and waits until it answers.
 *
 * - `port`: default a free one
 * - `stateDir`: databases, logs and the notes of this runner
 * - `vars`: variables and secrets, e.g. ADMIN_TOKEN, MASTER_KEYS, METER
 * - `rateLimits`: limits of requests in ten seconds by binding, e.g. {SESSION_LIMIT: 5}; default none
 * - `wrapper`: a module that runs in front of the built one, which it imports as `./index.js`
 * - `log`: file that gets every line of output; default `worker.log` in the state folder
 * - `onLine`: called with each line of output
 * - `sweepEveryMs`: default a minute, as deployed; 0 for no timer (then only the sweep at the start)
 *
 * Answers {baseUrl, port, stateDir, pgid, lines, exited, sweep, stop, kill9}.
 */
export async function startWorker({ port, stateDir, vars = {}, rateLimits, wrapper, log, onLine, sweepEveryMs = 60_000 }) {
  const state = resolve(stateDir);
  mkdirSync(state, { recursive: true });
  const notes = notesOf(state);
  await endFormerRun(state);
  const chosen = port ?? (await freePort());
  if (!(await isFree(chosen))) throw portTaken(chosen);
  const node = await ensureNode();
  const config = stageWorker(state, rateLimits, wrapper);
  await applyMigrations(node, state, config);
  // No connection may lead back to the Worker, whichever name of this machine it is called by.
  const own = [HOST, "localhost", "[::1]"].map((host) => `${host}:${chosen}`).join(",");
  const varsFile = writeVars(state, { OWN_HOSTS: own, ...vars });
  const worker = new Worker(chosen, state, notes, log ?? join(state, "worker.log"), onLine);
  await worker.start(node, config, varsFile);
  await worker.begin(sweepEveryMs);
  return worker;
}

const notesOf = (stateDir) => join(resolve(stateDir), "worker.json");

/** The failure of a start on a port that somebody has. */
export function portTaken(port) {
  return new StepError(`port ${port} is taken by another program: stop it, or set PORT to a free one.`);
}

/**
 * A run killed with SIGKILL leaves workerd behind, on the same port and files. It is ended here, but
 * only when its number is still its own; and a run whose owner lives is left alone.
 */
export async function endFormerRun(stateDir) {
  const notes = notesOf(stateDir);
  if (!existsSync(notes)) return;
  const { pgid, mark, owner, port } = readNotes(notes);
  const owned = () => owner && owner.pid !== process.pid && startOf(owner.pid) === owner.started;
  // It may be about to end: whoever stops one run and starts the next does not always wait.
  for (const until = Date.now() + STOP_MS; owned() && Date.now() < until; ) await sleep(100);
  if (owned() && membersOf(pgid).length > 0) {
    throw new StepError(`Posthorn runs on this state already (process ${owner.pid}, port ${port}).`, {
      hint: "stop that one first, or set STATE_DIR and PORT to others.",
    });
  }
  if (pgid && groupCarries(pgid, mark)) {
    signalGroup(pgid, "SIGKILL");
    await groupEnds(pgid, STOP_MS);
  }
  // Threads of a process that counts as gone already may still hold its port for some milliseconds.
  for (const until = Date.now() + STOP_MS; port && Date.now() < until && !(await isFree(port)); ) await sleep(20);
  rmSync(notes, { force: true });
}

function readNotes(notes) {
  try {
    return JSON.parse(readFileSync(notes, "utf8"));
  } catch {
    // Cut short by a kill while it was written: then there was no worker yet.
    return {};
  }
}

class Worker {
  lines = [];
  #timer;
  #sweeping = false;
  #notes;
  #log;
  #onLine;
  #dropGuard;

  constructor(port, stateDir, notes, log, onLine) {
    this.port = port;
    this.stateDir = stateDir;
    this.baseUrl = `http://${HOST}:${port}`;
    this.#notes = notes;
    this.#log = createWriteStream(log, { flags: "a" });
    this.#onLine = onLine;
  }

  async start(node, config, varsFile) {
    const { command, first, cwd, env } = wranglerCommand(node, this.stateDir);
    const mark = randomBytes(12).toString("hex");
    const args = [
      "dev", "--config", config, "--persist-to", this.stateDir, "--env-file", varsFile,
      "--ip", HOST, "--port", String(this.port), "--inspector-port", String(await freePort()),
      "--show-interactive-dev-session=false",
    ];
    // A group of its own: Ctrl-C in the terminal must reach only us, and we must reach all of it.
    const child = spawn(command, [...first, ...args], {
      cwd, detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...env, [MARK]: mark },
    });
    this.exited = new Promise((done) => child.on("close", (code, signal) => done(signal ?? code)));
    await new Promise((started, failed) => child.on("spawn", started).on("error", failed));
    this.pgid = child.pid;
    const owner = { pid: process.pid, started: startOf(process.pid) };
    writeFileSync(this.#notes, JSON.stringify({ pgid: child.pid, mark, owner, port: this.port }), { mode: 0o600 });
    const guard = () => signalGroup(child.pid, "SIGKILL");
    process.on("exit", guard);
    this.#dropGuard = () => process.off("exit", guard);
    const ready = this.#whenReady();
    for (const stream of [child.stdout, child.stderr]) eachLine(stream, (line) => this.#take(line));
    await ready;
  }

  /** Fires the sweep of the start, then one each interval as the deployed cron does. */
  async begin(everyMs) {
    const answer = await this.sweep(RESTART_CRON);
    if (!answer.ok) this.#take(`The sweep at the start was answered ${answer.status}: ${answer.body}`);
    if (!everyMs) return;
    this.#timer = setInterval(async () => {
      if (this.#sweeping) return;
      this.#sweeping = true;
      await this.sweep().catch((error) => this.#take(`The sweep failed: ${error.message}`));
      this.#sweeping = false;
    }, everyMs);
    this.#timer.unref();
  }

  /** Fires the Worker's cron by hand, since the local runtime never does. */
  async sweep(cron = MINUTE_CRON) {
    const url = `${this.baseUrl}/cdn-cgi/handler/scheduled?cron=${encodeURIComponent(cron)}`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(SWEEP_MS) });
    return { ok: answer.ok, status: answer.status, body: await answer.text() };
  }

  /** Ends it the polite way; what has not gone after a few seconds is killed. */
  async stop() {
    clearInterval(this.#timer);
    // To wrangler alone: it ends its children itself and waits for them.
    if (startOf(this.pgid)) process.kill(this.pgid, "SIGTERM");
    if (!(await groupEnds(this.pgid, STOP_MS))) await this.kill9();
    return this.#over();
  }

  /** Ends it as a power failure would: nobody in the group gets to say a word. */
  async kill9() {
    clearInterval(this.#timer);
    signalGroup(this.pgid, "SIGKILL");
    await groupEnds(this.pgid, STOP_MS);
    return this.#over();
  }

  async #over() {
    this.#dropGuard();
    await this.exited;
    rmSync(this.#notes, { force: true });
    this.#log.end();
  }

  async #whenReady() {
    let timer;
    const said = new Promise((ready) => (this.#onReady = ready));
    const late = new Promise((_, fail) => {
      timer = setTimeout(() => fail(this.#failure(`it was not ready after ${READY_MS / 1000} s`)), READY_MS);
    });
    const gone = this.exited.then((how) => {
      throw this.#failure(`it ended with ${how}`);
    });
    try {
      await Promise.race([said, late, gone]);
    } catch (error) {
      await this.kill9();
      throw error;
    } finally {
      clearTimeout(timer);
      gone.catch(() => {});
    }
  }

  #onReady = () => {};

  #failure(what) {
    const hint = `the whole output is in ${this.#log.path}.`;
    return new StepError(`wrangler dev: ${what}`, { tail: this.lines.slice(-30).join("\n"), hint });
  }

  #take(raw) {
    // wrangler colours its warnings whatever it is told.
    const line = raw.replace(/\x1b\[[0-9;]*m/g, "");
    this.lines.push(line);
    if (this.lines.length > LINES_MAX) this.lines.splice(0, LINES_MAX / 2);
    if (!this.#log.writableEnded) this.#log.write(`${line}\n`);
    if (line.includes("Ready on http")) this.#onReady();
    this.#onLine?.(line);
  }
}
