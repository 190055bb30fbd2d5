//! Replays: which deliveries are sent once more, and the state of that.
//!
//! A replay is about the events that were accepted in a range of time. Event ids begin with the
//! time, so the range of time is a range of ids.

use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::ids::event_id;
use crate::domain::base::limits::{REPLAY_DELIVERIES_MAX, REPLAY_RANGE_MS_MAX, REPLAY_READS_MAX};
use crate::domain::base::reason::Reason;
use crate::domain::base::time::DAY_MS;
use crate::domain::delivery::state::State;

/// Which deliveries.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Selection {
    /// Only those of this connection.
    pub connection: Option<String>,
    /// Only those of events with this name.
    pub event: Option<String>,
    /// What became of them.
    pub which: Which,
    /// The first moment at which their events were accepted.
    pub since_ms: i64,
    /// The first moment after the last one.
    pub until_ms: i64,
}

/// What became of deliveries that are selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Which {
    /// They were given up.
    Failed,
    /// They arrived.
    Delivered,
    /// They were canceled.
    Canceled,
    /// There is none, and by today's rules there would be one.
    Missing,
    /// They are still owed: these are canceled and not replayed.
    Owed,
}

impl Which {
    /// The word in the database.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The status in the words of the wire contract.
    pub fn status(self) -> &'static str {
        match self {
            Self::Delivered => State::Delivered.status(),
            Self::Owed => State::Pending.status(),
            Self::Failed | Self::Canceled | Self::Missing => self.as_str(),
        }
    }

    /// Those that can be replayed, by their status.
    pub fn replayed(status: &str) -> Option<Self> {
        let which = Self::VARIANTS.iter().copied().find(|which| which.status() == status);
        which.filter(|which| *which != Self::Owed)
    }
}

/// The statuses of deliveries that can be replayed, in the words of the wire contract.
pub const REPLAYED_STATUSES: [&str; 4] = ["failed", "completed", "canceled", "missing"];

impl Selection {
    /// Checks that the range is one and not too long.
    ///
    /// # Errors
    /// `Invalid` and `Refused` naming `until`.
    pub fn check(&self) -> Result<()> {
        if self.until_ms <= self.since_ms {
            return Err(Error::field("until", Reason::EndsBefore));
        }
        if self.until_ms - self.since_ms > REPLAY_RANGE_MS_MAX {
            let days = REPLAY_RANGE_MS_MAX / DAY_MS;
            return Err(Error::field("until", Reason::RangeMost(days)).of_kind(Kind::Refused));
        }
        Ok(())
    }

    /// The ids between which the events are: from the first on, before the second.
    pub fn events(&self) -> (String, String) {
        // With nothing but the time in it, an id comes before all others of its millisecond.
        let first = |at_ms| event_id(at_ms, [0; 8], 0, 0);
        (first(self.since_ms), first(self.until_ms))
    }
}

/// How many deliveries a selection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Deliveries that were looked at, at most one more than [`REPLAY_READS_MAX`].
    pub read: usize,
    /// Those of them that are to be replayed.
    pub chosen: usize,
}

impl Counted {
    /// How many are replayed.
    ///
    /// # Errors
    /// `Refused` naming `until` when there are too many, with the count as far as it is known.
    pub fn checked(self) -> Result<usize> {
        if self.read > REPLAY_READS_MAX {
            let msg = format!(
                "more than {REPLAY_READS_MAX} deliveries are in this range, and {} or more of them \
                 are meant; choose a shorter one, or one connection",
                self.chosen
            );
            return Err(refuse("until", msg));
        }
        if self.chosen > REPLAY_DELIVERIES_MAX {
            let msg = format!(
                "{} deliveries are in this range, and at most {REPLAY_DELIVERIES_MAX} are taken \
                 at once; choose a shorter one, or one connection",
                self.chosen
            );
            return Err(refuse("until", msg));
        }
        Ok(self.chosen)
    }
}

fn refuse(param: &str, msg: String) -> Error {
    Error::field(param, msg).of_kind(Kind::Refused)
}

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// There is more to send.
    Running,
    /// All is on its way.
    #[strum(serialize = "done")]
    Completed,
    /// Somebody stopped it.
    Canceled,
}

impl Status {
    /// The word in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        self.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(since_ms: i64, until_ms: i64) -> Selection {
        Selection { connection: None, event: None, which: Which::Failed, since_ms, until_ms }
    }

    #[test]
    fn a_range_has_a_beginning_an_end_and_at_most_14_days() {
        let most = 14 * DAY_MS;
        for (until_ms, expected) in [
            (7 + most, None),
            (8, None),
            (8 + most, Some(Kind::Refused)),
            (7, Some(Kind::Invalid)),
            (6, Some(Kind::Invalid)),
        ] {
            let error = range(7, until_ms).check().err();
            assert_eq!(error.as_ref().map(|error| error.kind), expected, "{until_ms}");
            assert!(error.is_none_or(|error| error.fields[0].param == "until"));
        }
    }

    #[test]
    fn the_ids_of_a_range_hold_the_events_of_its_time() {
        let (first, end) = range(1_000, 2_000).events();
        for (at_ms, expected) in [(999, false), (1_000, true), (1_999, true), (2_000, false)] {
            for (random, number) in [([0; 8], 0), ([255; 8], u32::MAX)] {
                let id = event_id(at_ms, random, 0, number);
                assert_eq!(first <= id && id < end, expected, "{at_ms}");
            }
        }
    }

    #[test]
    fn too_many_are_refused_with_their_count() {
        let counted = |read, chosen| Counted { read, chosen }.checked();
        assert_eq!(counted(REPLAY_READS_MAX, 10_000), Ok(10_000));
        for (read, chosen, told) in [(12_345, 10_001, "10001"), (REPLAY_READS_MAX + 1, 3, "3")] {
            let error = counted(read, chosen).expect_err("too many");
            assert_eq!((error.kind, error.fields[0].param.as_str()), (Kind::Refused, "until"));
            assert!(error.message.contains(told), "{}", error.message);
        }
    }

    #[test]
    fn words() {
        let all = [Which::Failed, Which::Delivered, Which::Canceled, Which::Missing];
        assert_eq!(REPLAYED_STATUSES.map(Which::replayed), all.map(Some));
        assert_eq!(["owed", "pending", "delivered", ""].map(Which::replayed), [None; 4]);
        for which in Which::VARIANTS {
            assert_eq!(which.as_str().parse(), Ok(*which));
        }
        for status in [Status::Running, Status::Completed, Status::Canceled] {
            assert_eq!(status.as_str().parse(), Ok(status));
        }
        assert!("paused".parse::<Status>().is_err());
    }
}
