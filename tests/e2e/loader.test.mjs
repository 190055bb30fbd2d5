// The loader against its protocol, in a page without a browser: what it shows, what it answers, and
// which messages it takes for what they are not.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LOADER, openHostPage, settle } from "./lib/host-page.mjs";

const ORIGIN = "https://hooks.example";
const LAUNCH = `${ORIGIN}/embed/s/one?launch=abc`;

/** A mounted embed whose backend counts its calls. `launch` and `refresh` replace the backend's answers. */
async function mounted({ launch, refresh, ...options } = {}) {
  const page = openHostPage();
  const calls = { launch: 0, refresh: [], ready: [], navigate: [], errors: [], expired: 0 };
  const defaultLaunch = () => ({ launch_url: LAUNCH, session_id: `session-${calls.launch}`, access_token: "first" });
  const embed = page.Posthorn.mount("#webhooks", {
    launch: async () => {
      calls.launch += 1;
      return (launch ?? defaultLaunch)(calls.launch);
    },
    ...(refresh === null ? {} : {
      refresh: async (sessionId) => {
        calls.refresh.push(sessionId);
        return refresh ? refresh(calls.refresh.length) : { access_token: `token-${calls.refresh.length}` };
      },
    }),
    onReady: (told) => calls.ready.push({ ...told }),
    onNavigate: (told) => calls.navigate.push({ ...told }),
    onError: (error) => calls.errors.push(error.message),
    onExpired: () => (calls.expired += 1),
    ...options,
  });
  await settle();
  return { page, embed, calls, sent: embed.iframe.contentWindow.sent };
}

const failing = () => {
  throw new Error("the backend is down");
};
const READY = { type: "meshes:ready", session_id: "session-1", expires_at: "2026-11-24T12:00:00.000Z" };
const EXPIRED = { type: "meshes:token-expired", session_id: null };
const NEAR_END = { type: "meshes:token-refresh", session_id: "session-1" };

test("it is a plain script of less than 6.5 KB", () => {
  const source = readFileSync(LOADER);
  assert.ok(source.length < 6.5 * 1024, `${source.length} bytes`);
  assert.ok(!/\beval\b|innerHTML|\bimport\b/.test(source));
});

test("the frame is made as the page needs it and opened with theme, accent and locale", async () => {
  const { page, embed } = await mounted({ theme: "dark", accent: "#ff5500", locale: "de", title: "Web Hooks" });
  assert.equal(page.frame(), embed.iframe);
  const { title, allow, referrerPolicy, src, style } = embed.iframe;
  assert.deepEqual({ title, allow, referrerPolicy }, {
    title: "Web Hooks", allow: "clipboard-write", referrerPolicy: "strict-origin",
  });
  assert.equal(src, `${LAUNCH}&theme=dark&accent=ff5500&locale=de`);
  assert.deepEqual({ ...style }, { width: "100%", height: "320px", border: "0", display: "block" });
  const plain = await mounted();
  assert.equal(plain.embed.iframe.src, LAUNCH);
  assert.equal(plain.embed.iframe.title, "Webhooks");
});

test("a place that is not there or no launch is said at once", () => {
  const { Posthorn, place } = openHostPage();
  assert.throws(() => Posthorn.mount("#elsewhere", { launch: failing }), /no such element/);
  assert.throws(() => Posthorn.mount(null, { launch: failing }), /no such element/);
  assert.throws(() => Posthorn.mount("#webhooks", {}), /launch is missing/);
  assert.throws(() => Posthorn.mount("#webhooks"), /launch is missing/);
  assert.equal(place.children.length, 0);
});

test("ready, navigate and resize reach the product and the frame", async () => {
  const { page, embed, calls } = await mounted();
  await page.post(READY);
  await page.post({ type: "meshes:navigate", path: "/embed/s/one/events", title: "Events" });
  await page.post({ type: "meshes:resize", height: 812.4 });
  assert.deepEqual(calls.ready, [{ session_id: "session-1", expires_at: READY.expires_at }]);
  assert.deepEqual(calls.navigate, [{ path: "/embed/s/one/events", title: "Events" }]);
  assert.equal(embed.iframe.style.height, "813px");
});

test("a height is a number, at least 320 and at most 10,000 pixels", async () => {
  const { page, embed } = await mounted();
  const cases = [
    [500, "500px"], [0, "320px"], [-1e9, "320px"], [1e9, "10000px"], [700, "700px"], [NaN, "700px"], [Infinity, "700px"],
    ["900", "700px"], ["100vh; position: fixed", "700px"], [null, "700px"], [undefined, "700px"], [{}, "700px"], [[900], "700px"],
  ];
  for (const [height, expected] of cases) {
    await page.post({ type: "meshes:resize", height });
    assert.equal(embed.iframe.style.height, expected, String(height));
  }
});

test("each page that a person comes to is shown from its top, the first one is left alone", async () => {
  const { page, embed } = await mounted();
  embed.iframe.top = -400;
  await page.post({ type: "meshes:navigate", path: "/a", title: "A" });
  assert.equal(embed.iframe.scrolled, 0);
  // The same path again is a form that was sent: its errors stand at the top.
  await page.post({ type: "meshes:navigate", path: "/a", title: "A" });
  assert.equal(embed.iframe.scrolled, 1);
  await page.post({ type: "meshes:navigate", path: "/b", title: "B" });
  assert.equal(embed.iframe.scrolled, 2);
  embed.iframe.top = 80;
  await page.post({ type: "meshes:navigate", path: "/c", title: "C" });
  assert.equal(embed.iframe.scrolled, 2);
});

test("messages from another window or another origin do nothing", async () => {
  const { page, embed, calls, sent } = await mounted();
  const strangers = [
    { origin: "https://evil.example" }, { origin: "null" }, { origin: "" }, { origin: `${ORIGIN}.evil.example` },
    { origin: "http://hooks.example" }, { origin: `${ORIGIN}:8443` }, { source: {} }, { source: null }, { source: undefined },
  ].map((who) => ({ origin: ORIGIN, source: embed.iframe.contentWindow, ...who }));
  for (const who of strangers) {
    for (const data of [READY, NEAR_END, EXPIRED, { type: "meshes:resize", height: 5000 }, { type: "meshes:navigate", path: "/x" }]) {
      // Not through `post`, whose defaults would stand in for `undefined`.
      for (const listener of page.listeners) listener({ data, ...who });
      await settle();
    }
  }
  assert.deepEqual({ ...calls, launch: 1 }, { launch: 1, refresh: [], ready: [], navigate: [], errors: [], expired: 0 });
  assert.equal(calls.launch, 1);
  assert.deepEqual(sent, []);
  assert.equal(embed.iframe.style.height, "320px");
});

test("what is no message of the protocol does nothing", async () => {
  const { page, calls, sent } = await mounted();
  const nonsense = [
    null, undefined, "", "meshes:ready", 7, true, [], ["meshes:ready"], {}, { type: "ready" }, { type: "meshes:auth", token: "x" },
    { type: ["meshes:ready"] }, { type: "meshes:launch" }, { type: "constructor" }, { type: "__proto__" }, Symbol.iterator,
  ];
  for (const data of nonsense) await page.post(data);
  assert.deepEqual(calls, { launch: 1, refresh: [], ready: [], navigate: [], errors: [], expired: 0 });
  assert.deepEqual(sent, []);
});

test("a launch_url that is no web address is never opened", async () => {
  const bad = [
    "javascript:alert(1)", " javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,x", "blob:https://hooks.example/1",
    "file:///etc/passwd", "ftp://hooks.example/", "about:blank", "/embed/s/one", "//hooks.example/", "", undefined, null, 7, {},
  ];
  for (const launch_url of bad) {
    const { page, embed, calls } = await mounted({ launch: () => ({ launch_url, session_id: "s" }) });
    assert.equal(embed.iframe.src, undefined, String(launch_url));
    assert.equal(page.notice().text, "This page could not be loaded.");
    assert.equal(calls.errors.length, 1);
    // With no origin yet, nothing may pass for it.
    await page.post(READY, { origin: "null" });
    await page.post(READY, { origin: undefined });
    assert.equal(calls.ready.length, 0, String(launch_url));
  }
});

test("a launch that fails is said, and tried again when somebody asks", async () => {
  const { page, embed, calls } = await mounted({
    launch: (time) => (time < 3 ? failing() : { launch_url: LAUNCH, session_id: "session-3" }),
  });
  assert.deepEqual(calls.errors, ["the backend is down"]);
  assert.equal(embed.iframe.style.display, "none");
  const { button } = page.notice();
  assert.deepEqual([button.tag, button.type, button.textContent], ["button", "button", "Try again"]);
  button.onclick();
  button.onclick();
  await settle();
  assert.equal(calls.launch, 2, "a second click waits for the first");
  assert.equal(page.place.children.length, 2, "one message, not one for each failure");
  page.notice().button.onclick();
  await settle();
  assert.equal(page.notice(), null);
  assert.equal(embed.iframe.style.display, "block");
  assert.equal(embed.iframe.src, LAUNCH);
  for (const answer of [undefined, null, "text"]) {
    const other = await mounted({ launch: () => answer });
    assert.ok(other.page.notice(), String(answer));
  }
});

test("a page that never reports is said, and shown when it reports after all", async () => {
  const { page, embed, calls } = await mounted();
  await page.pass(19_999);
  assert.equal(page.notice(), null);
  await page.pass(1);
  assert.equal(page.notice().text, "This page could not be loaded.");
  assert.deepEqual(calls.errors, ["Posthorn: no answer"]);
  await page.post(READY);
  assert.equal(page.notice(), null);
  assert.equal(embed.iframe.style.display, "block");
  await page.pass(60_000);
  assert.equal(page.notice(), null);
});

test("near its end the session gets a new token, sent to its own origin only", async () => {
  const { page, calls, sent } = await mounted();
  await page.post(READY);
  await page.post(NEAR_END);
  assert.deepEqual(calls.refresh, ["session-1"]);
  const [{ data, target }] = sent;
  assert.deepEqual([sent.length, data.type, data.token, target], [1, "meshes:auth", "token-1", ORIGIN]);
  assert.equal(calls.launch, 1);
});

test("a page that asks for tokens over and over gets one in ten seconds", async () => {
  const { page, calls, sent } = await mounted();
  for (let time = 0; time < 50; time += 1) await page.post(NEAR_END);
  assert.equal(calls.refresh.length, 1);
  await page.pass(10_000);
  await page.post(NEAR_END);
  assert.equal(sent.length, 2);
});

test("another session's id is never handed to the backend", async () => {
  const { page, calls } = await mounted();
  await page.post({ type: "meshes:token-refresh", session_id: "session-of-somebody-else" });
  await page.post({ type: "meshes:token-expired", session_id: "session-0" });
  assert.deepEqual(calls.refresh, []);
  assert.equal(calls.launch, 1);
});

test("without refresh, or when it fails, the end of the session opens another one", async () => {
  for (const refresh of [null, failing, () => ({}), () => ({ access_token: 7 }), () => undefined]) {
    const { page, embed, calls, sent } = await mounted({ refresh });
    await page.post(READY);
    embed.iframe.src = "";
    await page.post(EXPIRED);
    assert.equal(calls.launch, 2, String(refresh));
    assert.equal(embed.iframe.src, LAUNCH);
    assert.deepEqual(sent, []);
    assert.equal(calls.errors.length, refresh ? 1 : 0);
    assert.equal(calls.expired, 0);
  }
});

test("a session that is over gets a token first; one that this does not help is opened anew", async () => {
  const { page, calls, sent } = await mounted();
  await page.post(EXPIRED);
  assert.equal(sent.length, 1);
  assert.equal(calls.launch, 1);
  await page.post(EXPIRED);
  assert.equal(calls.refresh.length, 1);
  assert.equal(calls.launch, 2);
});

test("sessions that end at once are not opened in a loop", async () => {
  const { page, calls } = await mounted();
  for (let time = 0; time < 50; time += 1) await page.post(EXPIRED);
  assert.equal(calls.launch, 2);
  assert.equal(calls.refresh.length, 1);
  assert.equal(calls.expired, 1);
  assert.equal(page.notice().text, "Your session has ended.");
  page.notice().button.onclick();
  await settle();
  assert.equal(calls.launch, 3, "a person may ask at any time");
  await page.pass(10_000);
  await page.post(EXPIRED);
  await page.post(EXPIRED);
  assert.equal(calls.launch, 4);
});

test("when no other session can be opened, that is said and told once", async () => {
  const { page, calls } = await mounted({
    refresh: failing,
    launch: (time) => (time > 1 ? failing() : { launch_url: LAUNCH, session_id: "session-1" }),
  });
  await page.post(EXPIRED);
  await page.post(EXPIRED);
  assert.deepEqual([calls.launch, calls.expired], [2, 1]);
  assert.equal(page.notice().text, "Your session has ended.");
});

test("a page reports its end while a token is on its way: one refresh serves both", async () => {
  let answer;
  const { page, calls, sent } = await mounted({ refresh: () => new Promise((done) => (answer = done)) });
  await page.post(NEAR_END);
  await page.post(EXPIRED);
  await page.post(EXPIRED);
  answer({ access_token: "late" });
  await settle();
  assert.deepEqual([calls.refresh.length, calls.launch, sent.length], [1, 1, 1]);
});

test("an end that is reported twice opens one session and says nothing", async () => {
  const { page, calls } = await mounted({
    refresh: failing,
    launch: (time) => (time > 1 ? new Promise(() => {}) : { launch_url: LAUNCH, session_id: "session-1" }),
  });
  await Promise.all([page.post(EXPIRED), page.post(EXPIRED)]);
  assert.deepEqual([calls.refresh.length, calls.launch, calls.expired], [1, 2, 0]);
  assert.equal(page.notice(), null);
});

test("messages of the page before do not disturb a launch, and its token goes nowhere", async () => {
  let answer;
  const opened = [];
  const { page, calls, sent } = await mounted({
    refresh: () => new Promise((done) => (answer = done)),
    launch: (time) => (time === 1 ? { launch_url: LAUNCH, session_id: "session-1" } : new Promise((done) => opened.push(done))),
  });
  await page.post(NEAR_END);
  await page.pass(20_000);
  page.notice().button.onclick();
  await settle();
  await page.post(EXPIRED);
  await page.post({ type: "meshes:resize", height: 900 });
  assert.equal(page.frame().style.height, "320px");
  opened[0]({ launch_url: "https://other.example/embed/s/two", session_id: "session-2" });
  await settle();
  answer({ access_token: "of the session before" });
  await settle();
  assert.deepEqual(sent, []);
  assert.equal(calls.launch, 2);
  await page.post({ type: "meshes:resize", height: 900 });
  assert.equal(page.frame().style.height, "320px", "the former origin is a stranger now");
  await page.post({ type: "meshes:resize", height: 900 }, { origin: "https://other.example" });
  assert.equal(page.frame().style.height, "900px");
});

test("a backend that keeps the session's id to itself is served by the page's own", async () => {
  const { page, calls } = await mounted({ launch: () => ({ launch_url: LAUNCH }) });
  await page.post({ type: "meshes:token-refresh", session_id: "session-9" });
  assert.deepEqual(calls.refresh, [], "nothing is known before the page is ready");
  await page.pass(10_000);
  await page.post({ ...READY, session_id: "session-9" });
  await page.post({ type: "meshes:token-refresh", session_id: "session-9" });
  assert.deepEqual(calls.refresh, ["session-9"]);
});

test("unmounted, it is gone: no frame, no listener, no callback, no timer that says anything", async () => {
  const { page, embed, calls } = await mounted();
  const { unmount } = embed;
  unmount();
  assert.equal(page.place.children.length, 0);
  assert.equal(page.listeners.size, 0);
  assert.equal(page.timers.size, 0);
  await page.pass(60_000);
  assert.deepEqual(calls, { launch: 1, refresh: [], ready: [], navigate: [], errors: [], expired: 0 });

  let answer;
  const asked = await mounted({ refresh: () => new Promise((done) => (answer = done)) });
  await asked.page.post(NEAR_END);
  asked.embed.unmount();
  answer({ access_token: "for nobody" });
  await settle();
  assert.deepEqual(asked.sent, []);

  for (const end of [(done) => done({ launch_url: LAUNCH }), (_, fail) => fail(new Error("too late"))]) {
    const late = [];
    const slow = await mounted({ launch: () => new Promise((done, fail) => late.push(done, fail)) });
    slow.embed.unmount();
    end(...late);
    await settle();
    await slow.page.pass(60_000);
    assert.equal(slow.page.place.children.length, 0);
    assert.deepEqual(slow.calls.errors, []);
  }
});
