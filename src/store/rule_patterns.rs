//! How many rules of a workspace have which pattern, in CONTROL.

use crate::domain::base::error::{Error, Kind};
use crate::domain::base::limits::{FAN_OUT_MAX, PATTERNS_READ_MAX};
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows};

const PATTERNS: &str = "\
    select r.event, count(*) as n from rules r where r.workspace = ?1 and r.id <> ?2 \
    group by r.workspace, r.event order by r.workspace, r.event limit ?3";

/// The patterns of a workspace's rules with how many rules have each, without the rule `but`.
pub fn patterns(workspace: &str, but: &str) -> Query<Vec<(String, usize)>> {
    struct Counted((String, usize));
    impl FromRow for Counted {
        fn from_row(row: &mut Row) -> Self {
            Self((row.text("event"), row.int::<u32>("n") as usize))
        }
    }
    Query::new(PATTERNS, [workspace.into(), but.into(), PATTERNS_READ_MAX.into()], |rows| {
        let counted: Vec<Counted> = all_rows(rows)?;
        Ok(counted.into_iter().map(|Counted(counted)| counted).collect())
    })
}

/// The error of a rule that could fan an event out to more than [`FAN_OUT_MAX`] deliveries.
pub fn too_many() -> Error {
    let msg =
        format!("the workspace has {FAN_OUT_MAX} rules for this event, the most there can be");
    Error::field("event", msg).of_kind(Kind::Refused)
}
