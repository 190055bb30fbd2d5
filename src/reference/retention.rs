//! How long events are kept, as workspaces, organizations and statistics say it.

use crate::domain::delivery::retention::{DAYS, DAYS_DEFAULT, UNSETTLED_DAYS_DEFAULT};
use crate::reference::leaves::whole;
use crate::reference::shape::{Field, Shape, may, need};

/// How long events are kept, in an answer.
pub fn kept() -> [Field; 2] {
    [
        need("retention_days", days()).says("Days that an event is kept."),
        need("retention_unsettled_days", unsettled_days())
            .says("Days that it is kept while one of its deliveries is failed or held."),
    ]
}

fn days() -> Shape {
    whole(i64::from(*DAYS.start()), i64::from(*DAYS.end()), i64::from(DAYS_DEFAULT))
}

fn unsettled_days() -> Shape {
    whole(i64::from(*DAYS.start()), i64::from(*DAYS.end()), i64::from(UNSETTLED_DAYS_DEFAULT))
}

/// What a workspace or an organization can be told of how long events are kept.
pub fn retention() -> [Field; 2] {
    [
        may("retention_days", days()).says(
            "Days that an event is kept. A workspace without it has the organization's number.",
        ),
        may("retention_unsettled_days", unsettled_days()).says(
            "Days that an event is kept while one of its deliveries is failed or held; held ones \
             fail then.",
        ),
    ]
}
