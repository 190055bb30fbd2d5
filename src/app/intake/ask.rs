//! How the rest of the house reaches the intakes. A workspace has one, by its id.

use std::pin::pin;

use futures_util::future::{Either, join_all, select};
use serde_json::json;

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids;
use crate::domain::base::time::{DAY_MS, MINUTE_MS};
use crate::domain::intake::bounds::{
    FLUSH_OF_READ_MS, POKED_WITHIN_MS, ROUTING_CACHED_MS, STORED_WITHIN_MS, TOLD_WITHIN_MS,
};
use crate::domain::intake::messages::{Command, Part, PartReply, Reply, Status};
use crate::domain::tenants::actor::Scope;
use crate::ports::{Intakes, Platform, PortError};
use crate::store::workspaces;

/// Seconds after which who was refused because too many keys are kept may try again: a part of
/// them is deleted each minute.
pub const FULL_OF_KEYS_S: u32 = 60;
/// Seconds after which who was refused because too much waits may try again.
pub const FULL_S: u32 = 2;

/// The number of a workspace's intake: the same as long as there are as many.
pub fn number_of<P: Platform>(platform: &P, workspace: &str) -> u16 {
    // FNV-1a.
    const BASIS: u32 = 0x811c_9dc5;
    const PRIME: u32 = 0x0100_0193;
    let hash =
        workspace.bytes().fold(BASIS, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME));
    let number = hash % u32::from(platform.settings().intakes.max(1));
    u16::try_from(number).unwrap_or(0)
}

/// Calls an intake. One that does not answer in time is left alone: what it does is not known.
async fn call<P: Platform>(
    platform: &P,
    number: u16,
    command: Command,
    within_ms: i64,
) -> std::result::Result<Reply, PortError> {
    let call = platform.intakes().call(number, command);
    match select(pin!(call), pin!(platform.sleep_ms(within_ms))).await {
        Either::Left((reply, _)) => reply,
        Either::Right(_) => Err(PortError(format!("no answer within {within_ms} ms"))),
    }
}

fn complain<P: Platform>(platform: &P, number: u16, PortError(error): &PortError) {
    platform.log_event(&json!({"at": "intake", "intake": number, "error": error}));
}

/// Stores the parts of an emit. An unknown result is asked for once more, which stores nothing
/// again. `may_be_there` is whether an earlier call may have stored them, and becomes so.
///
/// # Errors
/// `Unavailable` when it is not known that they were stored.
pub async fn emit<P: Platform>(
    platform: &P,
    number: u16,
    parts: Vec<Part>,
    may_be_there: &mut bool,
) -> Result<Vec<PartReply>> {
    let emit = |is_repeated| {
        let command = Command::Emit { parts: parts.clone(), is_repeated };
        call(platform, number, command, STORED_WITHIN_MS)
    };
    let reply = match emit(*may_be_there).await {
        Err(_) => {
            *may_be_there = true;
            emit(true).await
        }
        reply => reply,
    };
    match reply {
        Ok(Reply::Parts(replies)) if replies.len() == parts.len() => Ok(replies),
        Ok(_) => Err(Error::unavailable("an intake answered something else")),
        Err(PortError(text)) => Err(Error::unavailable(text)),
    }
}

/// Tells the intake of a workspace that its keys, rules or connections were changed, after that is
/// in CONTROL and before it is answered: from then on no emit is matched with what was before. What
/// the workspace has there is flushed, if LOG takes it. An intake that cannot be reached is waited
/// out: no isolate goes longer by what it read.
pub async fn changed<P: Platform>(platform: &P, workspace: &str) {
    let since_ms = platform.now_ms();
    if !tell(platform, workspace).await {
        outlive(platform, since_ms).await;
    }
}

/// The same without waiting; whether the intake knows.
pub async fn tell<P: Platform>(platform: &P, workspace: &str) -> bool {
    if platform.settings().intakes == 0 {
        return true;
    }
    let number = number_of(platform, workspace);
    let command = Command::Changed(workspace.to_owned());
    let told = call(platform, number, command, TOLD_WITHIN_MS).await;
    match told {
        Ok(Reply::Flushed(generation) | Reply::Behind(generation)) => {
            platform.routings().borrow_mut().learn(workspace, generation);
            true
        }
        Ok(_) => false,
        Err(error) => {
            complain(platform, number, &error);
            false
        }
    }
}

/// Waits until no isolate goes by what it read before: for changes of all workspaces of an
/// organization.
pub async fn changed_all<P: Platform>(platform: &P) {
    if platform.settings().intakes > 0 {
        outlive(platform, platform.now_ms()).await;
    }
}

async fn outlive<P: Platform>(platform: &P, since_ms: i64) {
    let rest_ms = since_ms + ROUTING_CACHED_MS - platform.now_ms();
    platform.sleep_ms(rest_ms.clamp(0, ROUTING_CACHED_MS)).await;
}

/// Has all that a workspace's intake holds of it flushed, for what acts on all events so far.
///
/// # Errors
/// `Unavailable` when LOG does not take what waits, or the intake does not answer.
pub async fn flushed<P: Platform>(platform: &P, workspace: &str) -> Result<()> {
    if platform.settings().intakes == 0 {
        return Ok(());
    }
    let number = number_of(platform, workspace);
    let command = Command::Flush(workspace.to_owned());
    match call(platform, number, command, FLUSH_OF_READ_MS + TOLD_WITHIN_MS).await {
        Ok(Reply::Flushed(_)) => Ok(()),
        Ok(_) => Err(Error::unavailable("what waits at the intake is not in LOG yet")),
        Err(PortError(error)) => Err(Error::unavailable(error)),
    }
}

/// Has what the intakes of these workspaces hold of them flushed, for a list that begins with the
/// newest: whether LOG has all of it then. Where it has not, the list lags.
pub async fn caught_up<P: Platform>(platform: &P, workspaces: &[&str]) -> bool {
    let all = workspaces.iter().map(|workspace| flushed(platform, workspace));
    join_all(all).await.iter().all(Result::is_ok)
}

/// Has an event brought to LOG that was not found there, if it may still be at the intake; whether
/// it is worth to look again.
///
/// # Errors
/// As [`flushed`]: it may be there, and cannot be seen.
pub async fn may_be_found<P: Platform>(platform: &P, scope: &Scope, event: &str) -> Result<bool> {
    let Some(number) = ids::workspace_number(event).filter(|_| may_wait(platform, event)) else {
        return Ok(false);
    };
    match workspaces::find_by_number(platform.control(), scope, number).await {
        Ok(workspace) => flushed(platform, &workspace.id).await.map(|()| true),
        Err(error) if error.kind == Kind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an event that LOG lacks may be at an intake: not when its id is old.
pub fn may_wait<P: Platform>(platform: &P, event: &str) -> bool {
    let now_ms = platform.now_ms();
    let is_new = |at_ms: i64| (now_ms - DAY_MS..now_ms + MINUTE_MS).contains(&at_ms);
    platform.settings().intakes > 0 && ids::time_of(event).is_some_and(is_new)
}

/// Asks every intake how things are, which also wakes what was left lying: `None` for one that does
/// not answer.
pub async fn poke_all<P: Platform>(platform: &P) -> Vec<Option<Status>> {
    let poke = async |number| match call(platform, number, Command::Poke, POKED_WITHIN_MS).await {
        Ok(Reply::Status(status)) => Some(status),
        Ok(_) => None,
        Err(error) => {
            complain(platform, number, &error);
            None
        }
    };
    join_all((0..platform.settings().intakes).map(poke)).await
}
