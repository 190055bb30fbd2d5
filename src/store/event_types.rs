//! The organization's catalogue of event types in CONTROL.

use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::CATALOGUE_MAX;
use crate::domain::base::version;
use crate::domain::tenants::change::NewChange;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, changes, run, select, statement};

/// An event type of the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventType {
    /// The event's name.
    pub key: String,
    /// What people see.
    pub label: String,
    /// What it means.
    pub description: Option<String>,
    /// What it is listed under.
    pub group: Option<String>,
    /// The exact text of an example payload.
    pub example: Option<String>,
    /// Whether customers see it.
    pub visible: bool,
    /// The key that created it.
    pub created_by: String,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
    /// Its version.
    pub version: i64,
}

impl EventType {
    /// The tag of its version.
    pub fn tag(&self) -> String {
        version::tag(self.created_at_ms, self.version)
    }
}

impl FromRow for EventType {
    fn from_row(row: &mut Row) -> Self {
        Self {
            key: row.text("key"),
            label: row.text("label"),
            description: row.maybe_text("description"),
            group: row.maybe_text("group_name"),
            example: row.maybe_text("example"),
            visible: row.flag("visible"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            updated_at_ms: row.int("updated_at_ms"),
            version: row.int("version"),
        }
    }
}

const PUT: &str = "\
    insert into event_types (organization, key, label, description, group_name, example, visible, \
      created_by, created_at_ms, updated_at_ms) \
    select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9 \
    where (select count(*) from event_types where organization = ?1 and key <> ?2) < ?10 \
    on conflict (organization, key) do update set label = excluded.label, \
      description = excluded.description, group_name = excluded.group_name, \
      example = excluded.example, visible = excluded.visible, \
      updated_at_ms = excluded.updated_at_ms, version = event_types.version + 1 \
      where ?11 is null or event_types.version = ?11 \
    returning key, label, description, group_name, example, visible, created_by, created_at_ms, \
      updated_at_ms, version";
const IS_FULL: &str = "\
    select 1 as is_full where (select count(*) from event_types \
      where organization = ?1 and key <> ?2) >= ?3";

/// Stores an event type, in place of the one with its key; returns it as it is stored. With
/// `version` only in place of one of that version; `None` when there is another.
///
/// # Errors
/// `Refused` when the catalogue is full.
pub async fn put(
    control: &impl Database,
    organization: &str,
    event_type: &EventType,
    version: Option<i64>,
    change: Option<&NewChange>,
) -> Result<Option<EventType>> {
    let params = [
        organization.into(),
        (&event_type.key).into(),
        (&event_type.label).into(),
        event_type.description.clone().into(),
        event_type.group.clone().into(),
        event_type.example.clone().into(),
        event_type.visible.into(),
        (&event_type.created_by).into(),
        event_type.updated_at_ms.into(),
        CATALOGUE_MAX.into(),
        version.into(),
    ];
    let full = [organization.into(), (&event_type.key).into(), CATALOGUE_MAX.into()];
    let mut statements = vec![statement(IS_FULL, full), statement(PUT, params)];
    statements.extend(change.map(changes::recorded));
    let results = run(control, statements).await?;
    let stored = row::first(row::rows(&results[1])?)?;
    if stored.is_none() && !results[0].is_empty() {
        let msg = format!(
            "cannot be added: the catalogue has {CATALOGUE_MAX} event types, the most there can be"
        );
        return Err(Error::new(Kind::Refused, msg).with_code(Code::Quota));
    }
    Ok(stored)
}

/// What an [`EventType`] is read from.
macro_rules! columns {
    () => {
        "select key, label, description, group_name, example, visible, created_by, \
           created_at_ms, updated_at_ms, version from event_types "
    };
}

const FIND: &str = concat!(columns!(), "where organization = ?1 and key = ?2");
/// Without the examples: those of a page can be a hundred megabytes.
const LIST: &str = "\
    select key, label, description, group_name, null as example, visible, created_by, \
      created_at_ms, updated_at_ms, version from event_types \
    where organization = ?1 and key > ?2 order by organization, key limit ?3";
const DELETE: &str = "delete from event_types where organization = ?1 and key = ?2 \
    and (?3 is null or version = ?3) returning key";

/// An event type of this organization.
///
/// # Errors
/// `NotFound` when its catalogue has none with this key.
pub async fn find(control: &impl Database, organization: &str, key: &str) -> Result<EventType> {
    let params = [organization.into(), key.into()];
    row::one(select(control, statement(FIND, params)).await?, "event type")
}

/// The same in a query; `None` when there is none.
pub fn one(organization: &str, key: &str) -> Query<Option<EventType>> {
    Query::new(FIND, [organization.into(), key.into()], |rows| row::first(row::rows(rows)?))
}

/// The event types of an organization by key, those after `after`, without their examples.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn list(
    control: &impl Database,
    organization: &str,
    after: &str,
    limit: usize,
) -> Result<Vec<EventType>> {
    let params = [organization.into(), after.into(), limit.into()];
    row::all(select(control, statement(LIST, params)).await?)
}

/// Takes an event type out of the catalogue, with `version` only if it is of that version; whether
/// it was there.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn delete(
    control: &impl Database,
    organization: &str,
    key: &str,
    version: Option<i64>,
    change: &NewChange,
) -> Result<bool> {
    let params = [organization.into(), key.into(), version.into()];
    let statements = vec![statement(DELETE, params), changes::recorded(change)];
    Ok(!run(control, statements).await?[0].is_empty())
}

/// An event type as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The event's name.
    pub key: String,
    /// What people see.
    pub label: String,
    /// What it means.
    pub description: Option<String>,
    /// What it is listed under.
    pub group: Option<String>,
}

impl FromRow for Listed {
    fn from_row(row: &mut Row) -> Self {
        Self {
            key: row.text("key"),
            label: row.text("label"),
            description: row.maybe_text("description"),
            group: row.maybe_text("group_name"),
        }
    }
}

const LISTED: &str = "\
    select key, label, description, group_name from event_types \
    where organization = ?1 and visible = 1 order by organization, key limit ?2";

/// The event types that customers see, those of a group together.
pub fn listed(organization: &str) -> Query<Vec<Listed>> {
    Query::new(LISTED, [organization.into(), CATALOGUE_MAX.into()], |rows| {
        let mut listed = row::rows(rows)?;
        row::sort_by(&mut listed, &["group_name", "key"]);
        row::all(listed)
    })
}

const EXAMPLE: &str = "\
    select key, example from event_types where organization = ?1 and visible = 1 and key = ?2";

/// The exact text of the example of an event type that customers see.
pub fn example(organization: &str, key: &str) -> Query<Option<String>> {
    struct Example(Option<String>);
    impl FromRow for Example {
        fn from_row(row: &mut Row) -> Self {
            Self(row.maybe_text("example"))
        }
    }
    Query::new(EXAMPLE, [organization.into(), key.into()], |rows| {
        let found: Option<Example> = row::first(row::rows(rows)?)?;
        Ok(found.and_then(|found| found.0))
    })
}
