//! The connections that will be called: all that a consumer batch reads of them, the one CONTROL
//! read that it makes, and their ids for a replay.

use serde_json::json;

use crate::destinations;
use crate::domain::base::error::Result;
use crate::domain::base::limits::REPLAY_CONNECTIONS_MAX;
use crate::domain::base::secret::Sealed;
use crate::domain::connection::model::{RuleSays, SealedSigningSecret, Target};
use crate::domain::connection::options::DeliveryOptions;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{select, set, statement};

/// A connection of a workspace, and the numbers of the rules of its deliveries.
pub type Wanted<'a> = (&'a str, &'a str, Vec<u32>);

const FIND: &str = "\
    select c.workspace, c.id as connection, \
      c.active = 1 and o.suspended_at_ms is null as active, c.type as kind, c.settings, \
      c.timeout_seconds, c.retry_schedule, c.ordering, c.max_per_second, c.max_in_flight, \
      c.credentials, c.warned_percent, c.updated_at_ms, w.external_id, \
      (select m.schema from mappings m where m.workspace = c.workspace \
         and m.connection = c.id) as mapping, \
      (select json_group_array(json_object('number', s.number, 'sealed', s.sealed, \
         'expires_at_ms', s.expires_at_ms)) \
       from connection_secrets s where s.connection = c.id) as secrets, \
      case when c.type in (select value from json_each(?2)) then \
        (select json_group_array(json_object('number', f.value, 'action', r.action, \
           'metadata', r.metadata)) \
         from json_each(j.value ->> 2) f cross join rules r \
         where r.workspace = c.workspace and r.number = iif(f.value > 0, f.value, \
           (select min(t.number) from rules t where t.connection = c.id))) end as rules, \
      case when c.type in (select value from json_each(?2)) then \
        (select json_group_array(json_object('number', r.number, 'action', r.action, \
           'metadata', r.metadata)) \
         from json_each(j.value ->> 2) f cross join deleted_rules r \
         where r.workspace = c.workspace and r.number = f.value) end as deleted_rules \
    from json_each(?1) j cross join connections c cross join workspaces w \
      cross join organizations o \
    where c.id = j.value ->> 1 and c.workspace = j.value ->> 0 and w.id = c.workspace \
      and o.id = w.organization";

/// A connection of a suspended organization is as one that is not active. With it is read what the
/// rules of its deliveries say, also of those that were deleted. A test event, which has no rule,
/// asks for what the connection's first rule does.
///
/// Those of the connections, given as (workspace, connection, numbers of rules), that exist.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find(control: &impl Database, wanted: &[Wanted<'_>]) -> Result<Vec<Target>> {
    let params = [set(&wanted), set(&destinations::reading_rules())];
    row::all(select(control, statement(FIND, params)).await?)
}

const ACTIVE: &str = "\
    select c.id, c.active = 1 and o.suspended_at_ms is null as active \
    from json_each(?1) j cross join connections c cross join workspaces w \
      cross join organizations o \
    where c.id = j.value ->> 1 and c.workspace = j.value ->> 0 and w.id = c.workspace \
      and o.id = w.organization";

/// Those of the connections, given as (workspace, connection), that exist, and whether each is
/// active.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn active(
    control: &impl Database,
    connections: &[(String, String)],
) -> Result<Vec<(String, bool)>> {
    struct Active(String, bool);
    impl FromRow for Active {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("id"), row.flag("active"))
        }
    }
    let params = [json!(connections).to_string().into()];
    let found: Vec<Active> = row::all(select(control, statement(ACTIVE, params)).await?)?;
    Ok(found.into_iter().map(|Active(id, active)| (id, active)).collect())
}

const IDS: &str = "\
    select id from connections where workspace = ?1 and (?2 is null or id = ?2) \
      and (?3 = 0 or hidden = 0) order by workspace, created_at_ms, id limit ?4";

/// The ids of a workspace's connections, or of the one that is asked for, and one more than
/// [`REPLAY_CONNECTIONS_MAX`] if there are so many; with `only_shown`, of those that pages show.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn ids(
    control: &impl Database,
    workspace: &str,
    only: Option<&str>,
    only_shown: bool,
) -> Result<Vec<String>> {
    struct Id(String);
    impl FromRow for Id {
        fn from_row(row: &mut Row) -> Self {
            Self(row.text("id"))
        }
    }
    let limit = REPLAY_CONNECTIONS_MAX + 1;
    let params = [workspace.into(), only.into(), only_shown.into(), limit.into()];
    let found: Vec<Id> = row::all(select(control, statement(IDS, params)).await?)?;
    Ok(found.into_iter().map(|found| found.0).collect())
}

impl FromRow for Target {
    fn from_row(row: &mut Row) -> Self {
        let mut secrets: Vec<SealedSigningSecret> = row.rows_by("secrets", "number");
        secrets.reverse();
        let mut rules: Vec<RuleSays> = row.rows("rules");
        rules.extend(row.rows("deleted_rules"));
        Self {
            workspace: row.text("workspace"),
            connection: row.text("connection"),
            active: row.flag("active"),
            kind: row.text("kind"),
            settings: row.text("settings"),
            options: DeliveryOptions::from_row(row),
            credentials: row.json("credentials"),
            secrets,
            rules,
            mapping: row.maybe_text("mapping"),
            external_id: row.maybe_text("external_id"),
            warned_percent: row.int("warned_percent"),
            updated_at_ms: row.int("updated_at_ms"),
        }
    }
}

impl FromRow for RuleSays {
    fn from_row(row: &mut Row) -> Self {
        Self {
            number: row.int("number"),
            action: row.text("action"),
            metadata: row.json("metadata"),
        }
    }
}

impl FromRow for SealedSigningSecret {
    fn from_row(row: &mut Row) -> Self {
        Self {
            number: row.int("number"),
            sealed: Sealed::from_text(row.text("sealed")),
            expires_at_ms: row.maybe_int("expires_at_ms"),
        }
    }
}
