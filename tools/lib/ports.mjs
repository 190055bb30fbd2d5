// TCP ports on this machine.
import { createServer } from "node:net";

export const HOST = "127.0.0.1";

/** A port that nobody uses. */
export async function freePort() {
  return (await tryPort(0)) ?? Promise.reject(new Error("no free port"));
}

/** Whether a server could be started on the port. */
export async function isFree(port) {
  return (await tryPort(port)) !== null;
}

function tryPort(port) {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", (error) => (error.code === "EADDRINUSE" ? resolve(null) : reject(error)));
    server.listen(port, HOST, () => {
      const { port: got } = server.address();
      server.close(() => resolve(got));
    });
  });
}
