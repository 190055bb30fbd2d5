// The demo shop in the browser: mounts Posthorn's pages, and places orders without leaving the page.
"use strict";

async function post(path, body) {
  const headers = { accept: "application/json", "content-type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body ?? {}) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
}

function say(text) {
  const toast = document.querySelector("#toast");
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => (toast.hidden = true), 6_000);
}

const place = document.querySelector("#webhooks");
if (place && window.Posthorn) {
  const title = document.title;
  Posthorn.mount(place, {
    launch: () => post("/webhooks/session"),
    refresh: (session_id) => post("/webhooks/session/refresh", { session_id }),
    theme: "auto",
    accent: place.dataset.accent,
    locale: document.documentElement.lang,
    onNavigate: (page) => (document.title = `${page.title} · ${title}`),
    onError: (error) => console.warn(error.message),
  });
} else if (place) {
  const words = document.createElement("p");
  words.textContent = "Posthorn's embed.js could not be loaded. Is Posthorn running?";
  place.append(words);
}

for (const form of document.querySelectorAll("form[data-order]")) {
  form.addEventListener("submit", async (event) => {
    // The list of orders is a page of its own: it is simply loaded again.
    if (!place) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const { order_id, customer, event_id } = await post("/orders");
      say(`${order_id} by ${customer} is completed: event ${event_id} was sent.`);
    } catch (error) {
      say(error.message);
    } finally {
      button.disabled = false;
    }
  });
}
