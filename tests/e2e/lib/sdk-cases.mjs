// What the official SDKs of providers send for the same thing as a rule of Posthorn. `answers` are what the provider says,
// [status, body] in turn; both sides get the same.
import hubspot from "@hubspot/api-client";
import mailchimp from "@mailchimp/mailchimp_marketing";
import MailerLite from "@mailerlite/mailerlite-nodejs";
import sendgrid from "@sendgrid/mail";
import { WebClient } from "@slack/web-api";
import { PipelinesClient } from "customerio-node";
import { RouteBases, Routes } from "discord-api-types/v10";
import { IntercomClient } from "intercom-client";
import pipedrive from "pipedrive/v2";
import { Resend } from "resend";

/** The payload of every event. */
export const PAYLOAD = { email: "ann+1@acme.example", id: "u1", name: "Ann Lee", first_name: "Ann", last_name: "Lee", phone: "+15550100", plan: "pro" };
const { email } = PAYLOAD;
const DONE = [200, {}];

// It would keep the fetch that it finds now.
const slack = new WebClient("xoxb-1-2-three", { retryConfig: { retries: 0 }, fetch: (...given) => globalThis.fetch(...given) });
const resend = new Resend("re_key");
sendgrid.setApiKey("SG.key");
mailchimp.setConfig({ apiKey: "0123-us21", server: "us21" });
const mailerlite = new MailerLite({ api_key: "ml-key" });
const customerio = new PipelinesClient("cio-key", { strictMode: true });
const hub = new hubspot.Client({ accessToken: "pat-1", numberOfApiCallRetries: 0 });
const intercom = new IntercomClient({ token: "ic-token", maxRetries: 0 });
const pipedriveSetup = new pipedrive.Configuration({ apiKey: "pd-token" });
const [persons, personFields] = [new pipedrive.PersonsApi(pipedriveSetup), new pipedrive.PersonFieldsApi(pipedriveSetup)];

const ann = { email, properties: { email, firstname: "Ann", lastname: "Lee", phone: PAYLOAD.phone } };
const hubUpsert = (properties) => hub.crm.contacts.batchApi.upsert({ inputs: [{ id: email, idProperty: "email", properties }] });
const hubFound = { results: [{ id: "501" }] };
const query = { operator: "OR", value: [{ field: "external_id", operator: "=", value: "u1" }, { field: "email", operator: "=", value: email }] };
const contact = { name: "Ann Lee", phone: PAYLOAD.phone };
const found = { type: "list", data: [{ type: "contact", id: "c1", external_id: "u1" }], pages: {} };
const person = { name: "Ann Lee", phones: [{ value: PAYLOAD.phone, primary: true, label: "work" }] };
const emails = [{ value: email, primary: true, label: "work" }];
const search = () => persons.searchPersons({ term: email, fields: "email", exact_match: true, limit: 1 });
const foundPerson = [200, { success: true, data: { items: [{ item: { id: 7 } }] } }];
const noPerson = [200, { success: true, data: { items: [] } }];
const saved = [200, { success: true, data: { id: 7 } }];
const subscriber = { email, fields: { name: "Ann", last_name: "Lee", phone: PAYLOAD.phone }, groups: ["9"] };
const names = { firstName: "Ann", lastName: "Lee" };
const mailerLiteId = [200, { data: { id: "31" } }];

/** One row for each action: `type` and `metadata` of the connection, what its rule `says`, and the SDK's calls. */
export const CASES = [
  {
    type: "slack", metadata: { bot_token: "xoxb-1-2-three" },
    says: { action: "send_message", id: "C1", template: "{{name}} is on {{plan}}" }, answers: [[200, { ok: true }]],
    sdk: ({ message }) => slack.chat.postMessage({
      channel: "C1", text: "Ann Lee is on pro", metadata: { event_type: "posthorn", event_payload: { message_id: message } },
    }),
  },
  {
    type: "discord", metadata: { webhook_url: `${RouteBases.api}${Routes.webhook("123", "tok")}` },
    says: { action: "send_message", title: "Plan", template: "{{name}}" }, answers: [DONE],
    // There are types and routes for Discord, and no client of its own.
    sdk: () => fetch(`${RouteBases.api}${Routes.webhook("123", "tok")}?wait=true`, {
      method: "POST", headers: { "content-type": "application/json" },
      body: JSON.stringify({ embeds: [{ title: "Plan", description: "Ann Lee" }], allowed_mentions: { parse: [] } }),
    }),
  },
  {
    type: "resend", metadata: { api_key: "re_key" },
    says: { action: "send_email_template", id: "tpl", from: "Acme <hi@acme.example>", subject: "Hello {{name}}" }, answers: [[200, { id: "1" }]],
    sdk: ({ message }) => resend.emails.send({
      from: "Acme <hi@acme.example>", to: [email], subject: "Hello Ann Lee",
      template: { id: "tpl", variables: PAYLOAD },
    }, { idempotencyKey: message }),
  },
  {
    type: "resend", metadata: { api_key: "re_key" }, says: { action: "add_to_segment", id: "s1" }, answers: [[200, { id: "1" }]],
    sdk: async () => {
      await resend.contacts.update({ email, ...names });
      await resend.contacts.segments.add({ email, segmentId: "s1" });
    },
  },
  {
    type: "resend", metadata: { api_key: "re_key" }, says: { action: "remove_from_segment", id: "s1" }, answers: [[200, { id: "1" }]],
    sdk: () => resend.contacts.segments.remove({ email, segmentId: "s1" }),
  },
  {
    type: "sendgrid", metadata: { api_key: "SG.key" },
    says: { action: "send_email", from: "Acme <hi@acme.example>", subject: "Hello {{name}}", body: "<p>{{plan}}</p>" }, answers: [[202, {}]],
    sdk: ({ message }) => sendgrid.send({
      to: email, from: { email: "hi@acme.example", name: "Acme" }, subject: "Hello Ann Lee", html: "<p>pro</p>",
      customArgs: { posthorn_message_id: message },
    }),
  },
  {
    type: "sendgrid", metadata: { api_key: "SG.key" },
    says: { action: "send_email_template", from: "hi@acme.example", id: "d-1" }, answers: [[202, {}]],
    sdk: ({ message }) => sendgrid.send({
      to: email, from: "hi@acme.example", templateId: "d-1", dynamicTemplateData: PAYLOAD, customArgs: { posthorn_message_id: message },
    }),
  },
  {
    type: "mailchimp", metadata: { api_key: "0123-us21" }, says: { action: "add_to_list", id: "l1" }, answers: [DONE],
    sdk: () => mailchimp.lists.setListMember("l1", email, {
      email_address: email, status_if_new: "subscribed", status: "subscribed",
      merge_fields: { FNAME: "Ann", LNAME: "Lee", PHONE: PAYLOAD.phone },
    }, { skipMergeValidation: true }),
  },
  {
    type: "mailchimp", metadata: { api_key: "0123-us21" }, says: { action: "remove_from_list", id: "l1" }, answers: [DONE],
    sdk: () => mailchimp.lists.updateListMember("l1", email, { status: "unsubscribed" }),
  },
  {
    type: "mailerlite", metadata: { api_key: "ml-key" }, says: { action: "add_to_group", id: "9" }, answers: [mailerLiteId],
    sdk: () => mailerlite.subscribers.createOrUpdate(subscriber),
  },
  {
    type: "mailerlite", metadata: { api_key: "ml-key" }, says: { action: "remove_from_group", id: "9" }, answers: [mailerLiteId, [204]],
    sdk: async () => {
      await mailerlite.subscribers.find(encodeURIComponent(email));
      await mailerlite.groups.unAssignSubscriber("31", "9");
    },
  },
  {
    type: "customer_io", metadata: { api_key: "cio-key" }, says: { action: "track_event" }, answers: [[200, { success: true }]],
    sdk: ({ message, event, at }) => customerio.batch([
      {
        type: "identify", userId: "u1", messageId: `${message}.identify`, timestamp: at,
        traits: { email, name: "Ann Lee", first_name: "Ann", last_name: "Lee", phone: PAYLOAD.phone },
      },
      { type: "track", userId: "u1", messageId: message, timestamp: at, event, properties: PAYLOAD },
    ]),
  },
  {
    type: "hubspot", metadata: { access_token: "pat-1" }, says: { action: "add_to_list", id: "44" }, answers: [[200, hubFound], DONE],
    sdk: async () => {
      await hubUpsert(ann.properties);
      await hub.crm.lists.membershipsApi.add("44", ["501"]);
    },
  },
  {
    type: "hubspot", metadata: { access_token: "pat-1" }, says: { action: "remove_from_list", id: "44" }, answers: [[200, { id: "501" }], DONE],
    sdk: async () => {
      await hub.crm.contacts.basicApi.getById(email, undefined, undefined, undefined, undefined, "email");
      await hub.crm.lists.membershipsApi.remove("44", ["501"]);
    },
  },
  {
    type: "hubspot", metadata: { access_token: "pat-1" }, says: { action: "update_property", id: "plan", value: "{{plan}}" }, answers: [[200, hubFound]],
    sdk: () => hubUpsert({ ...ann.properties, plan: "pro" }),
  },
  {
    type: "intercom", metadata: { access_token: "ic-token" }, says: { action: "add_tag", id: "t1" },
    answers: [[200, found], [200, { id: "c1" }], DONE],
    sdk: async () => {
      await intercom.contacts.search({ query });
      await intercom.contacts.update({ contact_id: "c1", ...contact });
      await intercom.tags.tagContact({ contact_id: "c1", id: "t1" });
    },
  },
  {
    type: "intercom", metadata: { access_token: "ic-token" }, says: { action: "add_tag", id: "t1" }, note: "to somebody new",
    answers: [[200, { ...found, data: [] }], [200, { id: "c2" }], DONE],
    sdk: async () => {
      await intercom.contacts.search({ query });
      await intercom.contacts.create({ role: "user", email, external_id: "u1", ...contact });
      await intercom.tags.tagContact({ contact_id: "c2", id: "t1" });
    },
  },
  {
    type: "intercom", metadata: { access_token: "ic-token" }, says: { action: "remove_tag", id: "t1" }, answers: [[200, found], DONE],
    sdk: async () => {
      await intercom.contacts.search({ query });
      await intercom.tags.untagContact({ contact_id: "c1", tag_id: "t1" });
    },
  },
  {
    type: "pipedrive", metadata: { access_token: "pd-token" }, says: { action: "sync_person" }, answers: [foundPerson, saved],
    sdk: async () => {
      await search();
      await persons.updatePerson({ id: 7, UpdatePersonRequest: person });
    },
  },
  {
    type: "pipedrive", metadata: { access_token: "pd-token" }, says: { action: "sync_person" }, note: "of somebody new", answers: [noPerson, saved],
    sdk: async () => {
      await search();
      await persons.addPerson({ AddPersonRequest: { ...person, emails } });
    },
  },
  {
    type: "pipedrive", metadata: { access_token: "pd-token" }, says: { action: "add_label_to_person", id: "5" },
    answers: [foundPerson, [200, { success: true, data: { id: 7, label_ids: [3] } }], saved],
    sdk: async () => {
      await search();
      await persons.getPerson({ id: 7 });
      await persons.updatePerson({ id: 7, UpdatePersonRequest: { label_ids: [3, 5] } });
    },
  },
];

/** For each provider: the call that tests the credentials, and those that read its live lists. */
export const ACCOUNTS = [
  {
    type: "slack", metadata: { bot_token: "xoxb-1-2-three" }, answers: [[200, { ok: true, channels: [] }]],
    check: () => slack.auth.test(),
  },
  {
    type: "resend", metadata: { api_key: "re_key" }, answers: [[200, { data: [], has_more: false }]],
    check: () => resend.domains.list(),
    lists: async () => {
      await resend.segments.list({ limit: 100 });
      await resend.templates.list({ limit: 100 });
    },
  },
  {
    type: "sendgrid", metadata: { api_key: "SG.key" }, answers: [[200, { result: [] }]],
    check: () => sendgrid.send({
      to: "check@posthorn.example", from: "check@posthorn.example", subject: "Check", text: "Check",
      mailSettings: { sandboxMode: { enable: true } },
    }),
  },
  {
    type: "mailchimp", metadata: { api_key: "0123-us21" }, answers: [[200, { lists: [], total_items: 0 }]],
    check: () => mailchimp.ping.get(),
    lists: () => mailchimp.lists.getAllLists({ fields: ["lists.id", "lists.name", "total_items"], count: 500, offset: 0 }),
  },
  {
    type: "mailerlite", metadata: { api_key: "ml-key" }, answers: [[200, { data: [], meta: { current_page: 1, last_page: 1 } }]],
    check: () => mailerlite.groups.get({ limit: 1 }),
    lists: () => mailerlite.groups.get({ limit: 100, page: 1 }),
  },
  {
    type: "hubspot", metadata: { access_token: "pat-1" }, answers: [[200, { lists: [], results: [], hasMore: false }]],
    check: () => hub.crm.contacts.basicApi.getPage(1),
    lists: async () => {
      await hub.crm.lists.listsApi.doSearch({
        objectTypeId: "0-1", processingTypes: ["MANUAL", "SNAPSHOT"], offset: 0, count: 250, additionalProperties: [], listIds: [],
      });
      await hub.crm.properties.coreApi.getAll("contacts");
    },
  },
  {
    type: "intercom", metadata: { access_token: "ic-token" }, answers: [[200, { type: "list", data: [] }]],
    check: () => intercom.admins.identify(), lists: () => intercom.tags.list(),
  },
  {
    type: "pipedrive", metadata: { access_token: "pd-token" }, answers: [[200, { success: true, data: [], additional_data: {} }]],
    lists: () => personFields.getPersonFields({ limit: 500 }),
  },
];

/**
 * Where Posthorn and an SDK send another thing on purpose: the provider, why, and what makes the SDK's request the same.
 * Nothing else may differ.
 */
export const DIFFERENCES = [
  {
    types: ["slack"], why: "the SDK sends a form, in which metadata is a JSON text; Slack takes JSON as well, and it keeps its types",
    same: (request) => (request.body?.metadata ? {
      ...request, type: "application/json", body: { ...request.body, metadata: JSON.parse(request.body.metadata) },
    } : request),
  },
  {
    types: ["resend", "mailchimp", "mailerlite"], why: "the SDK names a content type where there is no body",
    same: (request) => (request.body === undefined ? { ...request, type: "" } : request),
  },
  {
    types: ["mailchimp"], why: "the name beside the key may be any; the SDK says user",
    same: (request) => ({ ...request, signs: `Basic ${Buffer.from("posthorn:0123-us21").toString("base64")}` }),
  },
  {
    types: ["customer_io"], why: "the SDK tells its own name and version as the library in the context",
    same: ({ body, ...rest }) => ({ ...rest, body: { batch: body.batch.map(({ context, ...one }) => one) } }),
  },
  {
    types: ["hubspot"], why: "the SDK calls version 3, Posthorn the dated version that follows it",
    same: (request) => ({ ...request, path: request.path.replace(/^\/crm\/v3\/(objects|lists|properties)\//, "/crm/$1/2026-03/") }),
  },
  {
    types: ["hubspot"], why: "the SDK's search cannot say that the lists are of contacts",
    same: (request) => (request.path.endsWith("/search") ? { ...request, body: { ...request.body, objectTypeId: "0-1" } } : request),
  },
];
