//! Replays: deliveries of a range of time, failed, delivered, canceled or missing, are sent.
//!
//! The deliveries are chosen when a replay is created, and stored with it. Then one queue message
//! does one step and sends the message for the next step, some time later. The sweeper replaces a
//! message that is lost; one that is repeated, or comes too late, does nothing.

use serde_json::json;

use crate::app::common::{history_db, new_event_id};
use crate::app::delivery::wake::wake;
use crate::app::events::home_of;
use crate::app::intake::ask;
use crate::app::missing;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::{
    REPLAY_CONNECTIONS_MAX, REPLAY_FORGOTTEN_MS, REPLAY_STEP_S, SEND_BATCH_MAX,
};
use crate::domain::delivery::job::{Job, Message, Step};
use crate::domain::delivery::replay::{Counted, Selection, Status, Which};
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::workspace::WorkspaceLocation;
use crate::ports::{Jobs, Platform, PortError};
use crate::store::replays::{self, Replay};
use crate::store::{replay_steps, targets, together, workspaces};

/// What is to be replayed.
pub struct Wanted {
    /// Which deliveries.
    pub selection: Selection,
    /// Whether those of connections that pages leave out are left out, too.
    pub only_shown: bool,
}

/// Where a workspace lives, if it is in the actor's scope.
///
/// # Errors
/// `NotFound` when it is not; `Forbidden` for who may see one resource only.
pub async fn workspace<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
) -> Result<WorkspaceLocation> {
    if actor.scope.resource.is_some() {
        return Err(Error::new(Kind::Forbidden, "A replay is about all resources"));
    }
    Ok(workspaces::find(platform.control(), &actor.scope, id).await?.home())
}

/// How many deliveries a replay would be about.
///
/// # Errors
/// `Invalid` and `Refused` naming what is wrong with the range; `NotFound` when the workspace has
/// no such connection.
pub async fn preview<P: Platform>(
    platform: &P,
    home: &WorkspaceLocation,
    wanted: &Wanted,
) -> Result<usize> {
    ask::flushed(platform, &home.workspace).await?;
    let among = connections(platform, home, wanted).await?;
    if wanted.selection.which == Which::Missing {
        let found = missing::find(platform, home, &among, &wanted.selection).await?;
        return Counted { read: 0, chosen: found.len() }.checked();
    }
    let count = replays::count(&home.workspace, &among, &wanted.selection);
    count.run(history_db(platform, home.shard)?).await?.checked()
}

/// Creates a replay of what the range holds now. `id` is one that the caller chose, so that a form
/// which is sent twice makes one replay; `expected` the count that somebody agreed to.
///
/// # Errors
/// As [`preview`]; `Conflict` when the count is another than expected.
pub async fn create<P: Platform>(
    platform: &P,
    home: &WorkspaceLocation,
    actor: &Actor,
    wanted: Wanted,
    id: Option<String>,
    expected: Option<usize>,
) -> Result<Replay> {
    ask::flushed(platform, &home.workspace).await?;
    let among = connections(platform, home, &wanted).await?;
    let (log, what) = (history_db(platform, home.shard)?, wanted.selection);
    let (counted, chosen) = if what.which == Which::Missing {
        let found = missing::find(platform, home, &among, &what).await?;
        (Counted { read: 0, chosen: found.len() }, found)
    } else {
        let queries = (
            replays::count(&home.workspace, &among, &what),
            replays::choose(&home.workspace, &among, &what),
        );
        together(log, queries).await?
    };
    let count = counted.checked()?;
    if expected.is_some_and(|expected| expected != count) {
        return Err(Error::new(Kind::Conflict, "The number of deliveries has changed"));
    }
    let id = id.filter(|id| ids::workspace_number(id) == Some(home.number));
    let now_ms = platform.now_ms();
    let replay = Replay {
        id: id.unwrap_or_else(|| new_event_id(platform, home.number)),
        workspace: home.workspace.clone(),
        status: if count == 0 { Status::Completed } else { Status::Running },
        selection: what,
        count,
        replayed: 0,
        position: 0,
        created_by: actor.created_by.clone(),
        created_at_ms: now_ms,
        completed_at_ms: (count == 0).then_some(now_ms),
    };
    // Storing the same again changes nothing, so an unknown result is asked for once more.
    let stored = match replays::insert(log, &replay, &chosen).await {
        Err(error) if error.kind == Kind::Unavailable => {
            replays::insert(log, &replay, &chosen).await?
        }
        stored => stored?,
    };
    if stored.status == Status::Running {
        let (workspace, replay) = (stored.workspace.clone(), stored.id.clone());
        let number = stored.position;
        send(platform, vec![Step { shard: home.shard, workspace, replay, number }], 0).await;
    }
    Ok(stored)
}

/// The connections that the replay may be about.
async fn connections<P: Platform>(
    platform: &P,
    home: &WorkspaceLocation,
    wanted: &Wanted,
) -> Result<Vec<String>> {
    wanted.selection.check()?;
    let only = wanted.selection.connection.as_deref();
    let control = platform.control();
    let found = targets::ids(control, &home.workspace, only, wanted.only_shown).await?;
    if only.is_some() && found.is_empty() {
        return Err(Error::not_found("connection"));
    }
    if found.len() > REPLAY_CONNECTIONS_MAX {
        let msg = format!(
            "is required where a workspace has more than {REPLAY_CONNECTIONS_MAX} connections"
        );
        return Err(Error::field("connection", msg).of_kind(Kind::Refused));
    }
    Ok(found)
}

/// The newest replays of a workspace before the id `before`.
///
/// # Errors
/// `NotFound` when the actor has no such workspace.
pub async fn list<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    before: &str,
    limit: usize,
) -> Result<Vec<Replay>> {
    let home = workspace(platform, actor, id).await?;
    replays::list(id, before, limit).run(history_db(platform, home.shard)?).await
}

/// A replay.
///
/// # Errors
/// `NotFound` when the actor has none with this id.
pub async fn find<P: Platform>(platform: &P, actor: &Actor, id: &str) -> Result<Replay> {
    let home = home_of(platform, actor, id, "replay").await?;
    replays::find(&home.workspace, id).run(history_db(platform, home.shard)?).await
}

/// Stops a replay: what it has not come to stays as it is. One that is over stays what it is.
///
/// # Errors
/// `NotFound` when the actor has none with this id.
pub async fn cancel<P: Platform>(platform: &P, actor: &Actor, id: &str) -> Result<Replay> {
    let home = home_of(platform, actor, id, "replay").await?;
    replays::cancel(history_db(platform, home.shard)?, &home.workspace, id, platform.now_ms()).await
}

/// Does steps of replays. A failure is logged: the sweeper wakes the replay again.
pub async fn advance_all<P: Platform>(platform: P, steps: Vec<Step>) {
    for step in steps {
        if let Err(error) = advance(&platform, &step).await {
            let error = error.to_string();
            platform.log_event(&json!({"at": "replay", "replay": step.replay, "error": error}));
        }
    }
}

/// Does one step: its deliveries are owed again before they are woken, and the next step is sent by
/// who did this one. What is lost in between, the sweeper finds.
async fn advance<P: Platform>(platform: &P, step: &Step) -> Result<()> {
    let stepped =
        replay_steps::step(history_db(platform, step.shard)?, step, platform.now_ms()).await?;
    let job = |one: replay_steps::Replayed| {
        Job::new(step.shard, one.key, one.attempts + 1, one.payload_bytes)
    };
    let jobs: Vec<Job> = stepped.replayed.into_iter().map(job).collect();
    if let Err(error) = wake(platform, &jobs, 0).await {
        platform
            .log_event(&json!({"at": "replay", "replay": step.replay, "unsent_jobs": jobs.len(),
            "error": error.to_string()}));
    }
    if stepped.goes_on {
        let next = Step { number: step.number + 1, ..step.clone() };
        send(platform, vec![next], REPLAY_STEP_S).await;
    }
    Ok(())
}

/// Sends messages for steps. One that is not sent is the sweeper's.
async fn send<P: Platform>(platform: &P, steps: Vec<Step>, delay_s: u32) {
    for steps in steps.chunks(SEND_BATCH_MAX) {
        let texts = steps.iter().map(Message::replay_text).collect();
        if let Err(PortError(error)) = platform.jobs().send(texts, delay_s).await {
            platform
                .log_event(&json!({"at": "replay", "unsent_steps": steps.len(), "error": error}));
        }
    }
}

/// Wakes replays of a shard whose message was lost; after a restart all of them.
///
/// # Errors
/// When the shard does not answer.
pub async fn wake_forgotten<P: Platform>(
    platform: &P,
    shard: u16,
    after_restart: bool,
) -> Result<()> {
    let now_ms = platform.now_ms();
    let before_ms = if after_restart { now_ms } else { now_ms - REPLAY_FORGOTTEN_MS };
    let forgotten = replay_steps::forgotten(history_db(platform, shard)?, shard, before_ms).await?;
    send(platform, forgotten, 0).await;
    Ok(())
}
