//! A delivery's states, and the one function that moves it from state to state.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::base::limits::SWEEP_GRACE_MS;
use crate::domain::base::time::MINUTE_MS;
use crate::domain::delivery::attempt::Outcome;
use crate::domain::delivery::retry::Schedule;

/// State of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum State {
    /// Owed, not tried.
    Pending,
    /// An attempt failed, the next is scheduled.
    Retrying,
    /// A 2xx was received.
    Delivered,
    /// Given up: the attempts are used up, or the receiver answered 410.
    Failed,
    /// Owed, and kept back because its connection is inactive.
    Held,
    /// Stopped: its connection was deleted, or what it held was canceled on activation.
    Canceled,
}

/// Why a delivery is dead or canceled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum EndReason {
    /// The receiver answered 410.
    Gone,
    /// The receiver asked by a header not to try it again.
    Aborted,
    /// The receiver refused it in a way that does not change.
    Rejected,
    /// All attempts of the schedule failed.
    AttemptsUsedUp,
    /// Posthorn itself could not send it for days.
    Internal,
    /// It was held for too long.
    HeldExpired,
    /// Its connection was deleted.
    ConnectionDeleted,
    /// A person canceled it.
    Canceled,
    /// The payload of its event was erased.
    Erased,
}

impl EndReason {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

/// What can happen to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transition {
    /// An attempt succeeded.
    Succeeded,
    /// An attempt failed and another is to come.
    AttemptFailed,
    /// An attempt failed and none is to come.
    GivenUp,
    /// The connection is inactive.
    Paused,
    /// The connection is active again.
    Released,
    /// It was canceled.
    Canceled,
    /// A person wants it sent once more.
    Replayed,
}

impl State {
    /// The state after `transition`. A settled delivery stays as it is until it is replayed, except
    /// that a success that arrives late is a success: the receiver has the event.
    pub fn after(self, transition: Transition) -> Self {
        match (self, transition) {
            (Self::Delivered | Self::Failed | Self::Canceled, Transition::Replayed) => {
                Self::Pending
            }
            (_, Transition::Replayed) => self,
            (Self::Delivered, _) | (_, Transition::Succeeded) => Self::Delivered,
            (Self::Failed | Self::Canceled, _) => self,
            (_, Transition::Canceled) => Self::Canceled,
            (_, Transition::GivenUp) => Self::Failed,
            (Self::Held, Transition::Released) => Self::Pending,
            // An attempt that was under way when the connection became inactive is recorded; the
            // next one waits.
            (Self::Held, _) | (_, Transition::Paused) => Self::Held,
            (_, Transition::AttemptFailed) => Self::Retrying,
            (Self::Pending | Self::Retrying, Transition::Released) => self,
        }
    }

    /// Whether it still owes an attempt.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Pending | Self::Retrying)
    }

    /// Whether something is about to happen: it is owed and due within a minute.
    pub fn is_busy(self, due_at_ms: Option<i64>, now_ms: i64) -> bool {
        self.is_open() && due_at_ms.is_none_or(|due_at_ms| due_at_ms - now_ms < MINUTE_MS)
    }

    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The word that the wire contract uses for it.
    pub fn status(self) -> &'static str {
        match self {
            Self::Pending | Self::Held => "pending",
            Self::Retrying => "retrying",
            Self::Delivered => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }
}

/// All statuses of events, in the words of the wire contract.
pub const STATUSES: [&str; 6] =
    ["pending", "processing", "retrying", "completed", "failed", "canceled"];

/// The status of an event over all its deliveries, in the words of the wire contract: what is still
/// to be done comes first, then what went wrong. An event that owes nothing is `completed`.
pub fn event_status(states: &[State]) -> &'static str {
    let any = |state| states.contains(&state);
    if any(State::Pending) || any(State::Held) {
        let untouched = states.iter().all(|state| matches!(state, State::Pending | State::Held));
        return if untouched { "pending" } else { "processing" };
    }
    if any(State::Retrying) {
        return "retrying";
    }
    if any(State::Failed) {
        return "failed";
    }
    let canceled = any(State::Canceled) && !any(State::Delivered);
    if canceled { "canceled" } else { "completed" }
}

/// What an attempt leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settlement {
    /// What happened to the delivery.
    pub transition: Transition,
    /// When the next attempt is due.
    pub due_at_ms: Option<i64>,
    /// When the sweeper has to take care of it.
    pub sweep_at_ms: Option<i64>,
}

impl Settlement {
    /// The same; where no attempt would follow, one does.
    pub fn or_wait(self, now_ms: i64) -> Self {
        if self.transition != Transition::GivenUp {
            return self;
        }
        let due_at_ms = now_ms + SWEEP_GRACE_MS;
        Self {
            transition: Transition::AttemptFailed,
            due_at_ms: Some(due_at_ms),
            sweep_at_ms: Some(due_at_ms + SWEEP_GRACE_MS),
        }
    }
}

/// What follows from the outcome of attempt number `attempt`, which ended at `now_ms`. `aborted`
/// says that the receiver wants no other attempt.
pub fn settle(
    schedule: &Schedule,
    attempt: u32,
    outcome: Outcome,
    aborted: bool,
    retry_after_ms: Option<i64>,
    message_id: &str,
    now_ms: i64,
) -> Settlement {
    let over = |transition| Settlement { transition, due_at_ms: None, sweep_at_ms: None };
    let next = match outcome {
        Outcome::Delivered => return over(Transition::Succeeded),
        Outcome::Gone => None,
        _ if aborted => None,
        _ => schedule.next_due_ms(attempt, now_ms, retry_after_ms, message_id),
    };
    let Some(due_at_ms) = next else { return over(Transition::GivenUp) };
    // The lane wakes it when it is due; the sweeper leaves it time.
    let sweep_at_ms = Some(due_at_ms + SWEEP_GRACE_MS);
    Settlement { transition: Transition::AttemptFailed, due_at_ms: Some(due_at_ms), sweep_at_ms }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_happening() {
        use State::{Delivered, Failed, Held, Pending, Retrying};
        use Transition::{AttemptFailed, GivenUp, Paused, Released, Replayed, Succeeded};
        for (transition, expected) in [
            (Succeeded, [Delivered; 6]),
            (AttemptFailed, [Retrying, Retrying, Delivered, Failed, Held, State::Canceled]),
            (GivenUp, [Failed, Failed, Delivered, Failed, Failed, State::Canceled]),
            (Paused, [Held, Held, Delivered, Failed, Held, State::Canceled]),
            (Released, [Pending, Retrying, Delivered, Failed, Pending, State::Canceled]),
            (Replayed, [Pending, Retrying, Pending, Pending, Held, Pending]),
            (
                Transition::Canceled,
                [
                    State::Canceled,
                    State::Canceled,
                    Delivered,
                    Failed,
                    State::Canceled,
                    State::Canceled,
                ],
            ),
        ] {
            assert_eq!(
                State::VARIANTS.iter().map(|state| state.after(transition)).collect::<Vec<_>>(),
                expected,
                "{transition:?}"
            );
        }
        for state in State::VARIANTS.iter().copied() {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("unknown".parse::<State>().is_err());
    }

    #[test]
    fn an_event_is_as_far_as_its_slowest_delivery() {
        use State::*;
        for (states, expected) in [
            (&[][..], "completed"),
            (&[Pending, Pending], "pending"),
            (&[Pending, Held], "pending"),
            (&[Pending, Delivered], "processing"),
            (&[Retrying, Failed, Delivered], "retrying"),
            (&[Failed, Delivered], "failed"),
            (&[Canceled, Delivered], "completed"),
            (&[Canceled], "canceled"),
        ] {
            assert_eq!(event_status(states), expected, "{states:?}");
        }
    }

    #[test]
    fn a_failed_attempt_is_due_by_the_schedule_until_it_is_used_up() {
        let schedule = Schedule::default();
        let settled = |attempt, outcome, retry_after_ms| {
            settle(&schedule, attempt, outcome, false, retry_after_ms, "msg_1", 1_000_000)
        };
        let first = settled(1, Outcome::Timeout, None);
        assert_eq!(first.transition, Transition::AttemptFailed);
        let due = first.due_at_ms.expect("a next attempt");
        assert!((1_005_000..=1_005_500).contains(&due), "{due}");
        assert_eq!(first.sweep_at_ms, Some(due + SWEEP_GRACE_MS));

        let told = settled(1, Outcome::RateLimited, Some(120_000));
        assert_eq!(told.due_at_ms, Some(1_120_000));

        assert_eq!(settled(11, Outcome::Timeout, None).transition, Transition::GivenUp);
        assert_eq!(settled(1, Outcome::Gone, None).transition, Transition::GivenUp);
        assert_eq!(settled(11, Outcome::Delivered, None).transition, Transition::Succeeded);
    }
}
