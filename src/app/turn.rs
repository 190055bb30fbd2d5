//! Long work of one request gives the others of its isolate their turn: there is one thread.

use std::cell::Cell;

use crate::ports::Platform;

/// Work after which others have their turn, about a millisecond: so many units of a
/// [`Budget`](crate::domain::routing::filter::Budget), of which a byte of a payload that is read is
/// one too.
const TURN_UNITS: usize = 125_000;

/// What was done since others had their turn.
#[derive(Debug, Default)]
pub struct Turn(Cell<usize>);

impl Turn {
    /// Notes work.
    pub fn spend(&self, units: usize) {
        self.0.update(|spent| spent.saturating_add(units));
    }

    /// Gives others their turn, if it is time.
    pub async fn pause<P: Platform>(&self, platform: &P) {
        if self.0.get() >= TURN_UNITS {
            self.0.set(0);
            platform.sleep_ms(0).await;
        }
    }
}
