// Waiting, always bounded and always saying for what.
import { setTimeout as sleep } from "node:timers/promises";

/**
 * Waits until `probe` answers true. Any other answer is shown when the time is up, so let it say how
 * far things are.
 */
export async function until(what, probe, timeoutMs = 15_000, everyMs = 50) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const answer = await probe();
    if (answer === true) return;
    if (Date.now() > deadline) throw new Error(`Not within ${timeoutMs} ms: ${what} (last: ${answer})`);
    await sleep(everyMs);
  }
}

export { sleep };
