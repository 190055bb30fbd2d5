//! The front door: one row for each endpoint, {method, path, who may call, how large a body}, and
//! the way every request takes: find the row, check the caller, read the body, call the handler,
//! and turn an error into its document last.

use serde_json::json;
use std::marker::PhantomData;

use futures_util::future::LocalBoxFuture;
use http::{HeaderMap, Method, StatusCode};

use crate::api::{
    cancellations, changes, connections, emit, erasures, event_types, events, health, integrations,
    machine_keys, mappings, metrics, organizations, publishable_keys, replays, rules, sessions,
    stats, transfers, usage, workspaces,
};
use crate::app::emit::grant::check_credential;
use crate::app::intake::ask;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::{
    API_BODY_BYTES_MAX, BULK_BODY_BYTES_MAX, EMIT_BODY_BYTES_MAX, FORM_BODY_BYTES_MAX,
};
use crate::domain::tenants::actor::Scope;
use crate::embed;
use crate::embed::frame::front::{self, Answered};
use crate::http::access::{self, Access, Caller};
use crate::http::{Call, Reply, Request, body, cost, large_bodies, problem, strangers};
use crate::ports::Platform;

/// What answers a call.
pub type Handler<P> = for<'a> fn(&'a P, &'a Call) -> LocalBoxFuture<'a, Result<Reply>>;

/// One endpoint.
pub struct Route<P: Platform> {
    /// Its method.
    pub method: Method,
    /// Its path, with `:name` for parameters.
    pub path: &'static str,
    /// How many bytes of it stand before its first parameter.
    fixed: usize,
    /// Who may call it.
    pub access: Access,
    /// Largest body it reads.
    pub body_bytes_max: usize,
    handler: Handler<P>,
}

/// How many bytes of a path stand before its first parameter.
const fn fixed(path: &str) -> usize {
    let (path, mut bytes) = (path.as_bytes(), 0);
    while bytes < path.len() && path[bytes] != b':' {
        bytes += 1;
    }
    bytes
}

/// Builds the rows. `$handler` is an async function of the platform and the call.
macro_rules! rows {
    ($($method:ident $path:literal $access:ident $body:ident $handler:path;)*) => {
        &[$(Route {
            method: Method::$method,
            path: $path,
            fixed: fixed($path),
            access: Access::$access,
            body_bytes_max: $body,
            handler: |platform, call| Box::pin($handler(platform, call)),
        }),*]
    };
}

/// All endpoints. The first row that fits a path decides, so one with a word stands above one with
/// a parameter in its place.
pub fn routes<P: Platform>() -> &'static [Route<P>] {
    Table::ROWS
}

struct Table<P>(PhantomData<P>);

impl<P: Platform> Table<P> {
    #[rustfmt::skip]
    const ROWS: &'static [Route<P>] = rows! {
        GET    "/health"                             Public  API_BODY_BYTES_MAX  health::get;
        GET    "/api/v1/health/keys"                 Admin   API_BODY_BYTES_MAX  health::keys;
        POST   "/api/v1/health/keys/reseal"          Admin   API_BODY_BYTES_MAX  health::reseal;
        POST   "/api/v1/organizations"               Admin   API_BODY_BYTES_MAX  organizations::create;
        GET    "/api/v1/organizations/:id"           Admin   API_BODY_BYTES_MAX  organizations::get;
        PATCH  "/api/v1/organizations/:id"           Admin   API_BODY_BYTES_MAX  organizations::patch;
        DELETE "/api/v1/organizations/:id"           Admin   API_BODY_BYTES_MAX  organizations::delete;
        GET    "/api/v1/organization"                Machine API_BODY_BYTES_MAX  organizations::get_own;
        PATCH  "/api/v1/organization"                Machine API_BODY_BYTES_MAX  organizations::patch_own;
        GET    "/api/v1/machine-keys"                Machine API_BODY_BYTES_MAX  machine_keys::list;
        POST   "/api/v1/machine-keys"                Machine API_BODY_BYTES_MAX  machine_keys::create;
        DELETE "/api/v1/machine-keys/:access_key"    Machine API_BODY_BYTES_MAX  machine_keys::revoke;
        GET    "/api/v1/workspaces"                  Machine API_BODY_BYTES_MAX  workspaces::list;
        POST   "/api/v1/workspaces"                  Machine API_BODY_BYTES_MAX  workspaces::create;
        GET    "/api/v1/workspaces/:id"              Machine API_BODY_BYTES_MAX  workspaces::get;
        PUT    "/api/v1/workspaces/:id"              Machine API_BODY_BYTES_MAX  workspaces::put;
        PATCH  "/api/v1/workspaces/:id"              Machine API_BODY_BYTES_MAX  workspaces::patch;
        DELETE "/api/v1/workspaces/:id"              Machine API_BODY_BYTES_MAX  workspaces::delete;
        PATCH  "/api/v1/workspaces/:id/publishable-key"
                                                     Machine API_BODY_BYTES_MAX  publishable_keys::patch;
        POST   "/api/v1/workspaces/:id/publishable-key/rotate"
                                                     Machine API_BODY_BYTES_MAX  publishable_keys::rotate;
        GET    "/api/v1/workspaces/:id/event-types"  Machine API_BODY_BYTES_MAX  event_types::of_workspace;
        GET    "/api/v1/workspaces/:id/resources"    Machine API_BODY_BYTES_MAX  event_types::resources;
        GET    "/api/v1/event-types"                 Machine API_BODY_BYTES_MAX  event_types::list;
        GET    "/api/v1/event-types/:key"            Machine API_BODY_BYTES_MAX  event_types::get;
        PUT    "/api/v1/event-types/:key"            Machine EMIT_BODY_BYTES_MAX event_types::put;
        PATCH  "/api/v1/event-types/:key"            Machine EMIT_BODY_BYTES_MAX event_types::patch;
        DELETE "/api/v1/event-types/:key"            Machine API_BODY_BYTES_MAX  event_types::delete;
        GET    "/api/v1/workspaces/:id/connections"  Machine API_BODY_BYTES_MAX  connections::list_of_workspace;
        GET    "/api/v1/workspaces/:id/rules"        Machine API_BODY_BYTES_MAX  rules::list_of_workspace;
        GET    "/api/v1/workspaces/:id/events"       Machine API_BODY_BYTES_MAX  events::list_of_workspace;
        GET    "/metrics"                            Admin   API_BODY_BYTES_MAX  metrics::get;
        GET    "/api/v1/workspaces/:id/history"      Machine API_BODY_BYTES_MAX  transfers::export;
        POST   "/api/v1/workspaces/:id/history"      Admin   BULK_BODY_BYTES_MAX transfers::import;
        GET    "/api/v1/workspaces/:id/replays"      Machine API_BODY_BYTES_MAX  replays::list;
        POST   "/api/v1/workspaces/:id/replays"      Machine API_BODY_BYTES_MAX  replays::create;
        POST   "/api/v1/workspaces/:id/cancellations"
                                                     Machine API_BODY_BYTES_MAX  cancellations::create;
        GET    "/api/v1/workspaces/:id/changes"      Machine API_BODY_BYTES_MAX  changes::list;
        POST   "/api/v1/workspaces/:id/erasures"     Machine API_BODY_BYTES_MAX  erasures::create;
        GET    "/api/v1/workspaces/:id/erasures/:erasure"
                                                     Machine API_BODY_BYTES_MAX  erasures::get;
        GET    "/api/v1/workspaces/:id/stats"        Machine API_BODY_BYTES_MAX  stats::of_workspace;
        GET    "/api/v1/stats"                       Machine API_BODY_BYTES_MAX  stats::of_organization;
        GET    "/api/v1/usage"                       Machine API_BODY_BYTES_MAX  usage::list;
        GET    "/api/v1/replays/:id"                 Machine API_BODY_BYTES_MAX  replays::get;
        DELETE "/api/v1/replays/:id"                 Machine API_BODY_BYTES_MAX  replays::cancel;
        GET    "/api/v1/connections"                 Machine API_BODY_BYTES_MAX  connections::list;
        POST   "/api/v1/connections"                 Machine API_BODY_BYTES_MAX  connections::create;
        GET    "/api/v1/connections/:id"             Machine API_BODY_BYTES_MAX  connections::get;
        PUT    "/api/v1/connections/:id"             Machine API_BODY_BYTES_MAX  connections::put;
        PATCH  "/api/v1/connections/:id"             Machine API_BODY_BYTES_MAX  connections::patch;
        POST   "/api/v1/connections/:id/probe"       Machine API_BODY_BYTES_MAX  connections::probe;
        POST   "/api/v1/connections/:id/activate"    Machine API_BODY_BYTES_MAX  connections::activate;
        POST   "/api/v1/connections/:id/deactivate"  Machine API_BODY_BYTES_MAX  connections::deactivate;
        POST   "/api/v1/connections/:id/test"        Machine EMIT_BODY_BYTES_MAX connections::test;
        POST   "/api/v1/connections/:id/secret/rotate"
                                                     Machine API_BODY_BYTES_MAX  connections::rotate;
        DELETE "/api/v1/connections/:id"             Machine API_BODY_BYTES_MAX  connections::delete;
        GET    "/api/v1/connections/:id/deliveries"  Machine API_BODY_BYTES_MAX  connections::list_deliveries;
        GET    "/api/v1/connections/:id/actions"     Machine API_BODY_BYTES_MAX  integrations::actions;
        GET    "/api/v1/connections/:id/fields"      Machine API_BODY_BYTES_MAX  mappings::fields;
        GET    "/api/v1/connections/:id/mappings/default"
                                                     Machine API_BODY_BYTES_MAX  mappings::get;
        PUT    "/api/v1/connections/:id/mappings/default"
                                                     Machine API_BODY_BYTES_MAX  mappings::put;
        GET    "/api/v1/integrations"                Machine API_BODY_BYTES_MAX  integrations::list;
        GET    "/api/v1/rules"                       Machine API_BODY_BYTES_MAX  rules::list;
        POST   "/api/v1/rules"                       Machine API_BODY_BYTES_MAX  rules::create;
        POST   "/api/v1/rules/test-filter"           Machine EMIT_BODY_BYTES_MAX rules::test_filter;
        POST   "/api/v1/rules/:id/preview"           Machine EMIT_BODY_BYTES_MAX rules::preview;
        GET    "/api/v1/rules/:id"                   Machine API_BODY_BYTES_MAX  rules::get;
        PATCH  "/api/v1/rules/:id"                   Machine API_BODY_BYTES_MAX  rules::patch;
        DELETE "/api/v1/rules/:id"                   Machine API_BODY_BYTES_MAX  rules::delete;
        POST   "/api/v1/events"                      Emit    EMIT_BODY_BYTES_MAX emit::single;
        POST   "/api/v1/events/bulk"                 Emit    BULK_BODY_BYTES_MAX emit::bulk;
        GET    "/api/v1/events"                      Machine API_BODY_BYTES_MAX  events::list;
        GET    "/api/v1/events/:id"                  Machine API_BODY_BYTES_MAX  events::get;
        GET    "/api/v1/events/:id/payload"          Machine API_BODY_BYTES_MAX  events::payload;
        DELETE "/api/v1/events/:id/payload"          Machine API_BODY_BYTES_MAX  erasures::payload;
        POST   "/api/v1/events/:id/rules/:rule_id/retry"
                                                     Machine API_BODY_BYTES_MAX  events::retry;
        POST   "/api/v1/events/:id/rules/:rule_id/cancel"
                                                     Machine API_BODY_BYTES_MAX  events::cancel_delivery;
        POST   "/api/v1/events/:id/cancel"           Machine API_BODY_BYTES_MAX  events::cancel;
        GET    "/api/v1/events/:id/rules/:rule_id/attempts"
                                                     Machine API_BODY_BYTES_MAX  events::attempts;
        GET    "/api/v1/events/:id/rules/:rule_id/attempts/:n"
                                                     Machine API_BODY_BYTES_MAX  events::attempt;
        GET    "/api/v1/events/:id/rules/:rule_id/attempts/:n/response-details"
                                                     Machine API_BODY_BYTES_MAX  events::response_details;
        GET    "/api/v1/messages/:message_id"        Machine API_BODY_BYTES_MAX  events::message;
        GET    "/api/v1/sessions"                    Machine API_BODY_BYTES_MAX  sessions::list;
        POST   "/api/v1/sessions"                    Machine API_BODY_BYTES_MAX  sessions::create;
        POST   "/api/v1/sessions/:id/refresh"        Machine API_BODY_BYTES_MAX  sessions::refresh;
        DELETE "/api/v1/sessions/:id"                Machine API_BODY_BYTES_MAX  sessions::revoke;
        GET    "/embed.js"                           Public  API_BODY_BYTES_MAX  embed::frame::assets::loader;
        GET    "/embed/embed.js"                     Public  API_BODY_BYTES_MAX  embed::frame::assets::script;
        GET    "/embed/embed.css"                    Public  API_BODY_BYTES_MAX  embed::frame::assets::stylesheet;
        GET    "/embed/s/:session/launch"            SessionToken API_BODY_BYTES_MAX embed::frame::launch::launch;
        POST   "/embed/s/:session/auth"              SessionToken API_BODY_BYTES_MAX embed::frame::launch::auth;
        GET    "/embed/s/:session/live/events"       Poll    API_BODY_BYTES_MAX  embed::frame::live::list;
        GET    "/embed/s/:session/live/events/:id"   Poll    API_BODY_BYTES_MAX  embed::frame::live::event;
        GET    "/embed/s/:session/live/connections/:id"
                                                     Poll    API_BODY_BYTES_MAX  embed::frame::live::connection;
        GET    "/embed/s/:session/live/replays/:id"  Poll    API_BODY_BYTES_MAX  embed::frame::live::replay;
        GET    "/embed/s/:session"                   Overview API_BODY_BYTES_MAX  embed::frame::launch::first;
        POST   "/embed/s/:session/theme"             Overview API_BODY_BYTES_MAX  embed::frame::launch::theme;
        GET    "/embed/s/:session/dashboard"         Overview API_BODY_BYTES_MAX  embed::dashboard::get;
        GET    "/embed/s/:session/connections"       ViewAll API_BODY_BYTES_MAX  embed::connections::list::list;
        GET    "/embed/s/:session/connections/new"   Manage  API_BODY_BYTES_MAX  embed::connections::list::new;
        POST   "/embed/s/:session/connections/new"   Manage  API_BODY_BYTES_MAX  embed::connections::list::create;
        GET    "/embed/s/:session/connections/:id"   ViewAll API_BODY_BYTES_MAX  embed::connections::page::get;
        GET    "/embed/s/:session/connections/:id/edit"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::list::edit;
        POST   "/embed/s/:session/connections/:id/edit"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::list::update;
        GET    "/embed/s/:session/connections/:id/activate"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::page::ask_to_cancel_held;
        POST   "/embed/s/:session/connections/:id/activate"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::page::activate;
        POST   "/embed/s/:session/connections/:id/probe"
                                                     Test    API_BODY_BYTES_MAX  embed::connections::page::probe;
        POST   "/embed/s/:session/connections/:id/deactivate"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::page::deactivate;
        GET    "/embed/s/:session/connections/:id/delete"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::page::ask_to_delete;
        POST   "/embed/s/:session/connections/:id/delete"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::page::delete;
        GET    "/embed/s/:session/connections/:id/secret"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::secret::form;
        POST   "/embed/s/:session/connections/:id/secret"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::secret::rotate;
        GET    "/embed/s/:session/connections/:id/secret/end-overlap"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::secret::ask_to_end_overlap;
        POST   "/embed/s/:session/connections/:id/secret/end-overlap"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::secret::end_overlap;
        GET    "/embed/s/:session/connections/:id/mapping"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::mapping::form;
        POST   "/embed/s/:session/connections/:id/mapping"
                                                     Manage  API_BODY_BYTES_MAX  embed::connections::mapping::save;
        GET    "/embed/s/:session/connections/:id/verification"
                                                     ViewAll API_BODY_BYTES_MAX  embed::connections::page::verification;
        GET    "/embed/s/:session/connections/:id/test"
                                                     Test    API_BODY_BYTES_MAX  embed::connections::test_event::form;
        POST   "/embed/s/:session/connections/:id/test"
                                                     Test    FORM_BODY_BYTES_MAX embed::connections::test_event::send;
        GET    "/embed/s/:session/event-types"       View    API_BODY_BYTES_MAX  embed::event_types::list;
        GET    "/embed/s/:session/changes"           Manage  API_BODY_BYTES_MAX  embed::changes::list;
        GET    "/embed/s/:session/rules"             View    API_BODY_BYTES_MAX  embed::rules::list;
        POST   "/embed/s/:session/rules"             ManageRules API_BODY_BYTES_MAX embed::rules::create;
        GET    "/embed/s/:session/rules/:id"         ManageRules API_BODY_BYTES_MAX embed::rules::edit;
        POST   "/embed/s/:session/rules/:id"         ManageRules API_BODY_BYTES_MAX embed::rules::update;
        POST   "/embed/s/:session/rules/:id/delete"  ManageRules API_BODY_BYTES_MAX embed::rules::delete;
        GET    "/embed/s/:session/events"            View    API_BODY_BYTES_MAX  embed::history::events::list;
        GET    "/embed/s/:session/events/export"     View    API_BODY_BYTES_MAX  embed::history::export::get;
        GET    "/embed/s/:session/events/:id"        View    API_BODY_BYTES_MAX  embed::history::event::get;
        GET    "/embed/s/:session/events/:id/payload"
                                                     View    API_BODY_BYTES_MAX  embed::history::payload::download;
        POST   "/embed/s/:session/events/:id/rules/:rule_id/retry"
                                                     Act     API_BODY_BYTES_MAX  embed::history::delivery::retry;
        GET    "/embed/s/:session/events/:id/rules/:rule_id/cancel"
                                                     Act     API_BODY_BYTES_MAX  embed::history::delivery::ask_to_cancel;
        POST   "/embed/s/:session/events/:id/rules/:rule_id/cancel"
                                                     Act     API_BODY_BYTES_MAX  embed::history::delivery::cancel;
        GET    "/embed/s/:session/events/:id/rules/:rule_id/attempts/:n"
                                                     View    API_BODY_BYTES_MAX  embed::history::event::attempt;
        GET    "/embed/s/:session/failed"              View    API_BODY_BYTES_MAX  embed::history::failed::list;
        GET    "/embed/s/:session/replays"           ViewAll API_BODY_BYTES_MAX  embed::history::replays::list;
        POST   "/embed/s/:session/replays"           Replay  API_BODY_BYTES_MAX  embed::history::replays::create;
        GET    "/embed/s/:session/replays/new"       Replay  API_BODY_BYTES_MAX  embed::history::replays::new;
        POST   "/embed/s/:session/replays/new"       Replay  API_BODY_BYTES_MAX  embed::history::replays::preview;
        GET    "/embed/s/:session/replays/:id"       ViewAll API_BODY_BYTES_MAX  embed::history::replays::get;
        POST   "/embed/s/:session/replays/:id/stop"  Replay  API_BODY_BYTES_MAX  embed::history::replays::stop;
    };
}

/// The head of a request: what is known before the body is read.
#[derive(Debug, Clone)]
pub struct Head {
    /// Method.
    pub method: Method,
    /// Scheme, host and port that were called.
    pub origin: String,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query without the question mark.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
}

/// The rows of a path, one for each method, and the values of its parameters.
struct Found<P: Platform> {
    rows: Vec<&'static Route<P>>,
    params: Vec<(String, String)>,
}

impl<P: Platform> Found<P> {
    /// Whether browsers may call this path from anywhere: those that take an emit credential.
    fn is_emit(&self) -> bool {
        self.rows.iter().any(|row| row.access == Access::Emit)
    }
}

/// Answers a request. `read_body` reads at most the given number of bytes of the body; it is
/// called only after the caller was checked.
pub async fn serve<P: Platform>(
    platform: &P,
    head: Head,
    read_body: impl AsyncFnOnce(usize) -> Result<Vec<u8>>,
) -> Reply {
    let request_id = request_id(platform, &head);
    let path = normalize_path(&head.path);
    let found = find(&path);
    let is_emit = found.as_ref().is_some_and(Found::is_emit);
    // HEAD is GET without the body (RFC 9110, section 9.3.2), and uses up nothing.
    let is_head = head.method == Method::HEAD;
    let method = if is_head { Method::GET } else { head.method.clone() };
    let head = Head { method: method.clone(), ..head };
    let reply = match found {
        None if path.starts_with("/embed/") => {
            front::no_such_page(platform, &without_body(head)).await
        }
        None => problem::reply(&problem::no_such_path(), &request_id),
        Some(_) if is_emit && method == Method::OPTIONS => preflight(&head.headers),
        Some(Found { rows, .. }) if is_head && rows.iter().any(is_one_use) => {
            Reply::empty(StatusCode::OK)
        }
        // What a browser fetches beforehand is thrown away if it is no success.
        Some(Found { rows, .. }) if is_prefetch(&head) && rows.iter().any(is_one_use) => {
            Reply::empty(StatusCode::SERVICE_UNAVAILABLE)
        }
        Some(Found { rows, params }) => match rows.iter().find(|row| row.method == method) {
            Some(row) if row.access.is_embed() => {
                let Answered { reply, error } =
                    answer_in_embed(platform, row, params, head, read_body).await;
                if let Some(error) = error {
                    log_failure(platform, &method, &path, &request_id, &error);
                }
                reply
            }
            Some(row) => {
                let answer = answer(platform, row, params, head, read_body).await;
                answer.unwrap_or_else(|error| {
                    log_failure(platform, &method, &path, &request_id, &error);
                    problem::reply(&error, &request_id)
                })
            }
            None if method == Method::GET && path.starts_with("/embed/s/") => {
                front::no_such_page(platform, &without_body(head)).await
            }
            None => {
                let mut allowed: Vec<Method> = rows.iter().map(|row| row.method.clone()).collect();
                if allowed.contains(&Method::GET) {
                    allowed.push(Method::HEAD);
                }
                problem::method_not_allowed(&allowed, &request_id)
            }
        },
    };
    let mut reply = reply.with_header("x-request-id", &request_id);
    if is_head {
        reply.body.clear();
    }
    if is_emit { readable_anywhere(reply) } else { reply }
}

/// A request as far as it is known before its body is read.
fn without_body(head: Head) -> Request {
    let Head { method, origin, path, query, headers } = head;
    Request { method, origin, path, query, headers, body: Vec::new() }
}

/// Whether a browser only thinks that somebody may want this.
fn is_prefetch(head: &Head) -> bool {
    head.headers
        .get("sec-purpose")
        .is_some_and(|purpose| purpose.to_str().is_ok_and(|purpose| purpose.contains("prefetch")))
}

/// Whether a row takes a token that can be used once.
fn is_one_use<P: Platform>(row: &&Route<P>) -> bool {
    row.access == Access::SessionToken && row.method == Method::GET
}

/// The rows of the first path in the table that fits.
fn find<P: Platform>(path: &str) -> Option<Found<P>> {
    // Nearly all rows begin differently, which costs less than to take both paths apart.
    let begins = |row: &&Route<P>| path.as_bytes().starts_with(&row.path.as_bytes()[..row.fixed]);
    let fitting = |row: &Route<P>| Some((row.path, fit(row.path, path)?));
    let (fitting, params) = routes().iter().filter(begins).find_map(fitting)?;
    let rows = routes().iter().filter(|row| row.path == fitting).collect();
    Some(Found { rows, params })
}

async fn answer<P: Platform>(
    platform: &P,
    row: &Route<P>,
    params: Vec<(String, String)>,
    head: Head,
    read_body: impl AsyncFnOnce(usize) -> Result<Vec<u8>>,
) -> Result<Reply> {
    let request = without_body(head);
    let address = strangers::address(&request).to_owned();
    match answer_checked(platform, row, params, request, read_body).await {
        Err(error) => Err(strangers::refused(platform, &address, error).await),
        answered => answered,
    }
}

async fn answer_checked<P: Platform>(
    platform: &P,
    row: &Route<P>,
    params: Vec<(String, String)>,
    mut request: Request,
    read_body: impl AsyncFnOnce(usize) -> Result<Vec<u8>>,
) -> Result<Reply> {
    let is_change = is_change(&request.method);
    let caller = access::authenticate(platform, row.access, &request).await?;
    // An emit's key is checked with the one read that its event needs, after the body; but a body
    // that may be large is read for those only who may send it.
    if let Caller::Emitter(credential) = &caller
        && !body::is_small(&request.headers)
    {
        check_credential(platform, credential).await?;
    }
    cost::check(platform, row.path, &request, &caller).await?;
    large_bodies::wait(platform, &request, &caller).await?;
    request.body = read_body(row.body_bytes_max).await?;
    large_bodies::count(platform, &request, &caller);
    let answer = handle(platform, row, &Call { request, caller, params }).await;
    answer.map_err(|error| if is_change { error.of_change() } else { error })
}

/// Lets the handler of a row answer. An event that it did not find may be at the intake still: then
/// it looks again. What was not found was not changed.
async fn handle<P: Platform>(platform: &P, row: &Route<P>, call: &Call) -> Result<Reply> {
    let answer = (row.handler)(platform, call).await;
    let is_missing = matches!(&answer, Err(error) if error.kind == Kind::NotFound);
    let Some((event, scope)) = event_of(row, call).filter(|_| is_missing) else { return answer };
    if ask::may_be_found(platform, &scope, &event).await? {
        return (row.handler)(platform, call).await;
    }
    answer
}

/// The event that a row is about, and what its caller sees.
fn event_of<P: Platform>(row: &Route<P>, call: &Call) -> Option<(String, Scope)> {
    let event = if row.path.contains("/events/:id") {
        ids::parse_uuid(call.param("id"))
    } else if row.path.contains("/messages/:message_id") {
        ids::parse_message_id(call.param("message_id")).map(|(event, _)| event)
    } else {
        None
    };
    let machine = call.caller.machine().ok().cloned();
    let actor = machine.or_else(|| call.caller.visit().ok().map(|visit| visit.session.actor()));
    event.zip(actor.map(|actor| actor.scope))
}

/// The embed lets its callers in itself and answers with pages, errors included.
async fn answer_in_embed<P: Platform>(
    platform: &P,
    row: &Route<P>,
    params: Vec<(String, String)>,
    head: Head,
    read_body: impl AsyncFnOnce(usize) -> Result<Vec<u8>>,
) -> Answered {
    let request = without_body(head);
    let session = params.iter().find(|(name, _)| name == "session");
    let session = session.map(|(_, id)| id.clone()).unwrap_or_default();
    if front::cookie(&request, &session).is_none()
        && let Err(error) = strangers::check(platform, strangers::address(&request)).await
    {
        return front::failed(&request, None, error);
    }
    let caller = match front::admit(platform, row.access, &request, &session).await {
        Ok(caller) => caller,
        Err(answered) => return *answered,
    };
    if let Err(error) = cost::check(platform, row.path, &request, &caller).await {
        return front::failed(&request, caller.visit().ok(), error);
    }
    let mut call = Call { request, caller, params };
    let visit = call.caller.visit().ok().cloned();
    let is_change = is_change(&call.request.method);
    let answer = match read_body(row.body_bytes_max).await {
        Ok(body) => {
            call.request.body = body;
            match front::check_form(&call) {
                Ok(()) => handle(platform, row, &call).await,
                Err(error) => Err(error),
            }
        }
        Err(error) => Err(error),
    };
    match answer {
        Ok(reply) => Answered { reply, error: None },
        Err(error) if is_change => front::failed(&call.request, visit.as_ref(), error.of_change()),
        Err(error) => front::failed(&call.request, visit.as_ref(), error),
    }
}

/// Whether a request with this method changes something.
fn is_change(method: &Method) -> bool {
    *method != Method::GET && *method != Method::HEAD
}

/// The values of a row's parameters if `path` fits the row's path.
fn fit(row_path: &str, path: &str) -> Option<Vec<(String, String)>> {
    let (mut params, mut parts) = (Vec::new(), path.split('/'));
    for word in row_path.split('/') {
        let part = parts.next()?;
        match word.strip_prefix(':') {
            Some(name) => params.push((name.to_owned(), part.to_owned())),
            None if word == part => {}
            None => return None,
        }
    }
    parts.next().is_none().then_some(params)
}

/// Clients with a base URL that ends in `/` call `/api/v1//events`.
fn normalize_path(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

/// The caller's request id if it is a plain word, else a new one.
fn request_id<P: Platform>(platform: &P, head: &Head) -> String {
    let given = head.headers.get("x-request-id").and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !id.is_empty() && id.len() <= 64 && id.chars().all(allowed)
    };
    given.filter(plain).map_or_else(|| ids::record_id(platform.bytes()), str::to_owned)
}

/// Lets browsers' pages of any origin read an answer.
fn readable_anywhere(reply: Reply) -> Reply {
    reply.with_header("access-control-allow-origin", "*").with_header(
        "access-control-expose-headers",
        "idempotent-replayed, retry-after, x-request-id",
    )
}

/// Headers that browsers may send to the emit paths (the wire contract), beside what they ask for.
const CORS_HEADERS: &str =
    "x-meshes-publishable-key, x-meshes-client, content-type, idempotency-key, x-request-id";

fn preflight(asked: &HeaderMap) -> Reply {
    let more = asked.get("access-control-request-headers").and_then(|value| value.to_str().ok());
    let headers = more.map_or_else(|| CORS_HEADERS.to_owned(), |m| format!("{CORS_HEADERS}, {m}"));
    Reply::empty(StatusCode::NO_CONTENT)
        .with_header("access-control-allow-methods", "POST, OPTIONS")
        .with_header("access-control-allow-headers", &headers)
        .with_header("access-control-max-age", "86400")
}

fn log_failure<P: Platform>(
    platform: &P,
    method: &Method,
    path: &str,
    request_id: &str,
    error: &Error,
) {
    platform.log_event(&json!({"at": "request", "method": method.as_str(), "path": path,
        "request_id": request_id, "kind": format!("{:?}", error.kind), "message": error.message,
        "detail": error.detail}));
}
