// The OpenAPI document as an installation serves it, and what it says of an answer.
import assert from "node:assert/strict";
import { Ajv2020 } from "ajv/dist/2020.js";

const METHODS = ["get", "post", "put", "patch", "delete"];

/** The document of a running Worker. */
export async function readDocument(baseUrl) {
  const answer = await fetch(`${baseUrl}/api/v1/openapi.json`, { redirect: "manual" });
  assert.equal(answer.status, 200);
  return answer.json();
}

/** All operations: {id, method, path, operation}. */
export function operationsOf(document) {
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    METHODS.filter((method) => operations[method]).map((method) => ({
      id: operations[method].operationId, method, path, operation: operations[method],
    })));
}

/** The operation that a request calls, if the document has it. */
export function operationAt(document, method, pathname) {
  const words = pathname.split("/").filter(Boolean);
  const fits = (template) => {
    const parts = template.split("/").filter(Boolean);
    return parts.length === words.length && parts.every((part, n) => part.startsWith("{") || part === words[n]);
  };
  const holes = ({ path }) => path.split("{").length;
  const fitting = operationsOf(document).filter((one) => one.method === method.toLowerCase() && fits(one.path));
  return fitting.sort((a, b) => holes(a) - holes(b))[0];
}

/** A judge of answers: what of (operation, status, body) is not as the document says; null when all is. */
export function judge(document) {
  // Formats say nothing that the patterns do not.
  const ajv = new Ajv2020({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema(document, "openapi");
  const compiled = new Map();
  const validator = (pointer) => {
    if (!compiled.has(pointer)) compiled.set(pointer, ajv.compile({ $ref: `openapi#${pointer}` }));
    return compiled.get(pointer);
  };
  return ({ method, path, operation }, status, contentType, body) => {
    const response = operation.responses[status];
    if (!response) return `${status} is not documented`;
    const at = response.$ref ? response.$ref.slice(1) : pointer("paths", path, method, "responses", String(status));
    const [media] = Object.keys((response.$ref ? document.components.responses[at.split("/").at(-1)] : response).content);
    if (contentType !== media) return `content type ${contentType} is not ${media}`;
    const validate = validator(at + pointer("content", media, "schema"));
    return validate(body) ? null : ajv.errorsText(validate.errors);
  };
}

const pointer = (...words) => words.map((word) => `/${encodeURIComponent(word.replaceAll("~", "~0").replaceAll("/", "~1"))}`).join("");
