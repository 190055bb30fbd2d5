//! The one CONTROL read of an emit: who holds the key, where the workspace's events live, and which
//! rules could match.

use serde_json::json;

use crate::domain::base::error::Result;
use crate::domain::base::limits::ROUTING_PATTERNS;
use crate::domain::base::secret::Sealed;
use crate::domain::base::storage::StorageLevel;
use crate::domain::routing::rule::Rule;
use crate::domain::tenants::key_limits::KeyLimits;
use crate::domain::tenants::routing::{KeyRouting, Routing};
use crate::domain::tenants::workspace::WorkspaceLocation;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{run, select, statement};

impl FromRow for Routing {
    fn from_row(row: &mut Row) -> Self {
        let workspace = row.text("workspace");
        let home =
            WorkspaceLocation { workspace, number: row.int("number"), shard: row.int("shard") };
        Self {
            home,
            rules: row.rows_by("rules", "number"),
            full_until_ms: row.maybe_int("full_until_ms"),
            is_suspended: row.flag("is_suspended"),
            passes_trace: row.flag("trace_context"),
            storage: StorageLevel::of(row.maybe_int("shard_bytes").unwrap_or_default()),
        }
    }
}

/// A machine key with one of the workspaces, if the organization has any of them.
struct OfMachineKey {
    secret: Sealed,
    routing: Option<Routing>,
}

impl FromRow for OfMachineKey {
    fn from_row(row: &mut Row) -> Self {
        let found = row.flag("found");
        Self { secret: Sealed::from_row(row), routing: found.then(|| Routing::from_row(row)) }
    }
}

impl FromRow for Rule {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            number: row.int("number"),
            active: row.flag("active"),
            connection: row.text("connection"),
            kind: row.text("kind"),
            connection_active: row.flag("connection_active"),
            is_strict: row.flag("is_strict"),
            is_throttled: row.flag("is_throttled"),
            event: row.text("event"),
            resource: row.maybe_text("resource"),
            resource_id: row.maybe_text("resource_id"),
            filter: row.maybe_text("filter"),
        }
    }
}

/// Bytes of the shard of the workspace `w`.
macro_rules! shard_bytes {
    () => {
        "(select s.bytes from shards s where s.shard = w.shard) as shard_bytes, "
    };
}

/// The rules of the workspace `w` with the patterns that a parameter lists.
macro_rules! rules {
    ($patterns:literal) => {
        concat!(
            "(select json_group_array(json_object('id', r.id, 'number', r.number, \
                'connection', r.connection, 'kind', c.type, \
                'connection_active', c.active, 'event', r.event, 'active', r.active, \
                'is_strict', c.ordering = 'strict', \
                'is_throttled', c.max_per_second is not null or c.max_in_flight is not null, \
                'resource', r.resource, 'resource_id', r.resource_id, 'filter', r.filter)) \
              from rules r cross join connections c \
              where c.id = r.connection and r.workspace = w.id \
                and r.event in (select value from json_each(",
            $patterns,
            "))) as rules "
        )
    };
}

impl FromRow for KeyRouting {
    fn from_row(row: &mut Row) -> Self {
        let (routing, limits) = (Routing::from_row(row), KeyLimits::from_row(row));
        Self { routing, limits, expires_at_ms: row.maybe_int("expires_at_ms") }
    }
}

const BY_PUBLISHABLE_KEY: &str = concat!(
    "select w.id as workspace, w.number, w.shard, w.full_until_ms, k.events, k.origins, \
       k.expires_at_ms, \
       o.suspended_at_ms is not null as is_suspended, o.trace_context, ",
    shard_bytes!(),
    rules!("?2"),
    "from publishable_keys k join workspaces w on w.id = k.workspace \
       join organizations o on o.id = w.organization \
     where k.public_key = ?1 and (k.expires_at_ms is null or k.expires_at_ms > ?3)"
);

/// The routing of a publishable key's workspace, for the events that these patterns match, and the
/// key's limits; `None` when the key is not valid at `now_ms`.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find_by_publishable_key(
    control: &impl Database,
    public_key: &str,
    patterns: &[String],
    now_ms: i64,
) -> Result<Option<KeyRouting>> {
    let piece = |piece: String| {
        statement(BY_PUBLISHABLE_KEY, [public_key.into(), piece.into(), now_ms.into()])
    };
    let results = run(control, pieces(patterns).map(piece).collect()).await?;
    let mut whole: Option<KeyRouting> = None;
    for rows in &results {
        let read: Option<KeyRouting> = row::first(row::rows(rows)?)?;
        let Some(read) = read else { return Ok(None) };
        match &mut whole {
            Some(whole) => whole.routing.add_rules(read.routing.rules),
            None => whole = Some(read),
        }
    }
    Ok(whole)
}

/// The patterns in pieces: the rules of one are bounded ([`ROUTING_PATTERNS`]), so that the rules
/// of one workspace keep no other one's events from being read.
fn pieces(patterns: &[String]) -> impl Iterator<Item = String> {
    let none = patterns.is_empty().then(|| "[]".to_owned());
    let some = patterns.chunks(ROUTING_PATTERNS).map(|piece| json!(piece).to_string());
    none.into_iter().chain(some)
}

/// Adds what a piece says of a workspace. A rule is for one pattern, so it is in one piece.
fn add(all: &mut Vec<Routing>, piece: Routing) {
    match all.iter_mut().find(|known| known.home.workspace == piece.home.workspace) {
        Some(known) => known.add_rules(piece.rules),
        None => all.push(piece),
    }
}

const BY_WORKSPACE: &str = concat!(
    "select w.id as workspace, w.number, w.shard, w.full_until_ms, \
       o.suspended_at_ms is not null as is_suspended, o.trace_context, ",
    shard_bytes!(),
    rules!("?2"),
    "from json_each(?1) j cross join workspaces w on w.id = j.value \
       cross join organizations o on o.id = w.organization"
);

/// The routing of these workspaces, whoever has them, for the events that these patterns match: for
/// events of our own.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find(
    control: &impl Database,
    workspaces: &[&str],
    patterns: &[String],
) -> Result<Vec<Routing>> {
    let params = [json!(workspaces).to_string().into(), json!(patterns).to_string().into()];
    row::all(select(control, statement(BY_WORKSPACE, params)).await?)
}

const BY_MACHINE_KEY: &str = concat!(
    "select w.id is not null as found, w.id as workspace, w.number, w.shard, w.full_until_ms, \
       m.secret_sealed, o.suspended_at_ms is not null as is_suspended, o.trace_context, ",
    shard_bytes!(),
    rules!("?4"),
    "from machine_keys m join organizations o on o.id = m.organization \
       left join workspaces w on w.organization = m.organization \
       and w.id in (select value from json_each(?3)) \
     where m.access_key = ?2 and m.organization = ?1 and m.revoked_at_ms is null"
);

/// The sealed secret of a machine key and the routing of those of `workspaces` that its
/// organization has, for the events that these patterns match; `None` when it is not valid.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find_by_machine_key(
    control: &impl Database,
    organization: &str,
    access_key: &str,
    workspaces: &[&str],
    patterns: &[String],
) -> Result<Option<(Sealed, Vec<Routing>)>> {
    let workspaces = json!(workspaces).to_string();
    let piece = |piece: String| {
        let params =
            [organization.into(), access_key.into(), workspaces.as_str().into(), piece.into()];
        statement(BY_MACHINE_KEY, params)
    };
    let results = run(control, pieces(patterns).map(piece).collect()).await?;
    let (mut found, mut secret) = (Vec::new(), None);
    for rows in &results {
        let read: Vec<OfMachineKey> = row::all(row::rows(rows)?)?;
        for one in read {
            secret.get_or_insert(one.secret);
            one.routing.into_iter().for_each(|routing| add(&mut found, routing));
        }
    }
    Ok(secret.map(|secret| (secret, found)))
}
