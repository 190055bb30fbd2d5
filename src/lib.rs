//! Posthorn: outbound webhooks at the edge.
//!
//! A product emits one event; every customer whose rule matches it receives a signed HTTPS
//! request. Posthorn owns fan-out, signing, retries and the delivery history. All of it is one
//! Cloudflare Worker: Durable Objects take in what is emitted, D1 holds the truth, a queue carries
//! wake-ups, a Durable Object for each connection keeps the order of retries, a cron sweeps up what
//! was lost.
//!
//! # The way of an event
//!
//! `POST /api/v1/events` → [`routes`] finds the row and checks the caller → [`api::emit`] reads
//! the body → [`app::emit`] matches it with the rules that the isolate read from CONTROL a moment
//! ago, and the workspace's intake ([`app::intake`], a Durable Object) stores it: that is the
//! answer. The intake brings events and the deliveries that they owe to LOG, many in one batch,
//! and sends jobs. The queue hands jobs to [`app::delivery::deliver`], which reads what they name,
//! signs and sends ([`app::delivery::attempt`], [`destinations`]) and records the result
//! ([`app::delivery::recorder`]). Jobs that were lost are found by [`app::upkeep::sweep`].
//!
//! # The way of a page
//!
//! The product asks for a session ([`api::sessions`]) and shows its launch URL in an iframe.
//! [`embed::frame::launch`] makes a cookie of the launch token; [`embed::frame::front`] lets every
//! later request in by it; a page reads what it shows and renders it.
//!
//! # The way of a retry
//!
//! A failure stays in LOG with its due time, and the connection's lane ([`domain::lane`], kept by a
//! Durable Object) gets a report. When it is due the lane's alarm sends a job, and the consumer
//! that gets it serves the line ([`app::delivery::lane_run`]): it asks the lane which deliveries to
//! start, settles them in LOG, reports the results, asks again. Connections whose order is strict
//! or that are throttled are served in this way only. A healthy connection never calls its lane.
//!
//! # The way of a statistic
//!
//! The cron counts deliveries by state, for each connection and day ([`app::upkeep::rollups`]), and
//! the API adds the counts up ([`app::stats`]). Emits and deliveries know nothing of it.
//!
//! # The map, from the ground up
//!
//! - [`domain`]: values and decisions. States of a delivery, retry times, signatures, the URL
//!   guard.
//! - [`destinations`]: how a connection and an event become a request.
//! - [`ports`]: the doors to clock, randomness, databases, queue, lanes and network, as traits.
//! - [`store`]: SQL, one noun per file.
//! - [`app`]: use cases, one per file.
//! - [`http`]: access, forms, errors as documents, cursors.
//! - [`api`]: JSON in, JSON out.
//! - [`embed`]: the pages that customers see inside the product.
//! - [`routes`]: the front door, one row for each endpoint.
//! - [`reference`](mod@reference): the documentation of the API, rendered into `public/` and in
//!   no wasm.
//! - `platform`: the roof, where the ports are opened on Workers.
//!
//! Each floor uses those below it and none above. The same noun has the same name on every floor:
//! to find all about connections, `ls src/*/connections.rs`. `tests/it/tidy.rs` holds the house to
//! it.
//!
//! # Invariants
//!
//! - Nothing below `platform` knows Workers; nothing below it reads a clock or draws randomness.
//! - No payload is ever parsed and written again. It is one text from the request to the receiver.
//! - A 2xx answer to an emit means that an intake has stored it for good, or LOG has. The queue
//!   holds nothing that D1 does not: jobs may be lost, repeated or reordered.
//! - An attempt is recorded only on a delivery that still owes this very attempt.
//! - A lane decides what starts next and never what is owed: all it knows may be lost.
//! - A secret is a [`domain::base::secret::Secret`] or sealed; neither can be serialized into an
//!   answer.
//! - What a caller may not see is 404 for it: finders take the [`domain::tenants::actor::Scope`] it
//!   acts in.
//! - A page of the embed costs at most three reads, and shows no secret but in the one answer that
//!   made it.

pub mod domain;

pub mod destinations;

pub mod ports;

pub mod store;

pub mod app;

pub mod http;

pub mod api;

pub mod embed;

pub mod routes;

pub mod reference;

mod platform;

pub use platform::api_reference;
