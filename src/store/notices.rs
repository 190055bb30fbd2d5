//! What is to be told to the operators of products, in CONTROL: kept together with the change that
//! causes it, and emitted by the cron.

use serde_json::{Value, json};

use crate::domain::base::error::Result;
use crate::domain::base::limits::{CLEARED_ROWS, NOTICES_AT_ONCE};
use crate::domain::tenants::notice::{NOTICE_KEPT_MS, Notice, PendingNotice};
use crate::ports::{Database, Statement};
use crate::store::row::{FromRow, Row};
use crate::store::{Query, all_rows, run, statement};

/// Only where somebody is to be told, and never of what the operational workspace does itself.
const RAISE: &str = "\
    insert or ignore into notices (id, kind, workspace, connection, since_ms, cause, count, \
      percent, at_ms) \
    select w.id || ':' || (j.value ->> 1) || ':' || (j.value ->> 2), j.value ->> 1, w.id, \
      j.value ->> 3, j.value ->> 4, j.value ->> 5, j.value ->> 6, j.value ->> 7, ?2 \
    from json_each(?1) j cross join workspaces w on w.id = j.value ->> 0 \
      cross join organizations o on o.id = w.organization \
    where o.operational_workspace <> w.id";

/// Keeps notices until they are told. One of the same cause is there already: nothing changes.
pub fn raised(notices: &[Notice], now_ms: i64) -> Statement {
    let row = |one: &Notice| {
        let kind = one.kind.as_str();
        json!([
            one.workspace,
            kind,
            one.key,
            one.connection,
            one.since_ms,
            one.cause,
            one.count,
            one.percent
        ])
    };
    let set: Value = notices.iter().map(row).collect();
    statement(RAISE, [set.to_string().into(), now_ms.into()])
}

/// The same by itself.
///
/// # Errors
/// When CONTROL's answer is not known; it may be repeated.
pub async fn raise(control: &impl Database, notices: &[Notice], now_ms: i64) -> Result<()> {
    if notices.is_empty() {
        return Ok(());
    }
    run(control, vec![raised(notices, now_ms)]).await.map(drop)
}

/// A shard is everybody's.
const RAISE_OF_SHARD: &str = "\
    insert or ignore into notices (id, kind, workspace, cause, percent, shard, at_ms) \
    select o.operational_workspace || ':storage.warning:' || ?1, 'storage.warning', \
      o.operational_workspace, ?2, ?3, ?4, ?5 \
    from organizations o where o.id > '' and o.operational_workspace is not null";

/// Keeps the notice that a shard fills, for every organization that is to be told. `key` makes it
/// another cause than the one before.
pub fn raised_of_shard(key: &str, shard: u16, level: &str, percent: i64, now_ms: i64) -> Statement {
    let (key, level) = (key.into(), level.into());
    let shard = i64::from(shard).into();
    statement(RAISE_OF_SHARD, [key, level, percent.into(), shard, now_ms.into()])
}

/// In the batch that makes a connection, after it: `?2` is how many there may be where the
/// workspace does not say so itself.
const RAISE_OF_CONNECTIONS: &str = "\
    insert or ignore into notices (id, kind, workspace, cause, count, percent, at_ms) \
    select id || ':quota.warning:connections:' || most || ':' || percent, 'quota.warning', id, \
      'connections', n, percent, ?3 \
    from (select id, n, most, iif(n >= most, 100, 80) as percent \
      from (select w.id, coalesce(w.limit_connections, ?2) as most, \
          (select count(*) from connections c where c.workspace = w.id) as n \
        from workspaces w cross join organizations o on o.id = w.organization \
        where w.id = ?1 and o.operational_workspace <> w.id) lines \
      where n * 100 >= most * 80) lines";

/// Keeps the notice that a workspace has 80 or 100 % of the connections that it may have, once for
/// each limit.
pub fn raised_of_connections(workspace: &str, quota: Option<u32>, now_ms: i64) -> Statement {
    statement(RAISE_OF_CONNECTIONS, [workspace.into(), quota.into(), now_ms.into()])
}

/// In the batch that switches the connection off, after it: `?4` is when that was.
const RAISE_DISABLED: &str = "\
    insert or ignore into notices (id, kind, workspace, connection, since_ms, cause, at_ms) \
    select w.id || ':connection.disabled:' || c.id || ':' || ?4, 'connection.disabled', w.id, \
      c.id, coalesce(c.failing_since_ms, ?4), c.inactive_reason, ?4 \
    from connections c cross join workspaces w on w.id = c.workspace \
      cross join organizations o on o.id = w.organization \
    where c.id = ?2 and c.workspace = ?1 and c.active = 0 and c.inactive_reason = ?3 \
      and c.updated_at_ms = ?4 and o.operational_workspace <> w.id";

/// Keeps the notice that a connection was switched off for this reason at `now_ms`, if it was.
pub fn raised_disabled(workspace: &str, connection: &str, reason: &str, now_ms: i64) -> Statement {
    let params = [workspace.into(), connection.into(), reason.into(), now_ms.into()];
    statement(RAISE_DISABLED, params)
}

/// In the batch that makes the warning void, before it. `?3` is the cause: what was delivered ends
/// a warning, a person ends that it was switched off.
const RAISE_RECOVERED: &str = "\
    insert or ignore into notices (id, kind, workspace, connection, since_ms, cause, at_ms) \
    select w.id || ':connection.recovered:' || c.id || ':' \
        || coalesce(c.failing_since_ms, c.updated_at_ms), \
      'connection.recovered', w.id, c.id, coalesce(c.failing_since_ms, c.updated_at_ms), ?3, ?4 \
    from connections c cross join workspaces w on w.id = c.workspace \
      cross join organizations o on o.id = w.organization \
    where c.id = ?2 and c.workspace = ?1 and o.operational_workspace <> w.id \
      and (?3 = 'delivered' and c.active = 1 and c.warned_percent > 0 \
        or ?3 = 'activated' and c.active = 0 \
          and c.inactive_reason not in ('paused', 'secrets_missing'))";

/// Keeps the notice that a connection recovered, if anybody was told that it had to: `cause` is
/// `delivered` or `activated`.
pub fn raised_recovered(workspace: &str, connection: &str, cause: &str, now_ms: i64) -> Statement {
    let params = [workspace.into(), connection.into(), cause.into(), now_ms.into()];
    statement(RAISE_RECOVERED, params)
}

impl FromRow for PendingNotice {
    fn from_row(row: &mut Row) -> Self {
        let shard = row.maybe_int("shard");
        let about = row.maybe_text("about");
        Self {
            id: row.text("id"),
            kind: row.word("kind"),
            workspace: about.filter(|_| shard.is_none()),
            external_id: row.maybe_text("external_id").filter(|_| shard.is_none()),
            connection: row.maybe_text("connection"),
            connection_name: row.maybe_text("connection_name"),
            since_ms: row.maybe_int("since_ms"),
            cause: row.text("cause"),
            count: row.maybe_int("count"),
            percent: row.maybe_int("percent"),
            shard,
            at_ms: row.int("at_ms"),
            to: row.maybe_text("operational_workspace"),
        }
    }
}

const PENDING: &str = "\
    select n.id, n.kind, w.id as about, w.external_id, n.connection, c.name as connection_name, \
      n.since_ms, n.cause, n.count, n.percent, n.shard, n.at_ms, o.operational_workspace \
    from notices n left join workspaces w on w.id = n.workspace \
      left join organizations o on o.id = w.organization and o.deleted_at_ms is null \
      left join connections c on c.id = n.connection and c.workspace = n.workspace \
    where n.sent_at_ms is null order by n.sent_at_ms, n.at_ms limit ?1";

/// The oldest notices that were not told.
pub fn pending() -> Query<Vec<PendingNotice>> {
    Query::new(PENDING, [NOTICES_AT_ONCE.into()], all_rows)
}

const SENT: &str = "\
    update notices set sent_at_ms = ?2 from json_each(?1) j where notices.id = j.value";

/// Notes that these were told, or never will be.
///
/// # Errors
/// When CONTROL's answer is not known: they are told again then, as the same events.
pub async fn sent(control: &impl Database, ids: &[&str], now_ms: i64) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    run(control, vec![statement(SENT, [json!(ids).to_string().into(), now_ms.into()])])
        .await
        .map(drop)
}

const FORGET: &str = "\
    delete from notices where id in (select id from notices indexed by notices_by_sending \
      where sent_at_ms < ?1 limit ?2)";

/// Forgets some of those that were told long ago.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn forget(control: &impl Database, now_ms: i64) -> Result<()> {
    let params = [(now_ms - NOTICE_KEPT_MS).into(), CLEARED_ROWS.into()];
    run(control, vec![statement(FORGET, params)]).await.map(drop)
}

const FORGET_WORKSPACE: &str = "\
    delete from notices where id >= ?1 || ':' and id < ?1 || ';'";

/// Forgets those about a workspace that is deleted.
pub fn forgotten(workspace: &str) -> Statement {
    statement(FORGET_WORKSPACE, [workspace.into()])
}
