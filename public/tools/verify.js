// Checks the signature of a webhook. All of it happens here: the page may not connect to anything.
(() => {
  "use strict";
  const form = document.getElementById("form");
  const result = document.getElementById("result");
  const field = (name) => form.elements[name];
  const encoder = new TextEncoder();

  const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
  const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  /** The bytes of strict base64; null when it is none. */
  function decoded(text) {
    try {
      const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
      return base64(bytes) === text ? bytes : null;
    } catch {
      return null;
    }
  }

  async function hmac(algorithm, key, content) {
    const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: algorithm }, false, ["sign"]);
    return new Uint8Array(await crypto.subtle.sign("HMAC", imported, content));
  }

  const joined = (...parts) => {
    const bytes = parts.map((part) => (typeof part === "string" ? encoder.encode(part) : part));
    const all = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
    bytes.reduce((at, part) => (all.set(part, at), at + part.length), 0);
    return all;
  };

  function headersOf(text) {
    const headers = new Map();
    for (const line of text.split(/\r?\n/)) {
      const at = line.indexOf(":");
      if (at > 0) headers.set(line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim());
    }
    return headers;
  }

  /** What was entered: the signatures in the request, its time, and what was signed for a body. */
  function request(headers) {
    const named = (name) => headers.get(field(name).value.trim().toLowerCase());
    switch (field("scheme").value) {
      case "standard": {
        const [id, at] = [headers.get("webhook-id"), headers.get("webhook-timestamp")];
        const sent = (headers.get("webhook-signature") || "").split(" ").map((one) => one.split(","));
        const version = field("algorithm").value === "SHA-512" ? "v1-sha512" : "v1";
        return {
          missing: [["webhook-id", id], ["webhook-timestamp", at], ["webhook-signature", headers.get("webhook-signature")]],
          at, signatures: sent.filter(([one]) => one === version).map(([, value]) => value),
          write: base64, content: (body) => joined(`${id}.${at}.`, body),
        };
      }
      case "timestamped": {
        const value = named("signature_header");
        const parts = (value || "").split(",").map((one) => one.split(/=(.*)/s));
        const at = (parts.find(([name]) => name.trim() === "t") || [])[1];
        const version = field("algorithm").value === "SHA-512" ? "v1-sha512" : "v1";
        return {
          missing: [[field("signature_header").value, value]], at,
          signatures: parts.filter(([name]) => name.trim() === version).map(([, signature]) => signature),
          write: hex, content: (body) => joined(`${at}.`, body),
        };
      }
      default: {
        const value = named("signature_header");
        const prefix = field("prefix").value;
        const write = field("encoding").value === "hex" ? hex : base64;
        const isPrefixed = value !== undefined && value.startsWith(prefix);
        return {
          missing: [[field("signature_header").value, value]], at: named("timestamp_header"), isTimeOptional: true,
          signatures: isPrefixed ? [value.slice(prefix.length)] : [],
          write: (bytes) => `${write(bytes)}`, content: (body) => body,
        };
      }
    }
  }

  /** The key that signs, and the keys that verifiers take by mistake. */
  function keysOf(secret) {
    const text = encoder.encode(secret);
    const rest = secret.startsWith("whsec_") ? secret.slice(6) : null;
    const key = rest === null ? null : decoded(rest);
    const isStandard = field("scheme").value === "standard";
    if (isStandard && rest !== null) {
      return { key, others: [[text, "The key is the base64 behind whsec_ decoded. This request was signed with the whole text instead."]] };
    }
    const others = key ? [[key, "This scheme signs with the secret as text, whsec_ included. This request was signed with the decoded base64 instead."]] : [];
    const trimmed = secret.trim();
    if (trimmed !== secret) others.push([encoder.encode(trimmed), "There is white space around the secret that you entered. Leave it out."]);
    return { key: text, others };
  }

  /** What happens to a body on its way, and how to tell. */
  function changedBodies(body) {
    const text = new TextDecoder().decode(body);
    const changed = [
      [text.replace(/\r?\n$/, ""), "The body has a line break at its end that was not sent."],
      [`${text}\n`, "The body has lost a line break at its end."],
      [text.replace(/\r\n/g, "\n"), "The line breaks of the body were changed to CR LF."],
      [text.replace(/\r?\n/g, "\r\n"), "The line breaks of the body were changed from CR LF."],
      [text.trim(), "The body has white space around it that was not sent."],
    ];
    try {
      changed.push([JSON.stringify(JSON.parse(text)), "The body was parsed and written again. Check the raw bytes as they arrived."]);
    } catch {
      // It is no JSON.
    }
    return changed.filter(([one]) => one !== text).map(([one, why]) => [encoder.encode(one), why]);
  }

  async function check() {
    const file = field("file").files[0];
    const body = file ? new Uint8Array(await file.arrayBuffer()) : encoder.encode(field("body").value);
    const found = request(headersOf(field("headers").value));
    const said = [];
    const say = (isGood, text) => said.push([isGood, text]);
    for (const [name, value] of found.missing) if (!value) say(false, `Headers: ${name} is missing.`);
    const { key, others } = keysOf(field("secret").value);
    if (!key || !key.length) say(false, "Key: enter the secret. What stands behind whsec_ must be standard base64.");
    if (said.length) return said;
    if (!found.signatures.length) return [[false, "Headers: the signature is not written as this scheme and algorithm write it."]];
    time(found, say);
    const { value: algorithm } = field("algorithm");
    const holds = async (one, bytes) => found.signatures.includes(found.write(await hmac(algorithm, one, found.content(bytes))));
    const digest = await crypto.subtle.digest("SHA-256", encoder.encode(field("secret").value));
    const fingerprint = hex(new Uint8Array(digest)).slice(0, 8);
    if (await holds(key, body)) {
      say(true, `Key: this is the secret that signed (fingerprint ${fingerprint}).`);
      say(true, "Body: unchanged, byte for byte.");
      return said;
    }
    for (const [other, why] of others) if (await holds(other, body)) return [...said, [false, `Key: ${why}`]];
    for (const [bytes, why] of changedBodies(body)) if (await holds(key, bytes)) return [...said, [false, `Body: ${why}`]];
    say(false, `Key or body: the signature was made with another secret, or over another body. The secret that you entered has the \
fingerprint ${fingerprint}: compare it with the one on the page of the connection.`);
    return said;
  }

  function time({ at, isTimeOptional }, say) {
    if (at === undefined && isTimeOptional) return;
    const age = Math.round(Date.now() / 1000) - Number(at);
    if (!/^\d+$/.test(at || "")) say(false, "Time: the timestamp is no number of seconds.");
    else if (Math.abs(age) <= Number(field("tolerance").value)) say(true, `Time: signed ${age} s ago.`);
    else say(false, `Time: signed ${age} s ago, which is outside the largest age. A request that you copied earlier always is.`);
  }

  function show(said) {
    const isGood = said.every(([good]) => good);
    const title = document.createElement("h2");
    title.className = isGood ? "good" : "bad";
    title.textContent = isGood ? "The signature is valid" : "The signature was not accepted";
    const list = document.createElement("ul");
    for (const [good, text] of said) {
      const line = document.createElement("li");
      line.textContent = `${good ? "✓" : "✗"} ${text}`;
      list.append(line);
    }
    result.replaceChildren(title, list);
    result.focus();
  }

  /** Fields that belong to a scheme are there only while it is chosen. */
  function adapt() {
    const scheme = field("scheme").value;
    for (const part of document.querySelectorAll("[data-for]")) part.hidden = !part.dataset.for.split(" ").includes(scheme);
  }

  // A page of the embed fills in what it knows behind the #, which no browser sends anywhere.
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (field(name) && name !== "file" && name !== "secret") field(name).value = value;
  }
  history.replaceState(null, "", location.pathname);
  adapt();
  field("scheme").addEventListener("change", adapt);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    check().then(show, (error) => show([[false, String(error)]]));
  });
})();
