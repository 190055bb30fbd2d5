//! Whether connections take deliveries, and the warnings before they stop doing so (CONTROL).

use crate::domain::base::error::Result;
use crate::domain::connection::model::InactiveReason;
use crate::domain::tenants::change::NewChange;
use crate::domain::tenants::notice::{Notice, NoticeKind};
use crate::ports::Database;
use crate::store::{changes, notices, run, statement};

const SET_ACTIVE: &str = "\
    update connections set active = ?3, inactive_reason = ?4, updated_at_ms = ?5, \
      version = version + 1, \
      failing_since_ms = case ?3 when 0 then failing_since_ms end, \
      warned_percent = case ?3 when 0 then warned_percent else 0 end \
    where id = ?2 and workspace = ?1";

/// Makes a connection inactive for a reason, or active, which makes a warning void. `change` says
/// who did it, where it was not so already.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn set_active(
    control: &impl Database,
    workspace: &str,
    connection: &str,
    inactive: Option<InactiveReason>,
    now_ms: i64,
    change: Option<&NewChange>,
) -> Result<()> {
    let params = [
        workspace.into(),
        connection.into(),
        inactive.is_none().into(),
        inactive.map(InactiveReason::as_str).into(),
        now_ms.into(),
    ];
    let mut statements = vec![statement(SET_ACTIVE, params)];
    statements.extend(change.map(changes::recorded));
    if inactive.is_none() {
        let cause = "activated";
        statements.insert(0, notices::raised_recovered(workspace, connection, cause, now_ms));
    }
    run(control, statements).await.map(drop)
}

const SWITCH_OFF: &str = "\
    update connections set active = 0, inactive_reason = ?3, updated_at_ms = ?4 \
    where id = ?2 and workspace = ?1 and active = 1 and updated_at_ms = ?5 returning id";

/// Makes a connection inactive unless it was changed since `unchanged_since_ms`: what an attempt
/// learnt of its old URL says nothing of its new one. Whether it was made inactive.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn switch_off(
    control: &impl Database,
    workspace: &str,
    connection: &str,
    reason: InactiveReason,
    unchanged_since_ms: i64,
    change: &NewChange,
) -> Result<bool> {
    let now_ms = change.at_ms;
    let params = [
        workspace.into(),
        connection.into(),
        reason.as_str().into(),
        now_ms.into(),
        unchanged_since_ms.into(),
    ];
    let told = notices::raised_disabled(workspace, connection, reason.as_str(), now_ms);
    let recorded = changes::recorded(change);
    let results = run(control, vec![statement(SWITCH_OFF, params), recorded, told]).await?;
    Ok(!results[0].is_empty())
}

const WARN: &str = "\
    update connections set failing_since_ms = ?3, warned_percent = ?4 \
    where id = ?2 and workspace = ?1";

/// Notes a warning: since when nothing succeeds, and how much of the time until the connection is
/// given up has passed in percent; `None` takes it back.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn warn(
    control: &impl Database,
    workspace: &str,
    connection: &str,
    says: Option<(i64, u32)>,
    now_ms: i64,
) -> Result<()> {
    let (since_ms, percent) = says.unzip();
    let params =
        [workspace.into(), connection.into(), since_ms.into(), percent.unwrap_or(0).into()];
    let told = match says {
        Some((since_ms, percent)) => {
            let key = format!("{connection}:{since_ms}:{percent}");
            let cause = InactiveReason::DeliveryFailing.as_str();
            let notice = Notice {
                connection: Some(connection.to_owned()),
                since_ms: Some(since_ms),
                percent: Some(percent.into()),
                ..Notice::new(NoticeKind::ConnectionWarning, key, workspace, cause)
            };
            notices::raised(&[notice], now_ms)
        }
        None => notices::raised_recovered(workspace, connection, "delivered", now_ms),
    };
    run(control, vec![told, statement(WARN, params)]).await.map(drop)
}
