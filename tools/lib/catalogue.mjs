// The event types of the demo tenant: what the demo shop could tell its customers about.
import { expected } from "./api.mjs";

const lines = (object) => JSON.stringify(object, null, 2);

const EVENT_TYPES = {
  "order.completed": {
    label: "Order completed",
    description: "A customer has paid for an order and it is ready to be shipped.",
    group: "Orders",
    example: lines({
      order_id: "ord_20417",
      customer_id: "cus_8842",
      account_id: "acc_acme",
      total_cents: 12900,
      currency: "eur",
      items: 3,
      completed_at: "2026-04-17T18:22:00Z",
    }),
  },
  "order.refunded": {
    label: "Order refunded",
    description: "Money went back to a customer, for a whole order or for a part of it.",
    group: "Orders",
    example: lines({
      order_id: "ord_20417",
      refund_id: "ref_3310",
      account_id: "acc_acme",
      amount_cents: 4300,
      currency: "eur",
      reason: "damaged_in_transit",
      refunded_at: "2026-04-21T09:05:12Z",
    }),
  },
  "customer.created": {
    label: "Customer created",
    description: "Somebody has ordered for the first time or has opened an account.",
    group: "Customers",
    example: lines({
      customer_id: "cus_8842",
      account_id: "acc_acme",
      name: "Zoë Okonkwo",
      email: "zoe@customers.example",
      country: "NL",
      accepts_marketing: false,
      created_at: "2026-04-17T18:19:41Z",
    }),
  },
  "invoice.paid": {
    label: "Invoice paid",
    description: "An invoice is settled in full.",
    group: "Billing",
    example: lines({
      invoice_id: "inv_2026_0093",
      customer_id: "cus_8842",
      account_id: "acc_acme",
      total_cents: 48650,
      tax_cents: 7768,
      currency: "eur",
      method: "sepa_debit",
      paid_at: "2026-05-02T06:00:00Z",
    }),
  },
};

/** Makes sure that each of them is there. One that is there is left as somebody may have changed it. */
export async function ensureCatalogue(api) {
  const { records } = expected("the demo catalogue", 200, await api.get("/event-types?limit=200"));
  for (const [key, eventType] of Object.entries(EVENT_TYPES)) {
    if (records.some((record) => record.key === key)) continue;
    expected(`the event type ${key}`, 200, await api.put(`/event-types/${encodeURIComponent(key)}`, eventType));
  }
}
