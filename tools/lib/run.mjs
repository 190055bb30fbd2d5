// Runs other people's tools: their output is kept for the moment something fails, and nothing waits for ever.
import { spawn, spawnSync } from "node:child_process";
import { parseArgs } from "node:util";

/** A failure with something to say to the person at the keyboard: what failed, the tool's last words, what to try. */
export class StepError extends Error {
  constructor(message, { tail = "", hint = "" } = {}) {
    super(message);
    this.tail = tail;
    this.hint = hint;
  }

  explain() {
    const parts = [`\nFailed: ${this.message}`];
    if (this.tail) parts.push(`\nThe end of its output:\n${this.tail.replace(/^/gm, "  | ")}`);
    if (this.hint) parts.push(`\nWhat to try: ${this.hint}`);
    return parts.join("\n");
  }
}

/** The words of the command line, {values, positionals}; what is wrong with them is said with how it goes. */
export function commandLine(options, usage, allowPositionals = false) {
  try {
    return parseArgs({ options, allowPositionals });
  } catch (error) {
    throw new StepError(error.message.split(". ")[0], { hint: `\n${usage}` });
  }
}

const TAIL_LINES = 40;

/**
 * Runs a command to its end and returns everything it printed. With `inherit` the output goes to
 * the terminal untouched instead. `onLine` sees each line as it comes, for progress.
 */
export function run(command, args, options = {}) {
  const { cwd, env, inherit, timeoutMs, onLine, hint, what } = options;
  if (interrupted) return Promise.reject(new StepError("interrupted"));
  return new Promise((resolve, reject) => {
    // A group of its own, so that a time-out also ends what the tool itself started.
    const child = spawn(command, args, {
      cwd,
      env: env ?? process.env,
      stdio: inherit ? "inherit" : ["ignore", "pipe", "pipe"],
      detached: !inherit || Boolean(timeoutMs),
    });
    running.add(child);
    const lines = collectLines(child, onLine);
    let timedOut = false;
    const timer = timeoutMs && setTimeout(() => {
      timedOut = true;
      killGroup(child);
    }, timeoutMs);
    const finish = (error) => {
      clearTimeout(timer);
      running.delete(child);
      if (!error) return resolve(lines.join("\n"));
      reject(new StepError(error, { tail: lines.slice(-TAIL_LINES).join("\n"), hint }));
    };
    const name = what ?? `${command} ${args.join(" ")}`;
    child.on("error", (error) => finish(`${name}: ${error.message}`));
    child.on("close", (code, signal) => {
      if (timedOut) return finish(`${name}: no end after ${timeoutMs / 1000} s`);
      finish(code === 0 ? null : `${name}: ended with ${signal ?? `exit code ${code}`}`);
    });
  });
}

/** Runs a quick question to a tool; null when the tool is missing, fails or does not answer in time. */
export function ask(command, args, { env, timeoutMs = 20_000 } = {}) {
  const answer = spawnSync(command, args, {
    env: env ?? process.env,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: timeoutMs,
  });
  return answer.status === 0 ? answer.stdout.trim() : null;
}

const running = new Set();
let interrupted = false;

/**
 * Ctrl-C during a long step must not leave a compiler running behind the prompt. The tools are
 * ended and their steps fail, so that half-made folders are cleaned up on the way out.
 */
export function stopToolsOnSignals() {
  process.once("SIGINT", killTools).once("SIGTERM", killTools);
  return () => process.off("SIGINT", killTools).off("SIGTERM", killTools);
}

/** Ends every tool that runs, and lets no other one begin. */
export function killTools() {
  interrupted = true;
  for (const child of running) killGroup(child);
}

/** Ends a command-line tool: a StepError is explained, anything else shows its stack. */
export function die(error) {
  if (interrupted) process.exit(130);
  console.error(error instanceof StepError ? error.explain() : error);
  process.exit(1);
}

function killGroup(child) {
  for (const target of [-child.pid, child.pid]) {
    try {
      process.kill(target, "SIGKILL");
      return;
    } catch {
      // Not a group leader, or already gone: try the process itself, then let it be.
    }
  }
}

function collectLines(child, onLine) {
  const lines = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) eachLine(stream, (line) => {
      lines.push(line);
      onLine?.(line);
    });
  }
  return lines;
}

/** Calls `take` with each line of a stream, the last one included when it has no line end. */
export function eachLine(stream, take) {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (chunk) => {
    const parts = (rest + chunk).split(/\r?\n/);
    rest = parts.pop();
    parts.forEach(take);
  });
  stream.on("end", () => rest && take(rest));
}
