// The pages of the demo shop.
import { PRODUCTS } from "./stock.mjs";

const SHOP = "Fieldstall";
const ACCENT = "0f766e";
const MENU = [["/orders", "Orders"], ["/products", "Products"], ["/settings", "Settings"]];
const SETTINGS = [["/settings", "General"], ["/settings/webhooks", "Webhooks"]];

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (text) => String(text).replace(/[&<>"]/g, (character) => ENTITIES[character]);
const euros = (cents) => `€${(cents / 100).toFixed(2)}`;
const link = (path, here) => ([href, text]) =>
  `<a href="${href}"${href === path ? ' aria-current="page"' : here(href) ? ' class="here"' : ""}>${text}</a>`;

function page({ title, path, scripts = "", main }) {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)} · ${SHOP}</title>
<link rel="icon" href="/shop.svg">
<link rel="stylesheet" href="/shop.css">
${scripts}<script src="/shop.js" defer></script>
</head>
<body>
<header>
  <a class="brand" href="/orders"><img src="/shop.svg" alt="" width="28" height="28">${SHOP}</a>
  <nav aria-label="Shop">${MENU.map(link(path, (href) => path.startsWith(href))).join("")}</nav>
  <span class="account"><span class="face" aria-hidden="true">AC</span>Acme Ceramics</span>
</header>
<main>
${main}
</main>
<p class="toast" role="status" id="toast" hidden></p>
</body>
</html>
`;
}

const orderButton = `<form method="post" action="/orders" data-order><button>Place a test order</button></form>`;

const headline = (title, words, action = "") =>
  `<div class="headline"><div><h1>${title}</h1><p>${words}</p></div>${action}</div>`;

/** The orders, newest first. */
export function ordersPage(orders) {
  const rows = orders.map(({ id, customer, items, total_cents, completed_at, event_id }) => `<tr>
  <td><strong>${escaped(id)}</strong></td>
  <td>${escaped(customer)}</td>
  <td><time datetime="${completed_at}">${completed_at.slice(0, 16).replace("T", " ")}</time></td>
  <td class="number">${items}</td>
  <td class="number">${euros(total_cents)}</td>
  <td>${event_id ? `<span class="badge">event sent</span> <code>${escaped(event_id)}</code>` : "—"}</td>
</tr>`);
  const words = "Each completed order is emitted as <code>order.completed</code>.";
  return page({
    title: "Orders",
    path: "/orders",
    main: `${headline("Orders", words, orderButton)}
<div class="card scroll"><table>
<thead><tr>
  <th>Order</th><th>Customer</th><th>Completed (UTC)</th>
  <th class="number">Items</th><th class="number">Total</th><th>Webhook event</th>
</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`,
  });
}

/** What is on sale. */
export function productsPage() {
  const cards = PRODUCTS.map(({ name, cents, stock, hue, shape }) => `<li class="card product">
  <svg viewBox="0 0 120 80" role="img" aria-label="${escaped(name)}">
    <rect width="120" height="80" fill="hsl(${hue} 38% 78%)"/>
    <path d="${shape}" fill="hsl(${hue} 34% 44%)"/>
  </svg>
  <h2>${escaped(name)}</h2>
  <p>${euros(cents)} · ${stock} in stock</p>
</li>`);
  return page({
    title: "Products",
    path: "/products",
    main: `${headline("Products", "Six things to put on a table.")}\n<ul class="products">\n${cards.join("\n")}\n</ul>`,
  });
}

function settings(title, path, scripts, content) {
  const menu = SETTINGS.map(link(path, () => false)).join("");
  const main = `<div class="settings"><nav aria-label="Settings">${menu}</nav><div>\n${content}\n</div></div>`;
  return page({ title, path, scripts, main });
}

/** What a shop calls itself. */
export function settingsPage() {
  const facts = [["Shop name", "Acme Ceramics"], ["Account", "acc_acme"], ["Currency", "EUR"], ["Time zone", "Europe/Amsterdam"]];
  const rows = facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("");
  return settings("Settings", "/settings", "", `${headline("General", "How your shop presents itself.")}
<dl class="card">${rows}</dl>`);
}

/** The page that Posthorn's pages are mounted on. */
export function webhooksPage(posthornUrl) {
  const words = "Tell your own systems what happens in your shop.";
  return settings("Webhooks", "/settings/webhooks", `<script src="${escaped(posthornUrl)}/embed.js" defer></script>\n`,
    `${headline("Webhooks", words, orderButton)}
<div class="card" id="webhooks" data-accent="${ACCENT}"></div>`);
}
