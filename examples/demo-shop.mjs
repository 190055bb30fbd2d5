// The product's side of the demo: a shop whose settings show Posthorn's pages, and whose orders are
// events. It is what a product has to do and no more: mint sessions, refresh its own, mount, emit.
import { randomInt } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { apiClient, asMachine, asPublisher, expected } from "../tools/lib/api.mjs";
import { inRepo } from "../tools/lib/paths.mjs";
import { freePort, HOST, isFree } from "../tools/lib/ports.mjs";
import { readJson } from "./shop/requests.mjs";
import { ordersPage, productsPage, settingsPage, webhooksPage } from "./shop/pages.mjs";
import { firstOrders, newOrder } from "./shop/stock.mjs";

const SESSIONS_MAX = 1_000;
const ORDERS_SHOWN = 12;
const TYPES = { css: "text/css", js: "text/javascript", svg: "image/svg+xml" };

/**
 * Starts the shop on `port` when that is free, else on another. `posthornUrl` is where the browser
 * finds Posthorn: by another host name than the shop's, so that the two are different sites, as they
 * are in real life. Answers {url, port, close()}.
 */
export async function startDemoShop({ port, posthornUrl, machine, workspaceId, publishableKey }) {
  const chosen = port && (await isFree(port)) ? port : await freePort();
  const shop = new Shop({
    origin: `http://${HOST}:${chosen}`,
    posthornUrl,
    workspaceId,
    api: apiClient(posthornUrl, asMachine(machine)),
    publisher: apiClient(posthornUrl, asPublisher(publishableKey)),
  });
  const server = createServer((request, response) => shop.serve(request, response));
  await new Promise((ready, failed) => server.on("error", failed).listen(chosen, HOST, ready));
  const close = () => new Promise((done) => {
    server.close(done);
    server.closeAllConnections();
  });
  return { url: shop.origin, port: chosen, close };
}

class Shop {
  #routes = {
    "GET /": () => redirect("/settings/webhooks"),
    "GET /orders": () => html(ordersPage(this.orders.slice(0, ORDERS_SHOWN))),
    "GET /products": () => html(productsPage()),
    "GET /settings": () => html(settingsPage()),
    "GET /settings/webhooks": () => html(webhooksPage(this.posthornUrl)),
    "POST /orders": (request) => this.#placeOrder(request),
    "POST /webhooks/session": () => this.#mintSession(),
    "POST /webhooks/session/refresh": (request) => this.#refreshSession(request),
    ...Object.fromEntries(["shop.css", "shop.js", "shop.svg"].map((name) => [`GET /${name}`, () => file(name)])),
  };
  #sessions = new Set();

  constructor({ origin, posthornUrl, workspaceId, api, publisher }) {
    Object.assign(this, { origin, posthornUrl, workspaceId, api, publisher });
    this.orders = firstOrders();
  }

  async serve(request, response) {
    const { status = 200, type, body = "", headers = {} } = await this.#answer(request).catch((error) => {
      // What the API said is for whoever runs the demo, in the terminal and in the page alike.
      console.error(`demo shop: ${request.method} ${request.url}: ${error.message}`);
      return json({ message: error.message }, 502);
    });
    response.writeHead(status, { ...this.#policy(), ...(type ? { "content-type": type } : {}), ...headers }).end(body);
  }

  async #answer(request) {
    const { pathname } = new URL(request.url, this.origin);
    const route = this.#routes[`${request.method === "HEAD" ? "GET" : request.method} ${pathname}`];
    // A name of somebody else's that leads to this machine must not reach a shop without a login.
    if (request.headers.host !== new URL(this.origin).host) return json({ message: "Not this host" }, 421);
    if (!route) return json({ message: "Not here" }, 404);
    if (request.method === "POST" && request.headers.origin !== this.origin) {
      return json({ message: "Not from this page" }, 403);
    }
    return route(request);
  }

  #policy() {
    const csp = {
      "default-src": "'none'",
      "script-src": `'self' ${this.posthornUrl}/embed.js`,
      "frame-src": this.posthornUrl,
      "style-src": "'self'",
      "img-src": "'self'",
      "connect-src": "'self'",
      "form-action": "'self'",
      "base-uri": "'none'",
      "frame-ancestors": "'none'",
    };
    return {
      "content-security-policy": Object.entries(csp).map((rule) => rule.join(" ")).join("; "),
      "referrer-policy": "same-origin",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
    };
  }

  /** What a product does when somebody who is logged in opens the page: here everybody is. */
  async #mintSession() {
    const answer = await this.api.post("/sessions", {
      workspace_id: this.workspaceId,
      role: "admin",
      scopes: ["events.payload:read"],
      external_user_id: "demo-user",
      allowed_origins: [this.origin],
    });
    const { launch_url, session_id, access_token } = expected("a session", 200, answer);
    this.#sessions.add(session_id);
    // A set keeps the order of insertion: the oldest goes, and its page opens a new session.
    if (this.#sessions.size > SESSIONS_MAX) this.#sessions.delete(this.#sessions.values().next().value);
    return json({ launch_url, session_id, access_token });
  }

  /** Only sessions that were minted here: in a real product, only those of who is logged in. */
  async #refreshSession(request) {
    const { session_id } = await readJson(request);
    if (!this.#sessions.has(session_id)) return json({ message: "No such session" }, 404);
    const answer = await this.api.post(`/sessions/${encodeURIComponent(session_id)}/refresh`);
    // It is over, by time or because somebody revoked it: the page opens another one.
    if (answer.status === 409) return json({ message: answer.body.message }, 409);
    const { access_token } = expected("a refreshed session", 200, answer);
    return json({ access_token });
  }

  async #placeOrder(request) {
    const order = newOrder(randomInt);
    const { id, customer, ...payload } = order;
    const answer = await this.publisher.post("/events", {
      event: "order.completed", resource: "order", resource_id: id, payload: { order_id: id, ...payload },
    });
    const { event } = expected("the event", 201, answer);
    this.orders.unshift({ ...order, event_id: event.id });
    const wantsJson = request.headers.accept?.includes("application/json");
    return wantsJson ? json({ order_id: id, customer, event_id: event.id }, 201) : redirect("/orders");
  }
}

const html = (body) => ({ type: "text/html; charset=utf-8", body });
const json = (value, status = 200) => ({ status, type: "application/json", body: JSON.stringify(value) });
const redirect = (location) => ({ status: 303, headers: { location } });

function file(name) {
  const type = `${TYPES[name.split(".").pop()]}; charset=utf-8`;
  return { type, body: readFileSync(inRepo("examples", "shop", name)) };
}
