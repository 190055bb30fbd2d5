// JSON Schemas of the answers that the public clients' types describe, made from contract-types.txt.
import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";

const UUID = "^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
const TIME = "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d+)?(Z|[+-]\\d{2}:\\d{2})$";
// More fields than these do no harm, but a null is no value of any of them.
const VALUE = { not: { type: "null" } };
const TYPES = {
  string: { type: "string" },
  bool: { type: "boolean" },
  integer: { type: "integer" },
  number: { type: "number" },
  uuid: { type: "string", pattern: UUID },
  "date-time": { type: "string", pattern: TIME },
  email: { type: "string", pattern: "^[^@\\s]+@[^@\\s]+$" },
  map: { type: "object", additionalProperties: VALUE },
  any: VALUE,
  // What a workspace that has no description says of it.
  note: { type: ["string", "null"] },
  // The other null of the contract: a list that does not go on.
  cursor: { anyOf: [{ type: "string", pattern: "^[A-Za-z0-9_-]+$" }, { type: "null" }] },
};
const OPEN = /[{[]/;

/** The schema of a type as it is written; `shapes` are those that were written out before. */
function schemaOf(text, shapes) {
  if (text.startsWith("[")) return { type: "array", items: schemaOf(text.slice(1, -1), shapes) };
  if (text.startsWith("{")) return objectOf(parts(text.slice(1, -1)), shapes);
  if (text in shapes) return shapes[text];
  if (text in TYPES) return TYPES[text];
  if (/^[a-z_]+(\|[a-z_]+)+$/.test(text)) return { type: "string", enum: text.split("|") };
  throw new Error(`no type: ${text}`);
}

function objectOf(fields, shapes) {
  const schema = { type: "object", properties: {}, required: [], additionalProperties: VALUE };
  for (const field of fields) {
    const [, name, mayMiss, type] = field.match(/^([\w<>]+)(\??): (.+)$/);
    if (name === "<string>") schema.additionalProperties = schemaOf(type, shapes);
    else schema.properties[name] = schemaOf(type, shapes);
    if (!mayMiss && name !== "<string>") schema.required.push(name);
  }
  return schema;
}

/** What commas separate, outside of brackets. */
function parts(text) {
  const found = [""];
  let depth = 0;
  for (const character of text) {
    if (OPEN.test(character)) depth += 1;
    if (/[}\]]/.test(character)) depth -= 1;
    if (character === "," && depth === 0) found.push("");
    else found[found.length - 1] += character;
  }
  return found.map((part) => part.trim()).filter(Boolean);
}

/** The schemas by operation and status, such as "GetRules 200". */
export function readSchemas() {
  const lines = readFileSync(new URL("contract-types.txt", import.meta.url), "utf8").split("\n");
  const [shapes, schemas] = [{}, {}];
  for (const line of lines.filter((text) => text && !text.startsWith("#"))) {
    const shape = line.match(/^([A-Z_]+) (.+)$/);
    const operation = line.match(/^(\w+ \d+): (.+)$/);
    if (shape) shapes[shape[1]] = schemaOf(shape[2], shapes);
    else schemas[operation[1]] = schemaOf(operation[2], shapes);
  }
  return schemas;
}

/** A judge: what of an answer to an operation is not as the clients' types say; null when all is. */
export function contractJudge() {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  const schemas = Object.entries(readSchemas());
  const compiled = Object.fromEntries(schemas.map(([name, schema]) => [name, ajv.compile(schema)]));
  return {
    operations: [...new Set(schemas.map(([name]) => name.split(" ")[0]))],
    faultOf(operation, { status, body }) {
      const validate = compiled[`${operation} ${status}`];
      if (!validate) return `${operation} answers ${status}`;
      return validate(body) ? null : ajv.errorsText(validate.errors);
    },
  };
}
