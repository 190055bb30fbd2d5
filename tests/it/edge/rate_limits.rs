//! Counts of requests as the platform keeps them: for periods of ten seconds. Nothing is limited
//! unless a test says so.

use std::cell::RefCell;
use std::collections::HashMap;

use futures_util::future::{LocalBoxFuture, ready};
use posthorn::domain::base::limits::RATE_PERIOD_S;
use posthorn::ports::{Limited, PortError, RateLimits};

use super::tasks::Tasks;

/// The counts.
pub struct FakeRateLimits {
    tasks: Tasks,
    /// The most requests in a period; a limit that fails is none.
    pub limits: RefCell<HashMap<Limited, Option<u32>>>,
    counts: RefCell<HashMap<(Limited, String, i64), u32>>,
}

impl FakeRateLimits {
    pub fn new(tasks: Tasks) -> Self {
        Self { tasks, limits: RefCell::default(), counts: RefCell::default() }
    }

    /// Requests of a key or session so far.
    pub fn counted(&self, limited: Limited, id: &str) -> u32 {
        let counts = self.counts.borrow();
        let of = counts.iter().filter(|((what, of, _), _)| *what == limited && of == id);
        of.map(|(_, count)| count).sum()
    }
}

impl RateLimits for FakeRateLimits {
    fn count(
        &self,
        limited: Limited,
        id: &str,
    ) -> LocalBoxFuture<'static, Result<bool, PortError>> {
        let period = self.tasks.now_ms() / (1_000 * i64::from(RATE_PERIOD_S));
        let mut counts = self.counts.borrow_mut();
        let count = counts.entry((limited, id.to_owned(), period)).or_default();
        *count += 1;
        let answer = match self.limits.borrow().get(&limited) {
            None => Ok(true),
            Some(None) => Err(PortError("the count is not known".into())),
            Some(Some(most)) => Ok(*count <= *most),
        };
        Box::pin(ready(answer))
    }
}
