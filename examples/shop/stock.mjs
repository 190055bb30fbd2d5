// What the demo shop sells, and who buys it.

/** `shape` is the outline of a drawing of 120 by 80. */
export const PRODUCTS = [
  { name: "Speckled mug", cents: 2400, stock: 38, hue: 28, shape: "M42 24h32v6h6q7 0 7 9t-7 9h-6v4q0 8-8 8H50q-8 0-8-8zm32 12v6h4q2 0 2-3t-2-3z" },
  { name: "Ash-glaze bowl", cents: 4300, stock: 12, hue: 88, shape: "M28 32h64q0 22-22 28v4H50v-4Q28 54 28 32z" },
  { name: "Tall pitcher", cents: 6800, stock: 5, hue: 205, shape: "M44 14l8 4h18l-3 12q9 10 7 24-1 12-10 12H54q-9 0-10-12-2-14 7-24z" },
  { name: "Espresso cups, pair", cents: 3200, stock: 21, hue: 350, shape: "M30 36h26l-3 20q-1 6-7 6h-6q-6 0-7-6zm34 0h26l-3 20q-1 6-7 6h-6q-6 0-7-6z" },
  { name: "Serving platter", cents: 8900, stock: 3, hue: 160, shape: "M16 40q44 10 88 0-10 18-30 18H46q-20 0-30-18z" },
  { name: "Bud vase", cents: 1900, stock: 44, hue: 268, shape: "M55 12h10l-1 18q14 8 12 24-2 12-12 12h-8q-10 0-12-12-2-16 12-24z" },
];

const CUSTOMERS = ["Zoë Okonkwo", "Mateo Lindqvist", "Priya Raman", "Hanna Vogel", "Tomás Ferreira", "Aiko Brandt"];
const FIRST_NUMBER = 20_413;
const HOUR_MS = 3_600_000;

let lastNumber = FIRST_NUMBER;

/** An order of a few pieces by somebody, completed now. `pick(n)` answers a number below n. */
export function newOrder(pick, completedAtMs = Date.now()) {
  const items = 1 + pick(4);
  const pieces = Array.from({ length: items }, () => PRODUCTS[pick(PRODUCTS.length)]);
  const customer = pick(CUSTOMERS.length);
  return {
    id: `ord_${(lastNumber += 1)}`,
    customer: CUSTOMERS[customer],
    customer_id: `cus_${8840 + customer}`,
    account_id: "acc_acme",
    total_cents: pieces.reduce((sum, { cents }) => sum + cents, 0),
    currency: "eur",
    items,
    completed_at: new Date(completedAtMs).toISOString(),
  };
}

/** The orders of a shop that has been open for a while, newest first. They were never emitted. */
export function firstOrders() {
  const now = Date.now();
  const orders = [21, 9, 5, 2].map((hours, index) => newOrder((n) => (index * 3 + 1) % n, now - hours * HOUR_MS));
  return orders.reverse();
}
