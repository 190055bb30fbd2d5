//! Deliveries that are missing: events that by today's rules would owe more than they do, in a LOG
//! shard, the rules in CONTROL, and the step of a replay that makes such deliveries owed.

use serde_json::json;

use crate::domain::base::error::Result;
use crate::domain::routing::rule::Rule;
use crate::ports::{Database, Param, Statement};
use crate::store::rollups::reopen_days;
use crate::store::row::{self, FromRow, Row};
use crate::store::{select, statement};

/// Rules that one statement reads: with all filters of a workspace that is below a megabyte.
const RULES_AT_ONCE: usize = 500;

const RULES: &str = "\
    select r.id, r.number, r.active, r.connection, c.type as kind, \
      c.active as connection_active, c.ordering = 'strict' as is_strict, \
      c.max_per_second is not null as is_throttled, r.event, r.resource, r.resource_id, r.filter \
    from rules r cross join connections c \
    where r.workspace = ?1 and r.number > ?2 and r.active = 1 and c.id = r.connection \
    order by r.workspace, r.number limit ?3";

/// The active rules of a workspace, by number.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn rules(control: &impl Database, workspace: &str) -> Result<Vec<Rule>> {
    let mut all: Vec<Rule> = Vec::new();
    loop {
        let after = all.last().map_or(0, |rule| rule.number);
        let params = [workspace.into(), after.into(), RULES_AT_ONCE.into()];
        let found: Vec<Rule> = row::all(select(control, statement(RULES, params)).await?)?;
        let is_last = found.len() < RULES_AT_ONCE;
        all.extend(found);
        if is_last {
            return Ok(all);
        }
    }
}

/// An event as far as rules look at it without its payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owing {
    /// Its id.
    pub event: String,
    /// Its name.
    pub name: String,
    /// Kind of thing it is about.
    pub resource: Option<String>,
    /// Which one it is about.
    pub resource_id: Option<String>,
    /// Bytes of its payload.
    pub payload_bytes: usize,
    /// The numbers of the rules by which it owes something; 0 is that of test events.
    pub rules: Vec<u32>,
    /// Whether its payload was erased.
    pub is_erased: bool,
}

impl FromRow for Owing {
    fn from_row(row: &mut Row) -> Self {
        Self {
            event: row.text("event"),
            name: row.text("name"),
            resource: row.maybe_text("resource"),
            resource_id: row.maybe_text("resource_id"),
            payload_bytes: row.int("payload_bytes"),
            rules: row.json("rules"),
            is_erased: row.flag("is_erased"),
        }
    }
}

const EVENTS: &str = "\
    select e.event, e.name, e.resource, e.resource_id, e.payload_bytes, \
      e.erased_at_ms is not null as is_erased, \
      (select json_group_array(f.value ->> 'n') from json_each(e.fan_out) f) as rules \
    from events e where e.workspace = ?1 and e.event > ?2 and e.event < ?3 \
    order by e.workspace, e.event limit ?4";

/// The events of a workspace between two ids, the oldest first and at most `limit`.
///
/// # Errors
/// When the shard does not answer.
pub async fn events(
    log: &impl Database,
    workspace: &str,
    (after, end): (&str, &str),
    limit: usize,
) -> Result<Vec<Owing>> {
    let params = [workspace.into(), after.into(), end.into(), limit.into()];
    row::all(select(log, statement(EVENTS, params)).await?)
}

const PAYLOADS: &str = "\
    select e.event, coalesce((select p.payload from payloads p where p.id = e.payload_id), \
      e.payload) as payload \
    from json_each(?2) j cross join events e where e.workspace = ?1 and e.event = j.value";

/// The payloads of these events.
///
/// # Errors
/// When the shard does not answer.
pub async fn payloads(
    log: &impl Database,
    workspace: &str,
    events: &[&str],
) -> Result<Vec<(String, String)>> {
    struct Payload((String, String));
    impl FromRow for Payload {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("event"), row.text("payload")))
        }
    }
    let params = [workspace.into(), json!(events).to_string().into()];
    let found: Vec<Payload> = row::all(select(log, statement(PAYLOADS, params)).await?)?;
    Ok(found.into_iter().map(|payload| payload.0).collect())
}

/// Those deliveries of step `?3` of replay `?2` that are still not there. Of an event that was
/// erased meanwhile, and of a replay that was stopped, there are none.
macro_rules! still_missing {
    () => {
        "from replays r cross join replay_steps s cross join json_each(s.deliveries) j \
           cross join events e \
         where r.workspace = ?1 and r.id = ?2 and r.state = 'missing' \
           and r.status <> 'canceled' \
           and s.workspace = r.workspace and s.replay = r.id and s.number = ?3 \
           and e.workspace = r.workspace and e.event = j.value ->> 1 and e.erased_at_ms is null \
           and not exists (select 1 from deliveries d where d.workspace = e.workspace \
             and d.connection = j.value ->> 0 and d.event = e.event \
             and d.rule = j.value ->> 2) "
    };
}

pub(super) use still_missing;

/// Takes the numbers for what goes to the tail of strict lines.
const TAKE_NUMBERS: &str = concat!(
    "update strict_counters set n = n + (select count(*) ",
    still_missing!(),
    "and j.value ->> 0 = strict_counters.connection) \
     where workspace = ?1 and connection in (select j.value ->> 0 \
       from replays r cross join replay_steps s cross join json_each(s.deliveries) j \
       where r.workspace = ?1 and r.id = ?2 and r.state = 'missing' \
         and s.workspace = ?1 and s.replay = ?2 and s.number = ?3)"
);
const REOPEN_DAYS: &str = reopen_days!(
    "select ?1 as workspace, e.created_at_ms - e.created_at_ms % 86400000 as day_ms, \
       j.value ->> 0 as connection ",
    still_missing!()
);
/// The event owes them from now on, and its rules are no longer among those that did not match.
const OWE: &str = concat!(
    "update events set \
       fan_out = (select json_group_array(json(owed)) from ( \
         select f.value as owed from json_each(events.fan_out) f \
         union all \
         select json_object('n', j.value ->> 2, 'r', j.value ->> 3, 'c', j.value ->> 0, \
           't', j.value ->> 4) \
         from replay_steps s cross join json_each(s.deliveries) j \
         where s.workspace = ?1 and s.replay = ?2 and s.number = ?3 \
           and j.value ->> 1 = events.event \
           and not exists (select 1 from deliveries d where d.workspace = ?1 \
             and d.connection = j.value ->> 0 and d.event = events.event \
             and d.rule = j.value ->> 2)) lines), \
       unmatched = (select iif(count(*) = 0, null, json_group_array(json(f.value))) \
         from json_each(events.unmatched) f where f.value ->> 'n' not in (select j.value ->> 2 \
           from replay_steps s cross join json_each(s.deliveries) j \
           where s.workspace = ?1 and s.replay = ?2 and s.number = ?3 \
             and j.value ->> 1 = events.event)) \
     where workspace = ?1 and event in (select e.event ",
    still_missing!(),
    ")"
);
/// The last delivery of a connection has the number that its counter shows.
const INSERT: &str = concat!(
    "with missing_lines as materialized (select e.workspace, j.value ->> 0 as connection, \
       e.event, j.value ->> 2 as rule, j.key as place, e.payload_bytes, e.created_at_ms, \
       r.created_by ",
    still_missing!(),
    ") \
     insert into deliveries (workspace, connection, event, rule, state, open, due_at_ms, \
       sweep_at_ms, payload_bytes, created_at_ms, asked_by, owed_since_ms, seq) \
     select workspace, connection, event, rule, ?4, 1, ?5, ?5 + ?6, payload_bytes, created_at_ms, \
       created_by, ?5, (select c.n - (select count(*) from missing_lines later_lines \
           where later_lines.connection = missing_lines.connection \
             and later_lines.place > missing_lines.place) \
         from strict_counters c \
         where c.workspace = ?1 and c.connection = missing_lines.connection) \
     from missing_lines where true \
     returning connection, event, rule, attempts, payload_bytes"
);

/// The statements that make what is missing in a step owed, after the replay has counted it. The
/// last one answers what that is. Of another replay they do nothing.
pub(super) fn made(key: &[Param; 3], owed: [Param; 6]) -> [Statement; 4] {
    [
        statement(TAKE_NUMBERS, key.clone()),
        statement(REOPEN_DAYS, key.clone()),
        statement(OWE, key.clone()),
        statement(INSERT, owed),
    ]
}
