// What events cost at Cloudflare's list prices (USD, autumn 2026), from what was counted.

/** Prices per unit. A queue message of up to 64 KB is three operations: write, read, delete. */
export const PRICES = {
  request: 0.3 / 1e6,
  cpuMs: 0.02 / 1e6,
  queueOperation: 0.4 / 1e6,
  rowWritten: 1.0 / 1e6,
  rowRead: 0.001 / 1e6,
  objectRequest: 0.15 / 1e6,
};
const OPERATIONS_PER_MESSAGE = 3;

/**
 * Dollars for a million events. All figures are per event: `requests` (HTTP requests and consumer
 * invocations), `cpuMs`, `queueMessages`, `rowsWritten` and `rowsRead` of D1, `objectRequests` and
 * `objectRows` (written) of Durable Objects, whose rows cost the same.
 */
export function costPerMillion({ requests, cpuMs, queueMessages, rowsWritten, rowsRead, objectRequests = 0, objectRows = 0 }) {
  const perEvent =
    requests * PRICES.request +
    cpuMs * PRICES.cpuMs +
    queueMessages * OPERATIONS_PER_MESSAGE * PRICES.queueOperation +
    (rowsWritten + objectRows) * PRICES.rowWritten +
    objectRequests * PRICES.objectRequest +
    rowsRead * PRICES.rowRead;
  return perEvent * 1e6;
}
