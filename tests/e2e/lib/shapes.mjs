// The shapes of answers, read as strictly as the official clients read them: every key, its type and its pattern.
import assert from "node:assert/strict";

const text = (pattern, what) => (value) => (typeof value === "string" && pattern.test(value)) || `must be ${what}`;

export const uuid = text(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "a UUID");
/** The clients take organization ids of versions 1 to 5 only. */
export const olderUuid = text(/^[0-9a-f]{8}-[0-9a-f]{4}-[1-5][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/, "a UUID of version 1 to 5");
export const time = text(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/, "RFC 3339 with milliseconds");
export const words = text(/\S/, "words");
export const anyText = text(/^/, "text");
export const count = (value) => (Number.isInteger(value) && value >= 0) || "must be a whole number";
export const flag = (value) => typeof value === "boolean" || "must be true or false";
export const oneOf = (...values) => (value) => values.includes(value) || `must be one of ${values}`;
export const matching = (pattern) => text(pattern, String(pattern));
export const listOf = (shape) => (value) => {
  if (!Array.isArray(value)) return "must be an array";
  value.forEach((one, index) => assertShape(one, shape, `[${index}]`));
  return true;
};
export const orNull = (check) => (value) => value === null || check(value);

/** A key that may be missing. */
export const maybe = (check) => Object.assign((value) => check(value), { optional: true });

/**
 * Fails unless `value` has exactly the keys of `shape`. What stands at a key is a check, a nested
 * shape, or the exact value.
 */
export function assertShape(value, shape, at = "answer") {
  if (typeof shape === "function") return assert.equal(shape(value), true, `${at} ${shape(value)}: ${JSON.stringify(value)}`);
  if (shape === null || typeof shape !== "object" || Array.isArray(shape)) return assert.deepEqual(value, shape, at);
  assert.ok(value !== null && typeof value === "object" && !Array.isArray(value), `${at} must be an object`);
  const missing = Object.keys(shape).filter((key) => !(key in value) && !shape[key]?.optional);
  const unknown = Object.keys(value).filter((key) => !(key in shape));
  assert.deepEqual({ missing, unknown }, { missing: [], unknown: [] }, at);
  for (const key of Object.keys(value)) assertShape(value[key], shape[key], `${at}.${key}`);
}

/** As the clients read: these keys, each as it must be, whatever there is beside them. */
export const atLeast = (shape) => (value) => {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return "must be an object";
  const known = Object.keys(shape).filter((key) => key in value || !shape[key]?.optional);
  for (const key of known) assertShape(value[key], shape[key], key);
  return true;
};

export const acceptedEvent = (event, more = {}) => ({
  id: uuid, type: "event", event, workspace: uuid, created_by: words, created_at: time, ...more,
});

export const statuses = oneOf("pending", "processing", "retrying", "completed", "failed", "canceled");
export const outcomes = oneOf(
  "delivered", "rejected_client_error", "rejected_server_error", "rate_limited", "auth_failed", "timeout",
  "network_error", "internal_error", "redirect_refused", "url_refused", "gone",
);

export const ruleEvent = {
  id: uuid, type: "rule", workspace: uuid, event: words, event_id: uuid, resource: maybe(words), resource_id: maybe(words),
  connection: uuid, rule: uuid, integration_type: "webhook", status: statuses, attempt_count: count,
  next_attempt_at: maybe(time), started_at: maybe(time), completed_at: maybe(time), last_error: maybe(words),
  held: maybe(flag), created_by: words, created_at: time, message_id: matching(/^msg_[0-9a-f]{40}$/),
};

/** How far the deliveries of an event are. */
export const progress = {
  total_rules: count, completed_count: count, failed_count: count, started_at: maybe(time), completed_at: maybe(time),
  kept_until: maybe(time),
};

/** The envelope of every list. */
export const list = (record) => ({
  count, limit: count, next_cursor: orNull(matching(/^[A-Za-z0-9_-]+$/)), records: listOf(record),
});

const headerList = listOf({ name: words, value: anyText });
export const attempt = {
  id: uuid, number: count, outcome: outcomes, started_at: time, duration_ms: count, status_code: maybe(count), error: maybe(words),
  request: { method: oneOf("POST", "PUT", "PATCH"), url: matching(/^https?:/), headers: headerList },
};
export const responseDetails = {
  id: uuid, number: count, status_code: maybe(count), headers: headerList, body: anyText,
  truncated: flag, duration_ms: count, error: maybe(words),
};

/**
 * Fails unless an answer is the contract's error with this status, naming exactly these fields, and
 * says nothing of what is inside.
 */
export function assertError(answer, status, ...params) {
  assert.equal(answer.status, status, answer.text);
  assert.equal(answer.headers.get("content-type"), "application/problem+json", answer.text);
  const { error } = answer.body;
  const [first] = error.data ?? [];
  if (status === 400 && first) assert.ok(answer.body.message.startsWith(first.param === "body" ? "The body" : first.param), answer.text);
  assertShape(answer.body, {
    message: words,
    error: { name: words, message: words, code: maybe(words), ...(params.length ? { data: listOf({ param: anyText, msg: words }) } : {}) },
    type: matching(/^\/problems\/[a-z-]+$/),
    ...([429, 503].includes(status) ? { retry_after: count } : {}),
    request_id: matching(/^[A-Za-z0-9._-]{1,64}$/),
  });
  assert.deepEqual((error.data ?? []).map(({ param }) => param).sort(), [...params].sort(), answer.text);
  assert.equal(answer.headers.get("x-request-id"), answer.body.request_id);
  assert.ok(!/D1|SQL|panicked|\.rs\b|serde/.test(answer.text), answer.text);
  if (status === 401) assert.ok(answer.headers.get("www-authenticate"));
}
