// The script of the embed's pages. Everything works without it; with it pages keep up to date, texts
// are copied at a press, the frame has the height of its page, and the product's page can renew the
// session. What it has to know stands in attributes of the root element.
(() => {
  "use strict";
  const root = document.documentElement;
  const { session, home, origins = "", poll, expiresAt, ttlMs } = root.dataset;
  const closed = "closed" in root.dataset;
  const main = document.getElementById("main");
  const announcer = document.getElementById("announcer");

  // --- The product's page ---------------------------------------------------------------------
  const allowed = origins.split(" ").filter(Boolean);
  // A page that opens nothing does not know of whose session it is, and has nothing to hide.
  const isAllowed = (origin) => origins === "*" || allowed.includes(origin);
  const around = window.parent === window ? null : window.parent;

  /** Tells the page around, which only gets it if it is of an origin that may show this one. */
  function tell(message) {
    if (!around) return;
    const known = location.ancestorOrigins && location.ancestorOrigins[0];
    for (const origin of allowed) if (!known || known === origin || origin === "*") around.postMessage(message, origin);
  }

  const stamp = (ms) => (ms ? new Date(Number(ms)).toISOString() : null);

  function announce() {
    const { height } = root.getBoundingClientRect();
    tell({ type: "meshes:ready", session_id: session || null, expires_at: stamp(expiresAt) });
    tell({ type: "meshes:resize", height: Math.ceil(height) });
    if (closed) tell({ type: "meshes:token-expired", session_id: session || null });
    else if (home) tell({ type: "meshes:navigate", path: location.pathname.slice(home.length) || "/", title: document.title });
  }

  let timer;
  /** Asks for a new token a while before the session ends, and leaves a page whose session is over. */
  function watchTheClock(endsAt) {
    clearTimeout(timer);
    if (closed || !endsAt) return;
    const early = Math.min(120_000, Number(ttlMs) / 5);
    const left = endsAt - Date.now();
    if (left <= 0) return location.reload();
    const asks = left > early;
    if (!asks) tell({ type: "meshes:token-refresh", session_id: session });
    timer = setTimeout(() => watchTheClock(endsAt), asks ? left - early : Math.min(left, 15_000));
  }

  async function renew(token) {
    const answer = await fetch(`${home}/auth`, { method: "POST", body: new URLSearchParams({ token }) });
    if (!answer.ok) return closed && tell({ type: "meshes:token-expired", session_id: session || null });
    const { expires_at_ms } = await answer.json();
    if (closed) location.replace(location.pathname.endsWith("/launch") ? home : location.href);
    else watchTheClock(expires_at_ms);
  }

  addEventListener("message", (event) => {
    const { data } = event;
    if (event.source !== around || !isAllowed(event.origin)) return;
    if (data && data.type === "meshes:auth" && typeof data.token === "string" && home) renew(data.token).catch(() => {});
  });

  // --- Keeping up to date ---------------------------------------------------------------------
  let { seen } = root.dataset;
  let pause = 1_000;
  let next;

  async function ask() {
    if (document.hidden) return;
    try {
      const answer = await fetch(poll);
      if (answer.status === 401) return location.reload();
      const news = answer.ok ? await answer.json() : {};
      if (news.seen && news.seen !== seen && (await update())) seen = news.seen;
      // At most a second while something is about to happen, more and more seldom when nothing does.
      pause = news.busy || news.seen !== seen ? 1_000 : Math.min(pause * 1.3, 10_000);
    } catch {
      pause = Math.min(pause * 2, 10_000);
    }
    next = setTimeout(ask, pause);
  }

  /** What can be unfolded in a part: its place in its delivery, whether it is open, itself. */
  const folds = (part) => [...part.querySelectorAll("details")].map((one) => {
    const home = one.closest("article[id]") || part;
    return [`${home.id} ${[...home.querySelectorAll("details")].indexOf(one)}`, one.open, one];
  });

  /** Puts the newest state into the parts that change; not while somebody is at work in them. */
  async function update() {
    const answer = await fetch(location.href);
    if (!answer.ok) return false;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const newer = fresh.getElementById(part.id);
      if (!newer) continue;
      const selected = getSelection();
      const focused = document.activeElement;
      const isBusy = part.contains(focused) && !focused.matches(".copy, a, summary");
      if (isBusy || (!selected.isCollapsed && part.contains(selected.anchorNode))) return false;
      const open = new Map(folds(part));
      for (const [key, , one] of folds(newer)) if (open.has(key)) one.open = open.get(key);
      part.replaceWith(newer);
      prepare(newer);
    }
    announcer.textContent = announcer.dataset.updated;
    return true;
  }

  if (poll) {
    next = setTimeout(ask, pause);
    document.addEventListener("visibilitychange", () => {
      clearTimeout(next);
      pause = 1_000;
      if (!document.hidden) ask();
    });
  }

  // --- Times ----------------------------------------------------------------------------------
  const SECOND = 1_000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;

  /** A moment seen from now, in the words of the server's pages. */
  function relative(ms) {
    const length = Math.abs(ms);
    const { now, days, past } = announcer.dataset;
    if (length < 10 * SECOND && ms <= 0) return now;
    const [unit, name] = length < MINUTE ? [SECOND, "s"] : length < HOUR ? [MINUTE, "min"] : length < 2 * DAY ? [HOUR, "h"] : [DAY, days];
    const shown = `${unit === HOUR ? Math.round(length / HOUR) : Math.trunc(length / unit)} ${name}`;
    return ms < 0 ? past.replace("*", shown) : `in ${shown}`;
  }

  function tick() {
    if (document.hidden) return;
    for (const time of document.querySelectorAll("time[data-at]")) {
      const left = time.dataset.at - Date.now();
      const text = relative("due" in time.dataset ? Math.max(left, 0) : left);
      if (time.textContent !== text) time.textContent = text;
    }
  }

  setInterval(tick, 1_000);

  // --- A form that came too late --------------------------------------------------------------
  // What was typed is kept until the next page shows what became of it: a session that had ended
  // saved nothing, and the form comes back in the session that follows. Secrets are never kept.
  const UNSENT = "posthorn:unsent";
  const UNSENT_MS = 15 * MINUTE;

  /** The name of a frame stays with it from page to page, also where a browser refuses it its storage. */
  const named = {
    getItem: (key) => (window.name.startsWith(key) ? window.name.slice(key.length) : null),
    setItem: (key, text) => (window.name = key + text),
    removeItem: (key) => named.getItem(key) && (window.name = ""),
  };

  function storage(use) {
    try {
      return use(window.sessionStorage);
    } catch {
      return use(named);
    }
  }

  const keep = (unsent) => storage((store) => store.setItem(UNSENT, JSON.stringify(unsent)));
  const forget = () => storage((store) => store.removeItem(UNSENT));
  const below = (path) => path.slice(home.length);
  // A form's `action` is its field of that name, where it has one.
  const sentTo = (form) => below(new URL(form.getAttribute("action"), location.href).pathname);
  const isTyped = ({ name, type }) => name && !["password", "hidden", "submit", "button"].includes(type);
  const typed = (form) => [...form.elements].filter(isTyped).map(({ name, value, checked }) => [name, value, checked]);

  function restore({ action, fields }) {
    const form = [...document.forms].find((one) => sentTo(one) === action);
    if (!form) return;
    const notice = Object.assign(document.createElement("p"), { className: "notice", tabIndex: -1 });
    notice.setAttribute("role", "alert");
    notice.textContent = announcer.dataset.unsent;
    form.prepend(notice);
    const left = [...form.elements].filter(isTyped);
    for (const [name, value, checked] of fields) {
      const isOne = (one) => one.name === name && (!/^(checkbox|radio)$/.test(one.type) || one.value === value);
      const [field] = left.splice(left.findIndex(isOne) >>> 0, 1);
      if (!field) continue;
      if (/^(checkbox|radio)$/.test(field.type)) field.checked = checked;
      else field.value = value;
      if (value && field.closest("details")) field.closest("details").open = true;
    }
  }

  function afterForm() {
    const unsent = storage((store) => JSON.parse(store.getItem(UNSENT)));
    if (!unsent || !home) return;
    if (closed) return unsent.action === below(location.pathname) ? keep({ ...unsent, isLate: true }) : undefined;
    const isOld = Date.now() - unsent.at > UNSENT_MS || unsent.workspace !== root.dataset.workspace;
    const isHere = below(location.pathname + location.search) === unsent.page;
    if (unsent.isLate && !isOld && !isHere && !unsent.isSought) {
      keep({ ...unsent, isSought: true });
      return location.replace(home + unsent.page);
    }
    forget();
    if (unsent.isLate && !isOld && isHere) restore(unsent);
  }

  document.addEventListener("submit", ({ target: form }) => {
    const fields = form.method === "post" && home ? typed(form) : [];
    if (!fields.length) return;
    const [page, action] = [below(location.pathname + location.search), sentTo(form)];
    keep({ page, action, fields, workspace: root.dataset.workspace, at: Date.now() });
  });
  afterForm();

  // --- Small things ---------------------------------------------------------------------------
  /** Makes the buttons of a part of the page work that need a script, and shows moments in local time. */
  function prepare(part) {
    for (const time of part.querySelectorAll("time.exact")) {
      time.title ||= time.textContent;
      time.textContent = new Date(time.dateTime).toLocaleString(root.lang === "en" ? "sv" : root.lang);
    }
    for (const button of part.querySelectorAll("button[data-copy]")) {
      button.hidden = false;
      button.addEventListener("click", () => copy(button));
    }
  }

  async function copy(button) {
    const element = document.getElementById(button.dataset.copy);
    const word = button.textContent;
    try {
      await navigator.clipboard.writeText(element.textContent);
    } catch {
      // A frame may not be allowed to use the clipboard; a selection can still be copied.
      getSelection().selectAllChildren(element);
      if (!document.execCommand("copy")) return;
      getSelection().removeAllRanges();
    }
    button.textContent = "✓";
    announcer.textContent = announcer.dataset.copied;
    setTimeout(() => (button.textContent = word, announcer.textContent = ""), 1_500);
  }

  // Paths are put into a template at a press, where the cursor was last.
  let template;
  const isTemplate = "fieldset textarea, fieldset input[type=text]";
  addEventListener("focusin", ({ target }) => (template = target.matches(isTemplate) ? target : template));
  for (const chip of document.querySelectorAll("[data-insert]")) {
    chip.addEventListener("click", () => {
      const into = template || chip.closest("fieldset").querySelector("textarea, input[type=text]");
      into.setRangeText(chip.dataset.insert, into.selectionStart, into.selectionEnd, "end");
      into.focus();
    });
  }

  prepare(document);
  // A reload must not send the form again that made a secret.
  const replaced = document.querySelector("[data-replace]");
  if (replaced) history.replaceState(null, "", replaced.dataset.replace);

  // What was done is said once: not again on reload, nor to who gets the link.
  const address = new URL(location.href);
  if (address.searchParams.has("done")) {
    address.searchParams.delete("done");
    history.replaceState(null, "", address);
  }

  // A frame that is not allowed: the page around learns what to add where.
  const refused = document.querySelector("[data-refused]");
  if (refused && around) {
    const message = [...refused.querySelectorAll("p")].map((p) => p.textContent).join(" ");
    around.postMessage({ type: "posthorn:refused", message }, refused.dataset.refused || "*");
  }

  if (around) new ResizeObserver(() => tell({ type: "meshes:resize", height: Math.ceil(root.getBoundingClientRect().height) })).observe(root);
  announce();
  watchTheClock(Number(expiresAt));
  const news = document.querySelector("[role=alert][tabindex], .done");
  if (news) news.focus({ preventScroll: true });
  else if (document.querySelector("[role=alert]")) main.focus({ preventScroll: true });
})();
