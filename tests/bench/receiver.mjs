// The customers' endpoint of the bench, in a process of its own: `/fast` answers at once, `/slow` after 10 ms,
// `/hang` never. Answers each message of the parent with what has arrived since it was told to forget.
import { createServer } from "node:http";
import { HOST } from "../../tools/lib/ports.mjs";
import { quantile } from "./statistics.mjs";

const SLOW_MS = 10;

const clock = () => Number(process.hrtime.bigint()) / 1e6;
let arrived = { numbers: new Set(), took: [], repeats: 0, lastAtMs: 0 };

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk)).on("end", () => {
    if (request.url === "/hang") return;
    take(Buffer.concat(chunks).toString());
    const answer = () => response.writeHead(204).end();
    if (request.url === "/slow") setTimeout(answer, SLOW_MS);
    else answer();
  });
});

/** The payload is found by its own text: what is around it is the sender's. */
function take(body) {
  const [, number, sentAtMs] = body.match(/"number":(\d+),"sent_at_ms":([\d.]+)/);
  const { numbers } = arrived;
  if (numbers.has(number)) arrived.repeats += 1;
  numbers.add(number);
  arrived.lastAtMs = clock();
  arrived.took.push(arrived.lastAtMs - Number(sentAtMs));
}

process.on("message", ({ forget }) => {
  const { numbers, took, repeats, lastAtMs } = arrived;
  const [p50, p99] = [0.5, 0.99].map((share) => quantile(took, share));
  process.send({ count: numbers.size, repeats, p50, p99, lastAtMs });
  if (forget) arrived = { numbers: new Set(), took: [], repeats: 0, lastAtMs: 0 };
});
process.on("disconnect", () => process.exit(0));
server.listen(0, HOST, () => process.send({ url: `http://${HOST}:${server.address().port}` }));
