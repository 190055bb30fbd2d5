//! Calls to lanes, and the effects that a lane asks for.

use serde_json::json;

use crate::app::common::history_db;
use crate::domain::base::error::Result;
use crate::domain::base::limits::CANCEL_STEP;
use crate::domain::delivery::job::Message;
use crate::domain::lane::messages::{Command, ConsumerReport, Effect, Reply};
use crate::domain::lane::queue::{ConnectionQueue, QueuePosition, WaitingDelivery};
use crate::ports::{Jobs, Lanes, Platform, PortError};
use crate::store::{deliveries, lanes};

/// Tells a lane something; false when it is not known whether it heard.
pub async fn tell<P: Platform>(platform: &P, told: ConsumerReport) -> bool {
    let line = told.line.clone();
    heard(platform, &line, Command::Tell(told)).await
}

/// Makes a lane look at its line: something in it is overdue, or was changed by a person.
pub async fn nudge<P: Platform>(platform: &P, line: &ConnectionQueue) -> bool {
    heard(platform, line, Command::Nudge(line.clone())).await
}

/// Has a lane hand out a delivery at once; false when it is not known whether it heard.
pub async fn hurry<P: Platform>(
    platform: &P,
    line: &ConnectionQueue,
    delivery: WaitingDelivery,
) -> bool {
    heard(platform, line, Command::Hurry { line: line.clone(), delivery }).await
}

/// Whether a lane has handed a delivery out, so that an attempt at it is being made. One that does
/// not answer is taken to have not.
pub async fn is_leased<P: Platform>(
    platform: &P,
    line: &ConnectionQueue,
    place: QueuePosition,
) -> bool {
    let answer = ask(platform, line, Command::Ask(place)).await;
    answer.is_some_and(|reply| reply.is_leased)
}

/// Cancels a part of what a connection that is gone still owes, and forgets its lane.
///
/// # Errors
/// When LOG does not answer.
pub async fn abandon<P: Platform>(platform: &P, line: &ConnectionQueue) -> Result<()> {
    let (log, now_ms) = (history_db(platform, line.shard)?, platform.now_ms());
    let (workspace, connection) = (&line.workspace, &line.connection);
    deliveries::cancel_connection(log, workspace, connection, now_ms, CANCEL_STEP).await?;
    forget(platform, line).await
}

/// Empties the lane of a connection that is gone.
///
/// # Errors
/// When LOG does not answer.
pub async fn forget<P: Platform>(platform: &P, line: &ConnectionQueue) -> Result<()> {
    heard(platform, line, Command::Forget(line.clone())).await;
    lanes::delete(history_db(platform, line.shard)?, &line.workspace, &line.connection).await
}

/// What nobody hears is found by the sweeper.
async fn heard<P: Platform>(platform: &P, line: &ConnectionQueue, command: Command) -> bool {
    ask(platform, line, command).await.is_some()
}

async fn ask<P: Platform>(platform: &P, line: &ConnectionQueue, command: Command) -> Option<Reply> {
    let answer = platform.lanes().call(line, command).await;
    if let Err(PortError(error)) = &answer {
        platform.log_event(&json!({"at": "lane", "connection": line.connection, "error": error}));
    }
    answer.ok()
}

/// Carries out what a step of a lane asks for. A failure is logged: a wake-up that was not sent is
/// sent again when the alarm that the step armed goes off, and a mode that was not written is
/// written when somebody tells the lane what he read.
pub async fn carry_out<P: Platform>(platform: &P, line: &ConnectionQueue, effects: Vec<Effect>) {
    for effect in effects {
        let done = match effect {
            Effect::Wake => {
                let sent = platform.jobs().send(vec![Message::lane_text(line)], 0).await;
                sent.map_err(|PortError(error)| error)
            }
            Effect::SetMode(to) => match history_db(platform, line.shard) {
                Ok(log) => lanes::set_mode(log, line, &to).await.map_err(|e| e.to_string()),
                Err(error) => Err(error.to_string()),
            },
        };
        if let Err(error) = done {
            platform
                .log_event(&json!({"at": "lane", "connection": line.connection, "error": error}));
        }
    }
}
