// A host page without a browser: just enough of window and document for the loader to run in, with a
// clock that the test moves.
import { readFileSync } from "node:fs";
import { createContext, runInContext } from "node:vm";
import { inRepo } from "../../../tools/lib/paths.mjs";

export const LOADER = inRepo("src", "embed", "frame", "loader.js");

class Element {
  style = {};
  children = [];
  attributes = {};
  parent = null;
  top = 0;
  scrolled = 0;

  constructor(tag) {
    this.tag = tag;
    // What is posted to a frame, as {data, target}.
    if (tag === "iframe") this.contentWindow = { sent: [], postMessage(data, target) { this.sent.push({ data, target }); } };
  }

  setAttribute(name, value) {
    this.attributes[name] = value;
  }

  append(...nodes) {
    for (const node of nodes) {
      if (node instanceof Element) node.parent = this;
      this.children.push(node);
    }
  }

  after(node) {
    if (!this.parent) return;
    node.parent = this.parent;
    this.parent.children.splice(this.parent.children.indexOf(this) + 1, 0, node);
  }

  remove() {
    if (this.parent) this.parent.children = this.parent.children.filter((child) => child !== this);
    this.parent = null;
  }

  getBoundingClientRect() {
    return { top: this.top };
  }

  scrollIntoView() {
    this.scrolled += 1;
  }
}

/** A fresh page with the loader in it: {Posthorn, place, frame, notice, post, pass, timers, listeners}. */
export function openHostPage() {
  const place = new Element("div");
  const listeners = new Set();
  const timers = new Map();
  let nowMs = 1_000;
  let ids = 0;
  const window = {
    addEventListener: (_, listener) => listeners.add(listener),
    removeEventListener: (_, listener) => listeners.delete(listener),
  };
  const document = {
    createElement: (tag) => new Element(tag),
    querySelector: (selector) => (selector === "#webhooks" ? place : null),
  };
  const setTimeout = (work, afterMs, ...args) => {
    timers.set(++ids, { work: () => work(...args), atMs: nowMs + afterMs });
    return ids;
  };
  const clearTimeout = (id) => timers.delete(id);
  const navigator = { language: "en-US" };
  const context = { window, document, navigator, URL, performance: { now: () => nowMs }, setTimeout, clearTimeout };
  runInContext(readFileSync(LOADER, "utf8"), createContext(context), { filename: LOADER });
  const childOf = (tag) => place.children.find((child) => child.tag === tag);
  return {
    Posthorn: window.Posthorn,
    place,
    listeners,
    timers,
    frame: () => childOf("iframe"),
    /** What stands in place of the frame: {text, button}; null while the frame is shown. */
    notice() {
      const found = place.children.find((child) => child.attributes.role === "alert");
      if (!found) return null;
      const [text, button] = found.children;
      return { text: text.trim(), button };
    },
    /** Delivers a message as the browser would, by default from the frame's own window, and lets it settle. */
    async post(data, { origin = "https://hooks.example", source = childOf("iframe")?.contentWindow } = {}) {
      for (const listener of [...listeners]) listener({ data, origin, source });
      await settle();
    },
    /** Lets time pass: what is due runs. */
    async pass(ms) {
      nowMs += ms;
      for (const [id, { work, atMs }] of [...timers]) {
        if (atMs > nowMs) continue;
        timers.delete(id);
        work();
      }
      await settle();
    },
  };
}

/** Lets every promise that can settle do so. */
export const settle = () => new Promise((done) => setImmediate(done));
