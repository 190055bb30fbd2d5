// Shows Posthorn's pages inside a product's page. The protocol is in docs/embed.md.
(() => {
  "use strict";

  const HEIGHT_PX_MIN = 320;
  // Taller pages scroll.
  const HEIGHT_PX_MAX = 10_000;
  // A refused frame raises no error.
  const READY_MS = 20_000;
  const QUIET_MS = 10_000;

  // Failed, ended, on the button.
  const WORDS = {
    en: ["This page could not be loaded.", "Your session has ended.", "Try again"],
    de: ["Diese Seite konnte nicht geladen werden.", "Ihre Sitzung ist beendet.", "Erneut versuchen"],
  };

  function mount(target, options) {
    const place = typeof target === "string" ? document.querySelector(target) : target;
    if (!place?.append) throw new TypeError("Posthorn: no such element");
    if (typeof options?.launch !== "function") throw new TypeError("Posthorn: launch is missing");
    return new Embed(place, options);
  }

  class Embed {
    #options;
    #origin;
    #session;
    #path;
    #notice;
    #timer;
    #refreshing;
    #launching;
    #refreshedAt = -Infinity;
    #relaunchedAt = -Infinity;

    constructor(place, options) {
      const { title = "Webhooks" } = (this.#options = options);
      const iframe = (this.iframe = document.createElement("iframe"));
      Object.assign(iframe, { title, allow: "clipboard-write", referrerPolicy: "strict-origin" });
      Object.assign(iframe.style, { width: "100%", height: `${HEIGHT_PX_MIN}px`, border: "0" });
      place.append(iframe);
      window.addEventListener("message", this.#hear);
      this.#launch(this.#failed);
    }

    unmount = () => {
      window.removeEventListener("message", this.#hear);
      // What is still under way tells nobody.
      this.#options = {};
      this.#session = null;
      this.#clear();
      this.iframe.remove();
    };

    async #launch(failed) {
      if (this.#launching) return;
      this.#launching = true;
      try {
        const { launch_url, session_id } = await this.#options.launch();
        const url = launchUrl(launch_url, this.#options);
        this.#origin = url.origin;
        this.#session = session_id;
        this.#clear();
        this.iframe.src = url.href;
        this.#timer = setTimeout(this.#failed, READY_MS, new Error("Posthorn: no answer"));
      } catch (error) {
        failed(error);
      } finally {
        this.#launching = false;
      }
    }

    #hear = ({ source, origin, data }) => {
      if (source !== this.iframe.contentWindow || origin !== this.#origin) return;
      const { type, session_id } = Object(data);
      // Until the new page is there, only the old one can speak.
      if (this.#launching || (session_id && this.#session && session_id !== this.#session)) return;
      if (type === "meshes:ready") this.#ready(data);
      else if (type === "meshes:resize") this.#resize(data.height);
      else if (type === "meshes:navigate") this.#navigate(data);
      else if (type === "meshes:token-refresh") this.#refresh();
      else if (type === "meshes:token-expired") this.#expired();
      else if (type === "posthorn:refused") this.#refused(data.message);
    };

    #ready({ session_id, expires_at }) {
      this.#session ??= session_id;
      this.#clear();
      this.#options.onReady?.({ session_id, expires_at });
    }

    #resize(height) {
      if (!Number.isFinite(height)) return;
      const px = Math.min(Math.max(Math.ceil(height), HEIGHT_PX_MIN), HEIGHT_PX_MAX);
      this.iframe.style.height = `${px}px`;
    }

    #navigate({ path, title }) {
      // Also the same page: a form shows its result at the top.
      const moved = this.#path !== undefined;
      this.#path = path;
      if (moved && this.iframe.getBoundingClientRect().top < 0) this.iframe.scrollIntoView();
      this.#options.onNavigate?.({ path, title });
    }

    /** Whether the page got a new token: not if it asks again at once. */
    #refresh() {
      if (this.#refreshing) return this.#refreshing;
      if (isRecent(this.#refreshedAt)) return false;
      this.#refreshedAt = performance.now();
      return (this.#refreshing = this.#sendToken().finally(() => (this.#refreshing = null)));
    }

    async #sendToken() {
      const session = this.#session;
      if (!this.#options.refresh || !session) return false;
      try {
        const { access_token: token } = await this.#options.refresh(session);
        if (typeof token !== "string") throw new TypeError("Posthorn: no access_token");
        const message = { type: "meshes:auth", token };
        if (session === this.#session) this.iframe.contentWindow.postMessage(message, this.#origin);
        return true;
      } catch (error) {
        this.#options.onError?.(error);
        return false;
      }
    }

    async #expired() {
      if ((await this.#refresh()) || this.#launching || this.#notice) return;
      if (isRecent(this.#relaunchedAt)) return this.#ended();
      this.#relaunchedAt = performance.now();
      this.#launch(this.#ended);
    }

    #refused(message) {
      this.#clear();
      this.#options.onError?.(new Error(`Posthorn: ${message}`));
    }

    #failed = (error) => {
      this.#show(0);
      this.#options.onError?.(error);
    };

    #ended = () => {
      this.#show(1);
      this.#options.onExpired?.();
    };

    #show(what) {
      this.#clear();
      const { locale = navigator.language } = this.#options;
      const words = WORDS[String(locale).slice(0, 2)] ?? WORDS.en;
      const button = document.createElement("button");
      const onclick = () => this.#launch(this.#failed);
      Object.assign(button, { type: "button", textContent: words[2], onclick });
      this.#notice = document.createElement("p");
      this.#notice.setAttribute("role", "alert");
      this.#notice.append(`${words[what]} `, button);
      this.iframe.style.display = "none";
      this.iframe.after(this.#notice);
    }

    #clear() {
      clearTimeout(this.#timer);
      this.#notice?.remove();
      this.#notice = null;
      this.iframe.style.display = "block";
    }
  }

  const isRecent = (atMs) => performance.now() - atMs < QUIET_MS;

  const LOOK = ["theme", "accent", "accent_dark", "background", "background_dark", "font", "radius", "themes", "locale"];

  function launchUrl(text, { path, ...look }) {
    const url = new URL(text);
    if (!/^https?:$/.test(url.protocol)) throw new TypeError("Posthorn: launch_url is not http(s)");
    for (const name of LOOK) {
      if (look[name] != null) url.searchParams.set(name, String(look[name]).replace("#", ""));
    }
    if (path) url.searchParams.set("path", path);
    return url;
  }

  window.Posthorn = { mount };
})();
