// Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.
import { readFileSync } from "node:fs";

const variants = [];
for (let n = 0; n < Number(process.argv[2]); n += 1) {
  variants.push((await import(`./v${n}/webhook.mjs`)).verify);
}
const list = (field) => field.split(";").slice(0, -1);
const bytes = (text) => Buffer.from(text, "base64");

for (const line of readFileSync(0, "utf8").trimEnd().split("\n")) {
  const [variant, headers, secrets, body] = line.split("\t");
  const pairs = list(headers).map((it) => it.split(":"));
  const named = Object.fromEntries(pairs.map(([name, value]) => [name, bytes(value).toString("latin1")]));
  try {
    variants[variant](bytes(body), named, list(secrets).map((it) => bytes(it).toString()));
    console.log("ok");
  } catch (error) {
    console.log(error.constructor === Error ? error.message : `crash: ${error}`);
  }
}
