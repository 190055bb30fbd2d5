// Progress for people: one line per step, with the time it has taken so far.

const HEARTBEAT_MS = 30_000;

/**
 * Shows `title` while `work` runs. On a terminal one line is kept up to date; elsewhere (CI logs)
 * a line says the step began, one each half minute that it goes on, and one that it is done.
 * `work` gets a function that takes the tool's newest line.
 */
export async function step(title, work) {
  const show = process.stdout.isTTY ? liveLine(title) : loggedLines(title);
  try {
    const result = await work(show.note);
    show.end("done");
    return result;
  } catch (error) {
    show.end("failed");
    throw error;
  }
}

function liveLine(title) {
  const started = Date.now();
  let latest = "";
  const draw = () => {
    const room = (process.stdout.columns || 80) - title.length - 14;
    const detail = room > 10 ? latest.trim().slice(0, room) : "";
    process.stdout.write(`\r\x1b[2K  ${title} ... ${seconds(started)} ${detail}`);
  };
  draw();
  const timer = setInterval(draw, 500);
  return {
    note: (line) => (latest = line),
    end: (word) => {
      clearInterval(timer);
      process.stdout.write(`\r\x1b[2K  ${title}: ${word} in ${seconds(started)}\n`);
    },
  };
}

function loggedLines(title) {
  const started = Date.now();
  let latest = "";
  console.log(`  ${title} ...`);
  const timer = setInterval(() => {
    console.log(`    still at it after ${seconds(started)}: ${latest.trim().slice(0, 100)}`);
  }, HEARTBEAT_MS);
  return {
    note: (line) => (latest = line),
    end: (word) => {
      clearInterval(timer);
      console.log(`  ${title}: ${word} in ${seconds(started)}`);
    },
  };
}

/** The time since `started`, to read. */
export function seconds(started) {
  return `${((Date.now() - started) / 1000).toFixed(1)} s`;
}
