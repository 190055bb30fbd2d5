//! The one CONTROL read of an emit: who holds the key, where the workspace's events live, and which
//! rules could match.

use serde::Deserialize;
use serde_json::json;

use super::{json, select};
use crate::domain::error::Result;
use crate::domain::rule::Rule;
use crate::domain::secret::Sealed;
use crate::domain::workspace::Home;
use crate::ports::Database;

/// Where a workspace's events live and the rules for the event names that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    /// The workspace.
    pub home: Home,
    /// Active rules, by number.
    pub rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Row {
    workspace: Option<String>,
    number: Option<u32>,
    shard: Option<u16>,
    rules: Option<String>,
    secret_sealed: Option<String>,
}

impl Row {
    fn routing(&self) -> Result<Option<Routing>> {
        let (Some(workspace), Some(number), Some(shard)) =
            (self.workspace.clone(), self.number, self.shard)
        else {
            return Ok(None);
        };
        let mut rules: Vec<Rule> = json(self.rules.as_deref().unwrap_or("[]"))?;
        rules.sort_unstable_by_key(|rule| rule.number);
        Ok(Some(Routing { home: Home { workspace, number, shard }, rules }))
    }
}

const BY_PUBLISHABLE_KEY: &str = "\
    select w.id as workspace, w.number, w.shard, null as secret_sealed, \
      (select json_group_array(json_object('id', r.id, 'number', r.number, \
         'connection', r.connection, 'connection_active', c.active, 'event', r.event, \
         'resource', r.resource, 'resource_id', r.resource_id)) \
       from rules r cross join connections c \
       where c.id = r.connection and r.workspace = w.id and r.active = 1 \
         and r.event in (select value from json_each(?2))) as rules \
    from publishable_keys k join workspaces w on w.id = k.workspace \
    where k.public_key = ?1 and (k.expires_at_ms is null or k.expires_at_ms > ?3)";

/// The routing of a publishable key's workspace, for events of these names; `None` when the key is
/// not valid at `now_ms`.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find_by_publishable_key(
    control: &impl Database,
    public_key: &str,
    names: &[&str],
    now_ms: i64,
) -> Result<Option<Routing>> {
    let params = [public_key.into(), json!(names).to_string().into(), now_ms.into()];
    let found: Vec<Row> = select(control, BY_PUBLISHABLE_KEY, params).await?;
    found.first().map_or(Ok(None), Row::routing)
}

const BY_MACHINE_KEY: &str = "\
    select w.id as workspace, w.number, w.shard, m.secret_sealed, \
      (select json_group_array(json_object('id', r.id, 'number', r.number, \
         'connection', r.connection, 'connection_active', c.active, 'event', r.event, \
         'resource', r.resource, 'resource_id', r.resource_id)) \
       from rules r cross join connections c \
       where c.id = r.connection and r.workspace = w.id and r.active = 1 \
         and r.event in (select value from json_each(?4))) as rules \
    from machine_keys m left join workspaces w on w.organization = m.organization \
      and w.id in (select value from json_each(?3)) \
    where m.access_key = ?2 and m.organization = ?1 and m.revoked_at_ms is null";

/// The sealed secret of a machine key and the routing of those of `workspaces` that its
/// organization has, for events of these names; `None` when the key is not valid.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find_by_machine_key(
    control: &impl Database,
    organization: &str,
    access_key: &str,
    workspaces: &[&str],
    names: &[&str],
) -> Result<Option<(Sealed, Vec<Routing>)>> {
    let params = [
        organization.into(),
        access_key.into(),
        json!(workspaces).to_string().into(),
        json!(names).to_string().into(),
    ];
    let found: Vec<Row> = select(control, BY_MACHINE_KEY, params).await?;
    let Some(sealed) = found.first().and_then(|row| row.secret_sealed.clone()) else {
        return Ok(None);
    };
    let routings: Result<Vec<_>> = found.iter().map(Row::routing).collect();
    Ok(Some((Sealed::from_text(sealed), routings?.into_iter().flatten().collect())))
}
