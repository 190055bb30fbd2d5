//! Every size, count and length that is limited, with its reason. Figures of the platform are from
//! Cloudflare's published limits (autumn 2026).

use crate::domain::base::time::DAY_MS;

/// Payload of one event, bytes of JSON text. A D1 row holds 2 MB; half a MiB leaves room for the
/// columns beside it and keeps 8 payloads of the largest size in one consumer slice of 4 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 512 * 1024;

/// Nesting of a payload: deep enough for any real document, shallow enough for every receiver's
/// parser (the common defaults are 64 to 512).
pub const PAYLOAD_DEPTH_MAX: usize = 64;

/// Bytes of a row of events or deliveries; what would make it longer, a payload or the record of a
/// first attempt, has a row in a table of its own. A row of a WITHOUT ROWID table stands in
/// interior pages too, and 4 KiB pages keep about 1,000 bytes of it, else it takes one page more:
/// measured with 2 KB payloads, one table took twice the space and three times the time of two.
pub const ROW_INLINE_BYTES: usize = 950;
/// What a row of events has beside its texts: two ids of 36 characters, a time, numbers.
pub const EVENT_ROW_BYTES: usize = 100;
/// The same of deliveries: three ids, times, words.
pub const DELIVERY_ROW_BYTES: usize = 200;

/// Body of `POST /events`: one payload and the fields beside it.
pub const EMIT_BODY_BYTES_MAX: usize = PAYLOAD_BYTES_MAX + 64 * 1024;

/// Body of a form with a payload: percent-encoding makes three bytes of one.
pub const FORM_BODY_BYTES_MAX: usize = 3 * PAYLOAD_BYTES_MAX + 64 * 1024;

/// Body of `POST /events/bulk`: a fraction of an isolate's 128 MB, several copies included.
pub const BULK_BODY_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Events in one bulk request (the wire contract).
pub const BULK_EVENTS_MAX: usize = 100;

/// Body of every other request: management documents are small.
pub const API_BODY_BYTES_MAX: usize = 64 * 1024;

/// Period of the rate limits in seconds, as `wrangler.toml` says: after so long at the most a
/// caller who made too many requests may go on.
pub const RATE_PERIOD_S: u32 = 10;

/// Characters of an idempotency key (the wire contract).
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// How long an idempotency key is kept (the wire contract).
pub const IDEMPOTENCY_KEPT_MS: i64 = DAY_MS;
/// Old idempotency keys that one sweep of a shard deletes at the most, in this many statements. A
/// shard takes a few hundred requests a second, so fewer than 30,000 a minute have to go.
pub const KEYS_FORGOTTEN_AT_ONCE: usize = 2_000;
/// See [`KEYS_FORGOTTEN_AT_ONCE`].
pub const KEYS_FORGOTTEN_STEPS: usize = 15;

/// Rules that one event may be fanned out to: keeps an emit within one queue batch of 100 messages.
pub const FAN_OUT_MAX: usize = 100;

/// JSON text of a rule's `metadata`. It is read with every batch that its connection has.
pub const RULE_METADATA_BYTES_MAX: usize = 16 * 1024;

/// Characters that one value can put into a text made of a template; the rest of it is cut.
pub const TEMPLATE_VALUE_CHARS_MAX: usize = 2_000;
/// How long a provider may take to say whether credentials hold.
pub const TEST_DEADLINE_MS: i64 = 10_000;
/// How long all live lists of a connection may take, with the pages of each and the bytes of one.
pub const LIST_DEADLINE_MS: i64 = 10_000;
/// See [`LIST_DEADLINE_MS`].
pub const LIST_PAGES_MAX: usize = 20;
/// See [`LIST_DEADLINE_MS`].
pub const LIST_PAGE_BYTES_MAX: usize = 1024 * 1024;
/// Items of a live list that are shown.
pub const LIST_ITEMS_MAX: usize = 5_000;
/// Bytes of the live lists of a connection that are kept.
pub const LIST_BYTES_MAX: usize = STATEMENT_BYTES_MAX;
/// After so long kept lists are read anew.
pub const LIST_KEPT_MS: i64 = 3_600_000;
/// How long it is kept what a deleted rule said: no event is kept longer than 400 days.
pub const DELETED_RULES_KEPT_MS: i64 = 400 * DAY_MS;
/// Bytes of a text made of a template. Providers take less.
pub const RENDERED_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that are kept of a body made of a template: it cannot be made again.
pub const BODY_KEPT_BYTES_MAX: usize = 2 * 1024;

/// Dots of a rule's pattern: an event asks for the rules of each beginning of its name that ends
/// with a dot, of so many at the most.
pub const PATTERN_DOTS_MAX: usize = 8;
/// Different patterns of a workspace that are looked through when a rule with a `*` is made.
pub const PATTERNS_READ_MAX: usize = 5_000;
/// Patterns whose rules one statement reads: with a hundred rules each, of a kilobyte, and all the
/// filters of a workspace that is below the 2 MB of one value. A single event has at most 10.
pub const ROUTING_PATTERNS: usize = 15;

/// Webhooks that what an event tells may have gone through before it.
pub const HOPS_MAX: u32 = 5;

/// A body that is told to have at most so many bytes is read before it is known who sends it: most
/// emits are smaller, and need one read of CONTROL for key and rules together.
pub const SMALL_BODY_BYTES: usize = 65_536;
/// Bytes of bodies that an isolate holds at once, small and large ones apart: an isolate has 128 MB
/// for all that it does, and a body is in memory twice while it is read.
pub const BODIES_BYTES_MAX: usize = 16 * 1_024 * 1_024;
/// How long a body may take.
pub const BODY_DEADLINE_MS: i64 = 15_000;

/// Keys of an object of which we read fields: our own objects have some twenty. Payloads are not
/// read in this way and may have more.
pub const OBJECT_KEYS_MAX: usize = 1_000;

/// Text of a rule's filter: it is read with every event that the rule's pattern matches.
pub const FILTER_BYTES_MAX: usize = 4_096;
/// Conditions of a filter, those that combine others included: with 100 rules an event's payload is
/// asked a few thousand times at the most.
pub const FILTER_CONDITIONS_MAX: usize = 64;
/// Levels of a filter.
pub const FILTER_DEPTH_MAX: usize = 8;
/// Values of an `in`.
pub const FILTER_LIST_MAX: usize = 100;
/// Characters of a number in a filter. No reader of JSON keeps more of it.
pub const FILTER_DIGITS_MAX: usize = 1_000;
/// Units of [`Budget`](crate::domain::routing::filter::Budget) that the filters of one request may
/// spend: about 10 ms of CPU. The events of a bulk have equal shares of it.
pub const FILTER_BUDGET: usize = 2_000_000;
/// The least that an event of a bulk has: 100 rules of some conditions each.
pub const FILTER_SHARE_MIN: usize = 50_000;
/// Bytes of the filters of a workspace: they are read with every event that their rules match.
pub const FILTERS_BYTES_MAX: usize = 262_144;
/// Characters of a path.
pub const FILTER_PATH_CHARS_MAX: usize = 256;
/// Characters of what is kept with an event about why a filter did not let it pass.
pub const FILTER_REASON_CHARS_MAX: usize = 120;

/// Rules that did not match an event, of which the reason is kept with it: about 70 bytes each, in
/// a row that is to stay small.
pub const UNMATCHED_MAX: usize = 10;

/// Characters of a customer's URL (the wire contract).
pub const URL_CHARS_MAX: usize = 2_048;

/// Custom headers of a connection (the wire contract), and the bytes of one value.
pub const CUSTOM_HEADERS_MAX: usize = 5;
/// Bytes of a header value: common servers take 8 KiB for all headers together.
pub const HEADER_VALUE_BYTES_MAX: usize = 1_024;
/// Characters of a header name.
pub const HEADER_NAME_CHARS_MAX: usize = 64;
/// Bytes of one receiver credential (passwords and bearer tokens, JWTs included).
pub const CREDENTIAL_BYTES_MAX: usize = 4_096;

/// Attempt timeout in seconds. The upper bound leaves room before work in `waitUntil` is cut, about
/// 30 s after its handler returned.
pub const TIMEOUT_S_MIN: u32 = 1;
/// See [`TIMEOUT_S_MIN`].
pub const TIMEOUT_S_MAX: u32 = 25;
/// Attempt timeout where a connection names none.
pub const TIMEOUT_S_DEFAULT: u32 = 15;

/// Kept part of a response body.
pub const EXCERPT_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a header's name that are kept of an answer.
pub const RESPONSE_HEADER_NAME_BYTES_MAX: usize = 64;
/// Bytes that are kept of why an attempt failed: it can hold a header of the answer.
pub const ERROR_BYTES_MAX: usize = 512;
/// Bytes of the value of a kept response header.
pub const RESPONSE_HEADER_BYTES_MAX: usize = 512;

/// Attempts in flight in one consumer batch: a Worker invocation has 6 outgoing connections that
/// wait for headers, the seventh waits silently; one stays free for D1.
pub const SLOTS: usize = 5;
/// Attempts in flight for one connection, once it has answered in this batch.
pub const SLOTS_PER_CONNECTION: usize = 4;
/// Slots that connections which have not answered in this batch leave to those that have.
pub const SLOTS_KEPT: usize = 2;
/// An attempt unanswered for this long is slow: it leaves its batch.
pub const SLOW_AFTER_MS: i64 = 250;
/// Seconds until a job comes again that could not be served.
pub const HAND_BACK_S: u32 = 1;
/// Payload bytes read at once by a consumer batch.
pub const SLICE_BYTES_MAX: i64 = 4 * 1024 * 1024;
/// Slow attempts that end within so many milliseconds are recorded at once.
pub const STRAGGLERS_MS: i64 = 50;
/// Outcomes recorded at once.
pub const FLUSH_OUTCOMES: usize = 50;
/// Bytes of the parameters of one batch of statements. D1 takes 2 MB for one; a quarter leaves
/// room for how long the other side may count it.
pub const STATEMENT_BYTES_MAX: usize = 512 * 1024;
/// Milliseconds after which outcomes are recorded even if they are few.
pub const FLUSH_AFTER_MS: i64 = 250;

/// Messages of one `sendBatch` (100 messages and 256 KB; a job is about 250 bytes).
pub const SEND_BATCH_MAX: usize = 100;
/// Deliveries of one workspace that a message names: a message costs the same for one as for ten.
pub const MESSAGE_JOBS_MAX: usize = 10;
/// Deliveries that a consumer reads together: what is read long before it is sent may have been
/// canceled meanwhile.
pub const SLICE_JOBS_MAX: usize = 100;
/// How long an isolate takes for granted that the name of an event is stored, and how many names it
/// remembers.
pub const NAMES_KNOWN_MS: i64 = 3_600_000;
/// See [`NAMES_KNOWN_MS`].
pub const NAMES_KNOWN_MAX: usize = 2_000;
/// How long an isolate goes by what it read of a connection, and how many it keeps.
pub const TARGET_CACHED_MS: i64 = 1_000;
/// See [`TARGET_CACHED_MS`].
pub const TARGETS_CACHED_MAX: usize = 200;
/// How long the sweeper leaves a delivery to the job that is already on its way: the longest
/// attempt (25 s) and a queue that is two minutes behind. With the minute between two sweeps a lost
/// job is made good within 5 minutes.
pub const SWEEP_GRACE_MS: i64 = 180_000;
/// Longest time that a read of a database may take, and a write. A write that ran out of time may
/// still be committed, so each can be repeated.
pub const DATABASE_READ_MS: i64 = 5_000;
/// See [`DATABASE_READ_MS`].
pub const DATABASE_WRITE_MS: i64 = 10_000;
/// Settings and secrets of a connection are used for an attempt that begins this long after they
/// were read at the latest.
pub const TARGET_AGE_MS_MAX: i64 = 2_000;
/// From so late jobs on their queue is behind, and the sweeper waits as much longer. A swept job
/// has a minute, in which it comes and is answered.
pub const DELAY_NOTED_FROM_MS: i64 = 20_000;
/// Only a batch of so many jobs says so: behind a backlog batches are full, and one message alone
/// may be late by itself.
pub const DELAY_NOTED_JOBS: usize = 20;
/// So much longer at the most.
pub const DELAY_MS_MAX: i64 = 600_000;
/// How often a delay is noted, and how long it is taken to go on.
pub const DELAY_NOTED_EVERY_MS: i64 = 30_000;
/// See [`DELAY_NOTED_EVERY_MS`].
pub const DELAY_NOTED_FOR_MS: i64 = 120_000;
/// Overdue deliveries that one sweep brings back of each connection. One that has more gets a
/// lane.
pub const SWEEP_PER_CONNECTION: usize = 100;
/// Held deliveries of one connection that one statement releases, holds or cancels: a write of this
/// size takes well under a second.
pub const HELD_STEP: usize = 500;
/// Deliveries of a deleted connection that one statement cancels; the consumer goes on when it
/// meets another.
pub const CANCEL_STEP: usize = 1_000;
/// Connections that one sweep statement answers for; a sweep goes on from the last one.
pub const SWEEP_CONNECTIONS: usize = 200;
/// Deliveries that one sweep brings back at the most: 100,000 lost ones in ten minutes, in 20
/// calls to LOG and 100 to the queue.
pub const SWEEP_DELIVERIES: usize = 10_000;
/// Deliveries that the sweeper puts off in one statement.
pub const SWEEP_AT_ONCE: usize = 500;
/// Lanes that one sweep nudges at the most, each by a request of its own; an invocation may make
/// 1,000. With those left alone that were nudged, so many are enough for 1,200 lanes that have
/// something overdue all the time.
pub const SWEEP_NUDGES: usize = 300;
/// Lanes that are nudged side by side: a Worker has 6 outgoing connections.
pub const NUDGES_AT_ONCE: usize = 6;
/// Statements that one run of upkeep makes at the most: half of what D1 answers to an invocation.
pub const UPKEEP_STATEMENTS: usize = 500;

/// Deliveries that one replay sends (the wire contract): as steps in JSON they are about 900 KB,
/// which is within one parameter of a D1 statement (2 MB).
pub const REPLAY_DELIVERIES_MAX: usize = 10_000;
/// The longest range of a replay (the wire contract).
pub const REPLAY_RANGE_MS_MAX: i64 = 14 * DAY_MS;
/// Deliveries that are read to find those of a replay: well under a second of one D1 query.
pub const REPLAY_READS_MAX: usize = 50_000;
/// Connections over which one replay goes.
pub const REPLAY_CONNECTIONS_MAX: usize = 1_000;
/// Events among which a replay looks for what is missing: each is held against all rules.
pub const MISSING_EVENTS_MAX: usize = 10_000;
/// Those that one statement reads, without their payloads.
pub const MISSING_EVENTS_AT_ONCE: usize = 500;
/// Bytes of payloads that the filters of rules may read for that, and those of one statement.
pub const MISSING_BYTES_MAX: usize = 64 * 1_024 * 1_024;
/// See [`MISSING_BYTES_MAX`].
pub const MISSING_BYTES_AT_ONCE: usize = 4 * 1_024 * 1_024;
/// What one filter may cost there: more than all filters of an emit, some of which found no room.
pub const MISSING_FILTER_SHARE: usize = 10 * FILTER_BUDGET;
/// What they may cost together: about a second.
pub const MISSING_FILTER_BUDGET: usize = 20 * FILTER_BUDGET;
/// Deliveries of one step of a replay: one `sendBatch`.
pub const REPLAY_STEP: usize = SEND_BATCH_MAX;
/// Seconds between two steps, so that a replay of 10,000 takes three and a half minutes and leaves
/// room for what is new.
pub const REPLAY_STEP_S: u32 = 2;
/// After this long the sweeper wakes a replay that does not go on.
pub const REPLAY_FORGOTTEN_MS: i64 = 60_000;
/// Replays that one sweep wakes.
pub const REPLAYS_WOKEN: usize = 100;

/// Rules, connections and sessions of a deleted workspace that one statement takes away. What a
/// connection still owed is settled one by one: two calls to LOG and one to its lane.
pub const CLEARED_RULES: usize = 500;
/// See [`CLEARED_RULES`].
pub const CLEARED_CONNECTIONS: usize = 20;
/// See [`CLEARED_RULES`].
pub const CLEARED_SESSIONS: usize = 500;
/// Steps in which the sessions of a revoked machine key are ended at once.
pub const ENDED_STEPS: usize = 10;
/// Rows of one table of a deleted workspace that one statement deletes in LOG.
pub const CLEARED_ROWS: usize = 1_000;
/// Attempts of a delivery after which nobody can ask for another.
pub const ATTEMPTS_BY_HAND_MAX: u32 = 100;
/// Attempts of each delivery that the page of an event shows, the newest.
pub const ATTEMPTS_SHOWN: u32 = 25;
/// Deliveries that a page of events shows: each is up to a kilobyte, and a page is at most 4 MB.
pub const DELIVERIES_LISTED: usize = 4_000;
/// Events that one step of an erasure looks at; at the most all of them are about its resource.
pub const ERASURE_STEP: usize = 200;
/// Steps of erasures that one run of the cron does on a shard.
pub const ERASURE_STEPS: usize = 30;
/// Deleted workspaces that one sweep looks after.
pub const CLEARED_WORKSPACES: usize = 10;
/// Records whose sealed values are sealed anew in one step.
pub const RESEALED_AT_ONCE: usize = 100;
/// Bytes of what such records hold: each is written beside what takes its place, both escaped, and
/// one statement takes [`STATEMENT_BYTES_MAX`].
pub const RESEALED_BYTES: usize = STATEMENT_BYTES_MAX / 3;
/// Such steps in one run of the upkeep, 4 statements each.
pub const RESEAL_STEPS: usize = 10;
/// The upkeep looks for such records every so many minutes, since it has to look at all there are.
pub const RESEAL_MINUTES: i64 = 10;

/// Old sessions that one sweep deletes.
pub const FORGOTTEN_AT_ONCE: usize = 200;
/// Default and largest page of a list (the wire contract).
pub const PAGE_DEFAULT: usize = 50;
/// See [`PAGE_DEFAULT`].
pub const PAGE_MAX: usize = 200;
/// Event types in an organization's catalogue: a page of a customer's lists them all.
pub const CATALOGUE_MAX: usize = 500;
/// Connections or rules of a workspace that a page shows; more are listed by the API.
pub const CONNECTIONS_SHOWN_MAX: usize = 200;
/// Event types or resources that a workspace's bare lists show; they have no cursor.
pub const NAMES_SHOWN_MAX: usize = 1_000;
/// Events or deliveries that a page of a filtered list reads, however few of them it shows: D1
/// bills what is read, and runs one query after the other.
pub const LIST_READS_MAX: usize = 3_000;

/// Connections or rules at which a page of them looks, workspaces without any included: each costs
/// two rows, for the list and for its end, and is joined with its workspace.
pub const LOOKED_AT: usize = LIST_READS_MAX / 4;

/// Workspaces whose events are counted in one minute.
pub const COUNTED_WORKSPACES: usize = 500;

/// Events among which a list by status looks, with the state of all their deliveries, for one page.
pub const STATUS_READS_MAX: usize = 500;

/// Deliveries that one statement of the counting reads.
pub const ROLLUP_STEP: usize = 5_000;
/// Connections that it looks at in one statement.
pub const ROLLUP_LINES: usize = 50;
/// After so many deliveries a run of the counting ends: some seconds of one database.
pub const ROLLUP_READS: usize = 50_000;
/// Old events that one step of the deleting looks at.
pub const RETENTION_STEP: usize = 200;
/// Workspaces of which one statement asks whether they have old events.
pub const RETENTION_WORKSPACES: usize = 50;
/// Statements of the deleting in one run: about 4,000 events, less than a second of one database.
/// With runs ten seconds apart that is more than a shard takes in.
pub const RETENTION_STATEMENTS: usize = 150;
/// Old counts and replays of some workspaces that one statement deletes.
pub const RETENTION_ROWS: usize = 1_000;
/// Counts by connection and day that one answer adds up.
pub const STATS_ROWS_MAX: usize = 5_000;

/// Workspaces of which one statement looks for the newest events: their ids are 390 KB.
pub const WORKSPACES_LISTED: usize = 10_000;
/// Workspaces over which an organization's statistics are added up.
pub const MERGED_WORKSPACES_MAX: usize = 100;

/// Deliveries in a lane's window: a page of a line that is read and kept in memory, about 25 KB.
pub const WINDOW_MAX: usize = 256;
/// Deliveries of which a lane remembers that their job was given up.
pub const FORWARDED_MAX: usize = 4_096;
/// Deliveries that people wait for at once on one connection; those above go by the line's order.
pub const URGENT_MAX: usize = 64;
/// How long a lane waits with a delivery that was not as it looked and looks the same again.
pub const DOUBT_MS: i64 = 5_000;
/// What a lease lasts beyond the attempt's timeout: time to start, to record, and to report.
pub const LEASE_MARGIN_MS: i64 = 10_000;
/// An attempt begins only if its lease lasts for so much longer than its timeout: two clocks may
/// differ by that.
pub const LEASE_LEFT_MS: i64 = 2_000;
/// How long a lane believes that somebody comes whom it has woken. A message that is late by more
/// is overtaken by another, which does no harm.
pub const WAKE_AGAIN_MS: i64 = 30_000;
/// How long a connection is watched after its last failure.
pub const WATCH_MS: i64 = 5 * 60_000;
/// How long a connection that answered slowly is served by its lane alone, unless it is quick
/// again.
pub const SLOW_FOR_MS: i64 = 5 * 60_000;
/// Deliveries that lanes hand out to one invocation at the most: each may cost a few statements.
pub const LANE_RUN_DELIVERIES: usize = 50;
/// After this long a run of a lane job starts nothing more. It runs in `waitUntil`, where work is
/// cut about 30 s after the handler returned.
pub const LANE_RUN_MS: i64 = 20_000;
/// A run of a lane job starts nothing that could end later than this.
pub const LANE_RUN_END_MS: i64 = 27_000;
/// Pages of a line that one run of a lane job reads in search of something that may start.
pub const LANE_RUN_PAGES: usize = 8;

/// Events of a history that one request reads: each may have a payload of 256 KiB.
pub const MOVED_AT_ONCE: usize = 20;
/// Open deliveries that the vitals of a shard look at.
pub const VITALS_LOOKED_AT: usize = 10_000;
/// Notices to operators that one run of the cron emits.
pub const NOTICES_AT_ONCE: usize = 100;
