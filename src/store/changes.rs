//! Who changed what, in CONTROL. A change is recorded in the batch that makes it.

use serde_json::json;

use crate::domain::base::error::Result;
use crate::domain::base::limits::CLEARED_ROWS;
use crate::domain::tenants::change::{Action, Author, CHANGES_KEPT_MS, NewChange, RecordKind};
use crate::ports::{Database, Statement};
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows, run, statement, together};

/// Right behind the statement that makes the change: what that did not do is not recorded. Sessions
/// are opened in LOG, so nothing goes before. The name of a connection or a machine key, and
/// whether pages show it, are known here.
const RECORD: &str = "\
    insert or ignore into changes (belongs_to, id, at_ms, author_kind, author, external_user_id, \
      record_kind, record, name, action, fields, hidden) \
    select ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, \
      coalesce(?9, (select name from connections where id = ?10), \
        (select coalesce(name, access_key) from machine_keys where access_key = ?8), ''), \
      ?11, ?12, \
      max(?13, coalesce((select hidden from connections where id = ?10), 0)) \
    where changes() > 0 or ?7 = 'session'";

/// Records a change if the statement before this one changed anything.
pub fn recorded(change: &NewChange) -> Statement {
    let subject = &change.subject;
    let params = [
        (&subject.belongs_to).into(),
        (&change.id).into(),
        change.at_ms.into(),
        change.author.kind.as_str().into(),
        (&change.author.id).into(),
        change.author.external_user_id.clone().into(),
        subject.kind.as_str().into(),
        (&subject.id).into(),
        subject.name.clone().into(),
        subject.connection.clone().into(),
        change.action.as_str().into(),
        json!(change.fields).to_string().into(),
        subject.hidden.into(),
    ];
    statement(RECORD, params)
}

/// A change as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub at_ms: i64,
    /// Who made it.
    pub author: Author,
    /// What kind of record was changed.
    pub record_kind: RecordKind,
    /// The record's id.
    pub record: String,
    /// What it was called then.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// The names of the fields that were changed.
    pub fields: Vec<String>,
}

impl FromRow for Change {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            at_ms: row.int("at_ms"),
            author: Author {
                kind: row.word("author_kind"),
                id: row.text("author"),
                external_user_id: row.maybe_text("external_user_id"),
            },
            record_kind: row.word("record_kind"),
            record: row.text("record"),
            name: row.text("name"),
            action: row.word("action"),
            fields: row.json("fields"),
        }
    }
}

macro_rules! list {
    ($from:literal) => {
        concat!(
            "select id, at_ms, author_kind, author, external_user_id, record_kind, record, name, \
               action, fields from changes ",
            $from,
            " belongs_to = ?1 and id < ?2 order by belongs_to desc, id desc limit ?3"
        )
    };
}

const LIST: &str = list!("where");
const LIST_SHOWN: &str = list!("indexed by changes_shown where hidden = 0 and");

/// The changes of a workspace and of its organization before the id `before`, newest first; with
/// `only_shown` only those that pages show.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn list(
    control: &impl Database,
    (organization, workspace): (&str, &str),
    only_shown: bool,
    before: &str,
    limit: usize,
) -> Result<Vec<Change>> {
    let sql = if only_shown { LIST_SHOWN } else { LIST };
    let of = |belongs_to: &str| -> Query<Vec<Change>> {
        Query::new(sql, [belongs_to.into(), before.into(), limit.into()], all_rows)
    };
    let (mut changes, of_all) = together(control, (of(workspace), of(organization))).await?;
    changes.extend(of_all);
    changes.sort_by(|a, b| b.id.cmp(&a.id));
    changes.truncate(limit);
    Ok(changes)
}

const CLEAR: &str = "\
    delete from changes where (belongs_to, id) in (select belongs_to, id from changes \
      where belongs_to = ?1 limit ?2) returning id";

/// Deletes some of the changes of a workspace or an organization that is deleted.
pub fn cleared(belongs_to: &str) -> Statement {
    statement(CLEAR, [belongs_to.into(), CLEARED_ROWS.into()])
}

const FORGET_OLD: &str = "\
    delete from changes where (belongs_to, id) in (select belongs_to, id \
      from changes indexed by changes_by_time where at_ms < ?1 limit ?2)";

/// Forgets some of those that had their time.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn forget_old(control: &impl Database, now_ms: i64) -> Result<()> {
    let params = [(now_ms - CHANGES_KEPT_MS).into(), CLEARED_ROWS.into()];
    run(control, vec![statement(FORGET_OLD, params)]).await.map(drop)
}

const FORGET_PERSON: &str = "\
    update changes set external_user_id = null \
    where (belongs_to, id) in (select belongs_to, id from changes indexed by changes_by_person \
      where belongs_to = ?1 and external_user_id = ?2 limit ?3) returning id";

/// Clears a person's id from some of the changes of a workspace, at most [`CLEARED_ROWS`].
pub fn person_forgotten(workspace: &str, external_user_id: &str) -> Statement {
    let params = [workspace.into(), external_user_id.into(), CLEARED_ROWS.into()];
    statement(FORGET_PERSON, params)
}

/// Records by itself what was done in another database.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn record(control: &impl Database, change: &NewChange) -> Result<()> {
    run(control, vec![recorded(change)]).await.map(drop)
}
