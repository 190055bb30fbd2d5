// A small client of Posthorn's API for scripts and tests: machine tokens and JSON over fetch.
import { createHmac } from "node:crypto";
import { StepError } from "./run.mjs";

const TOKEN_SECONDS = 30;

const encode = (value) => Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/**
 * A machine token as the official clients make it. `header` and `claims` replace single fields, so
 * that tests can make wrong ones.
 */
export function mintToken({ organizationId, accessKey, secretKey }, { header = {}, claims = {} } = {}) {
  const now = Math.floor(Date.now() / 1000);
  const head = encode({ alg: "HS256", typ: "JWT", kid: accessKey, ...header });
  const body = encode({
    iss: `urn:meshes:m2m:${accessKey}`,
    aud: "meshes-api",
    org: organizationId,
    iat: now,
    exp: now + TOKEN_SECONDS,
    ...claims,
  });
  // The key is the text of the secret, not the bytes it may encode.
  const signature = createHmac("sha256", secretKey).update(`${head}.${body}`).digest("base64url");
  return `${head}.${body}.${signature}`;
}

/** Authorizations for `apiClient`: each answers the headers of one request. */
export const asAdmin = (adminToken) => () => ({ authorization: `Bearer ${adminToken}` });
export const asMachine = (credentials) => () => ({ authorization: `Bearer ${mintToken(credentials)}` });
export const asPublisher = (publishableKey) => () => ({ "x-meshes-publishable-key": publishableKey });
export const asNobody = () => ({});

/**
 * A client for the paths under /api/v1. `body` may be a value (sent as JSON) or a Buffer or string
 * (sent as it is). Every call answers {status, headers, body, text}, whatever the status.
 */
export function apiClient(baseUrl, authorize = asNobody) {
  const call = (method) => (path, body, headers) => request(baseUrl, authorize, method, path, body, headers);
  return {
    get: (path, headers) => request(baseUrl, authorize, "GET", path, undefined, headers),
    post: call("POST"),
    put: call("PUT"),
    patch: call("PATCH"),
    delete: call("DELETE"),
  };
}

/** The body of an answer that must have this status; `what` says what was asked for. */
export function expected(what, status, answer) {
  if (answer.status === status) return answer.body;
  throw new StepError(`${what}: the API answered ${answer.status}`, { tail: answer.text.slice(0, 2000) });
}

const PAGE = 200;

/** All records of a list. */
export async function all(api, path) {
  const records = [];
  for (let cursor = ""; cursor !== null; ) {
    const sign = path.includes("?") ? "&" : "?";
    const page = expected(path, 200, await api.get(`${path}${sign}limit=${PAGE}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`));
    records.push(...page.records);
    cursor = page.next_cursor;
  }
  return records;
}

async function request(baseUrl, authorize, method, path, body, headers = {}) {
  const raw = body === undefined || typeof body === "string" || Buffer.isBuffer(body);
  const answer = await fetch(`${baseUrl}/api/v1${path}`, {
    method,
    // The official clients follow redirects; Posthorn must never answer with one, so one is shown as it is.
    redirect: "manual",
    headers: {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...authorize(),
      ...headers,
    },
    body: raw ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, headers: answer.headers, body: parsed(text), text };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
