// wrangler.toml's queues: whatever is sent is consumed, and nothing is lost in a queue that nobody reads.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inRepo } from "../../tools/lib/paths.mjs";

const text = readFileSync(inRepo("wrangler.toml"), "utf8");
const value = (block, key) => block.match(new RegExp(`^${key} = "?([^"\n]*)"?$`, "m"))?.[1];
const blocks = (kind) => [...text.matchAll(new RegExp(`^\\[\\[queues\\.${kind}\\]\\]\n((?:[^\n]+\n)*)`, "gm"))].map(([, block]) => block);
const consumers = new Map(blocks("consumers").map((block) => [value(block, "queue"), block]));

test("every queue that something is sent to is consumed, the dead letters among them", () => {
  const sent = blocks("producers").map((block) => value(block, "queue"));
  const dead = [...consumers.values()].map((block) => value(block, "dead_letter_queue")).filter(Boolean);
  assert.deepEqual([...sent].sort(), ["posthorn-jobs", "posthorn-upkeep"]);
  assert.deepEqual(dead, ["posthorn-dead-letters"]);
  for (const queue of [...sent, ...dead]) assert.ok(consumers.has(queue), queue);
});

test("no queue falls on a database that has just come back with all it has", () => {
  for (const [queue, block] of consumers) {
    const most = Number(value(block, "max_concurrency"));
    assert.ok(most >= 1 && most <= 50, `${queue}: ${most}`);
  }
});

test("jobs are tried for hours, and a task of the upkeep has an invocation to itself", () => {
  for (const queue of ["posthorn-jobs", "posthorn-dead-letters"]) {
    assert.equal(value(consumers.get(queue), "max_retries"), "100", queue);
  }
  assert.equal(value(consumers.get("posthorn-upkeep"), "max_batch_size"), "1");
});

test("no address and no run that nobody asked for", () => {
  for (const line of ["workers_dev = false", "preview_urls = false", "cpu_ms = 30_000"]) assert.ok(text.split("\n").includes(line), line);
});
