//! The steps of running replays in a LOG shard.
//!
//! A step is one batch, and its row in `replay_steps` is the permission to do it: the batch moves
//! the replay on, makes the deliveries owed again and deletes the row. So a step is done once,
//! however often it is asked for. Canceling a replay deletes all its rows, so no step is done after
//! that.

use crate::domain::base::error::Result;
use crate::domain::base::limits::{REPLAYS_WOKEN, SWEEP_GRACE_MS};
use crate::domain::delivery::job::Step;
use crate::domain::delivery::state::{State, Transition};
use crate::domain::lane::queue::DeliveryKey;
use crate::ports::{Database, Param};
use crate::store::missing::still_missing;
use crate::store::row::{self, FromRow, Row};
use crate::store::{missing, run, select, statement};

/// Those deliveries of step `?3` of replay `?2` that are still as they were when it was created:
/// what somebody retried or erased meanwhile is left out. Of a replay that was stopped there are
/// none, also where the steps of a deleted workspace are still there.
macro_rules! still_chosen {
    () => {
        "from replays r cross join replay_steps s cross join json_each(s.deliveries) j \
           cross join deliveries d \
         where r.workspace = ?1 and r.id = ?2 and r.status <> 'canceled' \
           and s.workspace = r.workspace and s.replay = r.id and s.number = ?3 \
           and d.workspace = r.workspace and d.connection = j.value ->> 0 \
           and d.event = j.value ->> 1 and d.rule = j.value ->> 2 and d.open = 0 \
           and d.state = r.state \
           and not exists (select 1 from events e where e.workspace = d.workspace \
             and e.event = d.event and e.erased_at_ms is not null) "
    };
}

/// Takes the numbers for what goes to the tail of strict lines.
const TAKE_NUMBERS: &str = concat!(
    "update strict_counters set n = n + (select count(*) ",
    still_chosen!(),
    "and d.connection = strict_counters.connection) \
     where workspace = ?1 and connection in (select j.value ->> 0 \
       from replay_steps s cross join json_each(s.deliveries) j \
       where s.workspace = ?1 and s.replay = ?2 and s.number = ?3)"
);
/// Counts what the batch is about to make owed again.
const ADVANCE: &str = concat!(
    "update replays set position = position + 1, replayed = replayed + (select count(*) ",
    still_chosen!(),
    ") + (select count(*) ",
    still_missing!(),
    "), advanced_at_ms = ?4, \
       status = iif(exists (select 1 from replay_steps s where s.workspace = ?1 and s.replay = ?2 \
         and s.number = ?3 + 1), status, 'done'), \
       completed_at_ms = iif(exists (select 1 from replay_steps s where s.workspace = ?1 \
         and s.replay = ?2 and s.number = ?3 + 1), null, ?4) \
     where workspace = ?1 and id = ?2 and status = 'running' and position = ?3 \
     returning status = 'running' as goes_on"
);
/// The last delivery of a connection has the number that its counter shows. Without
/// `materialized` SQLite goes through all deliveries of the workspace for each of them.
const REPLAY: &str = concat!(
    "with chosen_lines as materialized (select d.workspace, d.connection, d.event, d.rule, \
       j.key as place, \
       r.created_by ",
    still_chosen!(),
    ") \
     update deliveries set state = ?4, open = 1, due_at_ms = ?5, sweep_at_ms = ?5 + ?6, \
       sweeps = 0, faults = 0, faulted_since_ms = null, reason = null, completed_at_ms = null, \
       asked_by = chosen_lines.created_by, attempts_before = attempts, owed_since_ms = ?5, \
       seq = (select c.n - (select count(*) from chosen_lines later_lines \
           where later_lines.connection = chosen_lines.connection \
             and later_lines.place > chosen_lines.place) \
         from strict_counters c \
         where c.workspace = ?1 and c.connection = chosen_lines.connection) \
     from chosen_lines \
     where deliveries.workspace = chosen_lines.workspace \
       and deliveries.connection = chosen_lines.connection \
       and deliveries.event = chosen_lines.event and deliveries.rule = chosen_lines.rule \
     returning connection, event, rule, attempts, payload_bytes"
);
const DELETE: &str =
    "delete from replay_steps where workspace = ?1 and replay = ?2 and number = ?3";

/// A delivery that is owed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The delivery.
    pub key: DeliveryKey,
    /// Attempts so far.
    pub attempts: u32,
    /// Bytes of its payload.
    pub payload_bytes: i64,
}

/// What a step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// Deliveries that are owed again, oldest first.
    pub replayed: Vec<Replayed>,
    /// Whether this call did the step, and there is another.
    pub goes_on: bool,
}

/// Does a step, if it is the next one of a replay that is running.
///
/// # Errors
/// When the shard's answer is not known.
pub async fn step(log: &impl Database, step: &Step, now_ms: i64) -> Result<Stepped> {
    struct Advanced(bool);
    impl FromRow for Advanced {
        fn from_row(row: &mut Row) -> Self {
            Self(row.flag("goes_on"))
        }
    }
    let key =
        || -> [Param; 3] { [(&step.workspace).into(), (&step.replay).into(), step.number.into()] };
    let [workspace, replay, number] = key();
    let state = State::Failed.after(Transition::Replayed).as_str();
    let owed: [Param; 6] =
        [workspace, replay, number, state.into(), now_ms.into(), SWEEP_GRACE_MS.into()];
    let [workspace, replay, number] = key();
    let mut statements = vec![
        statement(TAKE_NUMBERS, key()),
        statement(ADVANCE, [workspace, replay, number, now_ms.into()]),
        statement(REPLAY, owed.clone()),
    ];
    statements.extend(missing::made(&key(), owed));
    statements.push(statement(DELETE, key()));
    let results = run(log, statements).await?;
    let mut rows = row::rows(&results[2])?;
    rows.extend(row::rows(&results[results.len() - 2])?);
    row::sort_by(&mut rows, &["event"]);
    let read = |row: &mut Row| Replayed {
        key: DeliveryKey {
            workspace: step.workspace.clone(),
            connection: row.text("connection"),
            event: row.text("event"),
            rule: row.int("rule"),
        },
        attempts: row.int("attempts"),
        payload_bytes: row.int("payload_bytes"),
    };
    let replayed = rows.iter_mut().map(read).collect();
    let advanced: Option<Advanced> = row::first(row::rows(&results[1])?)?;
    Ok(Stepped { replayed, goes_on: advanced.is_some_and(|Advanced(goes_on)| goes_on) })
}

/// The partial index is all of the table that a sweep reads.
const FORGOTTEN: &str = "\
    select workspace, id, position from replays indexed by replays_running \
    where status = 'running' and (workspace, id) > ('', '') and advanced_at_ms <= ?1 \
    order by workspace, id limit ?2";

/// The next steps of running replays of which none was done since `before_ms`.
///
/// # Errors
/// When the shard does not answer.
pub async fn forgotten(log: &impl Database, shard: u16, before_ms: i64) -> Result<Vec<Step>> {
    struct Next(String, String, u32);
    impl FromRow for Next {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("workspace"), row.text("id"), row.int("position"))
        }
    }
    let params = [before_ms.into(), REPLAYS_WOKEN.into()];
    let found = row::readable::<Next>(select(log, statement(FORGOTTEN, params)).await?);
    let step = |Next(workspace, replay, number)| Step { shard, workspace, replay, number };
    Ok(found.rows.into_iter().map(step).collect())
}
