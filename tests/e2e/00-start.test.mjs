// The Worker starts under wrangler, answers, and leaves nothing behind.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { membersOf } from "../../tools/lib/processes.mjs";
import { startWorker } from "../../tools/lib/worker.mjs";

const vars = {
  ADMIN_TOKEN: "admin-token-of-the-tests",
  MASTER_KEYS: `test:${Buffer.alloc(32, 7).toString("base64")}`,
  ALLOW_PRIVATE_DESTINATIONS: "true",
};
let stateDir;

before(() => {
  stateDir = mkdtempSync(join(tmpdir(), "posthorn-e2e-"));
});
after(() => rmSync(stateDir, { recursive: true, force: true }));

test("an unknown path is answered", async () => {
  const worker = await startWorker({ stateDir, vars });
  try {
    const answer = await fetch(`${worker.baseUrl}/api/v1/no-such-path`);
    assert.ok(answer.status >= 200 && answer.status < 500, `status ${answer.status}`);
  } finally {
    await worker.stop();
  }
  assert.deepEqual(membersOf(worker.pgid), []);
});

test("killed and started again on the same state and port", async () => {
  const first = await startWorker({ stateDir, vars });
  await first.kill9();
  const second = await startWorker({ stateDir, vars, port: first.port });
  try {
    assert.equal(second.baseUrl, first.baseUrl);
    const answer = await fetch(`${second.baseUrl}/api/v1/no-such-path`);
    assert.ok(answer.status < 500, `status ${answer.status}`);
  } finally {
    await second.stop();
  }
});
