// A customer's server: it knows only the secrets that somebody read on a page, and verifies with the
// stock library.
import { Webhook } from "standardwebhooks";

/**
 * Opens a path of the receiver. `trust` gives it a secret, after which requests that no secret
 * verifies are answered 401. Each request keeps which secrets verify it, in `verifiedBy`.
 */
export function openCustomer(receiver, path) {
  const customer = { path, url: receiver.url(path), secrets: [], status: 200, headers: {}, body: "thank you" };
  let gate = Promise.resolve();
  receiver.on(path, async (seen, response) => {
    seen.verifiedBy = customer.secrets.filter((secret) => verifies(secret, seen));
    await gate;
    const status = seen.verifiedBy.length ? customer.status : 401;
    response.writeHead(status, customer.headers).end(customer.body);
  });
  return Object.assign(customer, {
    trust: (secret) => void customer.secrets.push(secret),
    seen: () => receiver.at(path),
    /** The newest request once there are this many. */
    arrived: async (count) => (await receiver.arrived(path, count)).at(-1),
    /** Answers nothing until the function that it returns is called. */
    hold() {
      let open;
      gate = new Promise((done) => (open = done));
      return open;
    },
  });
}

function verifies(secret, { headers, body }) {
  try {
    new Webhook(secret).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}
