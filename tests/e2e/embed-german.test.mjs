// The embed in German, lived in a browser whose product asks for it: a customer connects a server, which fails,
// reads why, and repairs it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { axeViolations } from "./lib/axe.mjs";
import { noBrowser, openPage } from "./lib/browser.mjs";
import { newSession, withEmbed } from "./lib/embed.mjs";
import { answer } from "./lib/receiver.mjs";

let world, browser, tenant;
withEmbed("Deutsch", (opened) => ({ world, browser, tenant } = opened));

test("a customer's story in German", { skip: noBrowser }, async () => {
  const page = await openPage(browser, { locale: "en-US" });
  const { launch_url } = await newSession(world, tenant);
  const heading = (name) => page.getByRole("heading", { level: 1, name }).waitFor();
  const press = (name) => page.getByRole("button", { name, exact: true }).click();
  const follow = (name) => page.getByRole("link", { name, exact: true }).first().click();
  const clean = async () => {
    assert.equal(await page.locator("html").getAttribute("lang"), "de");
    assert.deepEqual(await axeViolations(page), []);
  };
  world.receiver.on("/deutsch", answer(404));

  await page.goto(`${launch_url}&locale=de`);
  await page.getByRole("heading", { name: "In drei Schritten zum ersten Webhook" }).waitFor();
  await clean();
  await follow("Neue Verbindung");
  await page.getByRole("link", { name: /^Webhook/ }).click();
  await page.getByLabel("URL").fill("ftp://x.example");
  await page.getByLabel("Name", { exact: true }).fill("Bestellungen");
  await press("Verbindung anlegen");
  await page.getByText("Nichts wurde gespeichert oder gesendet. Bitte berichtigen Sie diese Felder:").waitFor();
  await clean();
  await page.getByLabel("URL").fill(world.receiver.url("/deutsch"));
  await press("Verbindung anlegen");
  await heading("Verbindung angelegt");
  await follow("Testereignis senden");
  await press("Testereignis senden");
  await page.getByText("Testereignis gesendet.").waitFor();
  await page.getByText("Ihr Server kennt diese Adresse nicht (404).").waitFor();
  await page.locator("#deliveries time", { hasText: /^vor \d+ s$/ }).first().waitFor();
  await page.locator("time.exact", { hasText: /^\d+\.\d+\.\d{4}, \d\d:\d\d:\d\d$/ }).first().waitFor();
  await clean();

  world.receiver.on("/deutsch", answer(200));
  await follow("Bestellungen");
  await heading("Bestellungen");
  await clean();
  await follow("Testereignis senden");
  await press("Testereignis senden");
  await page.locator("#deliveries").getByText("Zugestellt").first().waitFor();
  for (const [name, title] of [["Übersicht", "Übersicht"], ["Regeln", "Regeln"], ["Ereignisse", "Ereignisse"]]) {
    await follow(name);
    await heading(title);
    await clean();
  }
  // The form whose URL was refused is answered 422, and the browser tells it.
  assert.deepEqual(page.complaints.filter((text) => !/status of 422/.test(text)), []);
});
