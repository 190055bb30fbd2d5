// Comforts of /docs, which works without: the installation's own address in the examples, copying them, and
// looking for an operation by its name or path.
(() => {
  const HOST = "https://posthorn.example.com";
  const COPIED_MS = 2000;
  const made = (name, attributes) => Object.assign(document.createElement(name), attributes);

  for (const code of document.querySelectorAll("pre code")) {
    if (code.textContent.includes(HOST)) code.textContent = code.textContent.replaceAll(HOST, location.origin);
  }

  const said = made("p", { className: "said" });
  said.setAttribute("role", "status");
  document.body.append(said);

  function copyButton(pre) {
    const title = pre.closest("article")?.querySelector("h3")?.textContent ?? "";
    const button = made("button", { type: "button", className: "copy", textContent: "Copy" });
    button.setAttribute("aria-label", `Copy the example of: ${title}`);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(pre.textContent);
      [button.textContent, said.textContent] = ["Copied", "Copied"];
      setTimeout(() => ([button.textContent, said.textContent] = ["Copy", ""]), COPIED_MS);
    });
    return button;
  }

  if (navigator.clipboard) {
    for (const pre of document.querySelectorAll("pre")) {
      const box = made("div", { className: "code" });
      pre.replaceWith(box);
      box.append(pre, copyButton(pre));
    }
  }

  const nav = document.querySelector("nav");
  const entries = [...nav.querySelectorAll("li")].map((item) => {
    const article = document.getElementById(item.querySelector("a").hash.slice(1))?.closest("article");
    return { item, text: `${item.textContent} ${article?.querySelector(".call")?.textContent ?? ""}`.toLowerCase() };
  });
  const search = made("input", { type: "search", className: "search", placeholder: "Find an operation" });
  search.setAttribute("aria-label", "Find an operation");
  search.addEventListener("input", () => {
    const words = search.value.toLowerCase().split(/\s+/);
    for (const { item, text } of entries) item.hidden = !words.every((word) => text.includes(word));
    for (const list of nav.querySelectorAll("ul")) {
      const isEmpty = [...list.children].every((item) => item.hidden);
      list.hidden = isEmpty;
      if (list.previousElementSibling?.matches("p")) list.previousElementSibling.hidden = isEmpty;
    }
    nav.querySelector("details").open = true;
  });
  nav.prepend(search);
})();
