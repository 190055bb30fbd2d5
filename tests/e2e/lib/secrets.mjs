// Looks for a secret in whatever spelling it may have leaked.
import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** The spellings of a secret: as it is, encoded for JSON, URLs and HTML, in hexadecimal, and in base64 at any place. */
export function spellings(secret) {
  const bytes = Buffer.from(secret);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].flatMap((shift) => {
    // What stands around it changes the first and the last characters only.
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString("base64").replace(/=+$/, "");
    const core = text.slice(shift ? shift + 1 : 0, -2);
    return [core, core.replaceAll("+", "-").replaceAll("/", "_")];
  });
  const html = secret.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const json = JSON.stringify(secret).slice(1, -1);
  // JSON in JSON, in a page, and as a field of a CSV file or a form.
  const nested = [JSON.stringify(json).slice(1, -1), html.replaceAll("'", "&#39;"), secret.replaceAll('"', '""'),
    new URLSearchParams([["a", secret]]).toString().slice(2)];
  const all = [secret, json, encodeURIComponent(secret), html, ...nested, hex, hex.toUpperCase(), ...base64];
  return [...new Set(all)];
}

/** Which of `secrets` (by their names) are in a text or in bytes: [{secret, spelling, around}]. */
export function leaks(secrets, content) {
  const bytes = Buffer.isBuffer(content) ? content : Buffer.from(content);
  return Object.entries(secrets).flatMap(([secret, value]) => spellings(value).flatMap((spelling) => {
    const at = bytes.indexOf(spelling);
    return at < 0 ? [] : [{ secret, spelling, around: bytes.subarray(Math.max(0, at - 80), at + 20).toString("latin1") }];
  }));
}

/** Every file below a folder, but those whose path `skip` knows. */
export function* filesBelow(folder, skip = () => false) {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (skip(path)) continue;
    if (statSync(path).isDirectory()) yield* filesBelow(path, skip);
    else yield { path, bytes: readFileSync(path) };
  }
}
