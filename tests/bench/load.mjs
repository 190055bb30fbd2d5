// The load of the bench, in a process of its own. Speaks HTTP over plain sockets, since the clients that come with
// Node take as much of a small machine as what they measure. Each message of the parent is one load; the answer says
// how many requests were answered well, how long they took, and how many were not.
import { connect } from "node:net";
import { quantile } from "./statistics.mjs";

process.on("message", async (load) => process.send(await (load.perSecond ? paced(load) : closed(load))));
process.on("disconnect", () => process.exit(0));

/** Clock that all processes of this machine share, in milliseconds. */
const clock = () => Number(process.hrtime.bigint()) / 1e6;

/** So many connections, each asking again as soon as it is answered; for some seconds, or so many requests. */
async function closed(load) {
  const until = load.seconds ? clock() + load.seconds * 1000 : Infinity;
  let left = load.requests ?? Infinity;
  const results = { took: [], failed: 0 };
  const began = clock();
  await Promise.all(Array.from({ length: load.connections }, async () => {
    const client = await open(load);
    while (clock() < until && left-- > 0) await ask(client, load, results);
    client.end();
  }));
  return { ...summary(results), began, seconds: (clock() - began) / 1000 };
}

/** So many requests a second, whatever the answers do. */
async function paced(load) {
  const count = load.perSecond * load.seconds;
  const results = { took: [], failed: 0 };
  const clients = await Promise.all(Array.from({ length: load.connections }, () => open(load)));
  const began = clock();
  const asked = [];
  for (let n = 0; n < count; n += 1) {
    const wait = began + (n * 1000) / load.perSecond - clock();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    asked.push(ask(clients[n % clients.length], load, results));
  }
  await Promise.all(asked);
  clients.forEach((client) => client.end());
  return { ...summary(results), began, seconds: (clock() - began) / 1000 };
}

async function ask(client, load, results) {
  const began = clock();
  const status = await client.send(request(load, began));
  if (status === 201) results.took.push(clock() - began);
  else results.failed += 1;
}

let number = 0;

function request({ path, headers, event, payload, bulk }, atMs) {
  const one = () => ({ event, payload: { ...payload, number: ++number, sent_at_ms: atMs } });
  const body = JSON.stringify(bulk ? Array.from({ length: bulk }, one) : one());
  const lines = Object.entries({ host: "bench", "content-type": "application/json", ...headers });
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return `POST ${path} HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** A connection that is kept; answers are matched to requests in their order. */
async function open({ host, port }) {
  const socket = connect({ host, port, noDelay: true });
  await new Promise((ready, failed) => socket.once("connect", ready).once("error", failed));
  let [waiting, rest] = [[], ""];
  socket.setEncoding("latin1").on("data", (text) => {
    rest += text;
    for (let answer; (answer = whole(rest)); ) {
      rest = rest.slice(answer.length);
      waiting.shift()(answer.status);
    }
  });
  const over = () => waiting.splice(0).forEach((done) => done(0));
  socket.on("error", over).on("close", over);
  return {
    send: (text) => new Promise((done) => {
      if (socket.destroyed) return done(0);
      waiting.push(done);
      socket.write(text);
    }),
    end: () => socket.end(),
  };
}

/** The status and length of the first answer in a text; undefined when it is not there as a whole. */
function whole(text) {
  const head = text.indexOf("\r\n\r\n") + 4;
  if (head < 4) return undefined;
  const status = Number(text.slice(9, 12));
  const told = text.slice(0, head).match(/^content-length: (\d+)/im)?.[1];
  if (told !== undefined) return text.length >= head + Number(told) ? { status, length: head + Number(told) } : undefined;
  const end = text.indexOf("0\r\n\r\n", head);
  return end < 0 ? undefined : { status, length: end + 5 };
}

function summary({ took, failed }) {
  return { answered: took.length, failed, p50: quantile(took, 0.5), p99: quantile(took, 0.99) };
}
