// A past for a connection: settled deliveries, written into LOG of a Worker that is not running.
import { changeLog } from "./d1.mjs";

/**
 * Settled deliveries of a connection, one an event. `numbers` is [from, to): the n-th is accepted at `atMs(n)`. The
 * connection has delivered something by its rule before.
 */
export function addPast(stateDir, of, numbers, atMs) {
  changeLog(stateDir, (database) => write(database, of, numbers, atMs));
}

function write(database, { workspace, connection, rule }, [from, to], atMs) {
  const known = database.prepare("select max(rule) as number from deliveries where connection = ?").get(connection);
  const fanOut = JSON.stringify([{ n: known.number, r: rule, c: connection, t: "webhook" }]);
  const event = database.prepare(
    `insert into events (workspace, event, name, created_by, created_at_ms, fan_out, payload_bytes, payload)
     values (?, ?, 'past', 'key', ?, ?, 2, '{}')`,
  );
  const delivery = database.prepare(
    `insert into deliveries (workspace, connection, event, rule, state, open, attempts, payload_bytes, created_at_ms,
       started_at_ms, completed_at_ms) values (?, ?, ?, ?, 'delivered', 0, 1, 2, ?, ?, ?)`,
  );
  database.exec("begin");
  for (let n = from; n < to; n += 1) {
    const at = Math.floor(atMs(n));
    // The time stands in the first 48 bits of an id.
    const hex = at.toString(16).padStart(12, "0");
    const id = `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${n.toString(16).padStart(12, "0")}`;
    event.run(workspace, id, at, fanOut);
    delivery.run(workspace, connection, id, known.number, at, at, at + 40);
  }
  database.exec("commit");
}
