//! Operational events: what the operator of a product should know of its customers' connections.
//! They are ordinary events in the organization's operational workspace, so that a notice by Slack
//! or e-mail is a rule.

use serde_json::{Map, Value, json};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::base::ids;
use crate::domain::base::time::{DAY_MS, rfc3339};
use crate::domain::connection::model::InactiveReason;

/// How operational events say who emitted them. They are outside quotas.
pub const CREATED_BY: &str = "posthorn";
/// For so long the same cause is not told again.
pub const NOTICE_KEPT_MS: i64 = 40 * DAY_MS;
/// For so long we try to tell of one.
pub const NOTICE_TRIED_MS: i64 = 3 * DAY_MS;

/// What an operational event tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
pub enum NoticeKind {
    /// Nothing succeeds on a connection, which will be switched off.
    #[strum(serialize = "connection.warning")]
    ConnectionWarning,
    /// A connection was switched off.
    #[strum(serialize = "connection.disabled")]
    ConnectionDisabled,
    /// A connection delivers again, or is active again.
    #[strum(serialize = "connection.recovered")]
    ConnectionRecovered,
    /// Deliveries were given up.
    #[strum(serialize = "delivery.failed")]
    DeliveryFailed,
    /// Held deliveries will be deleted.
    #[strum(serialize = "delivery.held_expiring")]
    HeldExpiring,
    /// Events go round in a circle.
    #[strum(serialize = "event.loop")]
    EventLoop,
    /// A filter was too costly for a payload, so that its rule did not match.
    #[strum(serialize = "filter.too_costly")]
    FilterTooCostly,
    /// A database fills.
    #[strum(serialize = "storage.warning")]
    StorageWarning,
    /// A workspace uses up its events.
    #[strum(serialize = "quota.warning")]
    QuotaWarning,
}

impl NoticeKind {
    /// The word in the database: the event's name without `posthorn.`.
    pub fn as_str(self) -> &'static str {
        self.into()
    }

    /// The event's name.
    pub fn event_name(self) -> String {
        format!("posthorn.{}", self.as_str())
    }
}

/// A cause to tell of. The same cause has the same key, and is told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What it tells.
    pub kind: NoticeKind,
    /// What makes it another cause than others of its kind in the workspace.
    pub key: String,
    /// The workspace that it is about.
    pub workspace: String,
    /// The connection that it is about.
    pub connection: Option<String>,
    /// Since when.
    pub since_ms: Option<i64>,
    /// Why, in a word.
    pub cause: String,
    /// How many.
    pub count: Option<i64>,
    /// How much of a bound is used, or of the time until a connection is switched off.
    pub percent: Option<i64>,
}

impl Notice {
    /// A notice of this kind about a workspace.
    pub fn new(kind: NoticeKind, key: impl ToString, workspace: &str, cause: &str) -> Self {
        Self {
            kind,
            key: key.to_string(),
            workspace: workspace.to_owned(),
            connection: None,
            since_ms: None,
            cause: cause.to_owned(),
            count: None,
            percent: None,
        }
    }
}

/// A notice that waits to be told, with what its payload says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingNotice {
    /// Its id: its workspace, what it tells, its key.
    pub id: String,
    /// What it tells.
    pub kind: NoticeKind,
    /// The workspace that it is about; `None` when it is about the installation, or gone.
    pub workspace: Option<String>,
    /// What the product calls that workspace.
    pub external_id: Option<String>,
    /// The connection that it is about.
    pub connection: Option<String>,
    /// That connection's name; `None` when it is gone.
    pub connection_name: Option<String>,
    /// Since when.
    pub since_ms: Option<i64>,
    /// Why, in a word.
    pub cause: String,
    /// How many.
    pub count: Option<i64>,
    /// How much of a bound is used.
    pub percent: Option<i64>,
    /// The shard that fills.
    pub shard: Option<i64>,
    /// When it was noted.
    pub at_ms: i64,
    /// The workspace that it goes to; `None` when there is none any more.
    pub to: Option<String>,
}

impl PendingNotice {
    /// The id of its event: the same whenever it is told.
    pub fn event_id(&self, workspace_number: u32) -> String {
        ids::caused_event_id(self.at_ms, &self.id, workspace_number)
    }

    /// The payload of its event. What does not apply is left out.
    pub fn payload(&self) -> String {
        let mut payload = Map::new();
        let mut put = |key: &str, value: Option<Value>| {
            value.into_iter().for_each(|value| drop(payload.insert(key.to_owned(), value)));
        };
        put("workspace", self.workspace.as_deref().map(Value::from));
        put("external_id", self.external_id.as_deref().map(Value::from));
        put("connection", self.connection.as_deref().map(|id| self.named(id)));
        put("since", self.since_ms.map(|at_ms| rfc3339(at_ms).into()));
        put("cause", Some(self.cause.as_str().into()));
        put("count", self.count.map(Value::from));
        put("percent", self.percent.map(Value::from));
        put("shard", self.shard.map(Value::from));
        put("advice", Some(advice(self.kind, &self.cause).into()));
        Value::Object(payload).to_string()
    }

    fn named(&self, id: &str) -> Value {
        match &self.connection_name {
            Some(name) => json!({"id": id, "name": name}),
            None => json!({"id": id}),
        }
    }
}

/// What to do, or what to tell the customer.
fn advice(kind: NoticeKind, cause: &str) -> &'static str {
    match kind {
        NoticeKind::ConnectionWarning => {
            "Every delivery fails. Tell the customer to look at the endpoint: the connection is \
             switched off after 5 days without a success."
        }
        NoticeKind::ConnectionDisabled => disabled(cause.parse().ok()),
        NoticeKind::ConnectionRecovered => "Nothing to do: it delivers again.",
        NoticeKind::DeliveryFailed => {
            "These deliveries are given up. Tell the customer to fix the cause and to replay them \
             on the page, or replay them with POST /replays."
        }
        NoticeKind::HeldExpiring => {
            "Held deliveries will soon be deleted. Tell the customer to activate the connection, \
             or raise the workspace's retention_unsettled_days."
        }
        NoticeKind::EventLoop => {
            "An emit was refused because it passes on what a webhook delivered. Look for code that \
             emits what it receives."
        }
        NoticeKind::FilterTooCostly => {
            "A rule did not match because its filter was too costly for the payload. Make the \
             filter simpler, then send what is missing: POST /replays with the status missing."
        }
        NoticeKind::StorageWarning => {
            "A database fills. Add a shard (LOG_SHARDS, npm run deploy) or keep events for fewer \
             days."
        }
        NoticeKind::QuotaWarning if cause == "connections" => {
            "The workspace has nearly as many connections as it may have. At 100 % a new one is \
             refused: raise its limit or speak to the customer."
        }
        NoticeKind::QuotaWarning => {
            "The workspace uses up its events of this month. At 100 % emits are refused until the \
             next: raise the quota or speak to the customer."
        }
    }
}

fn disabled(reason: Option<InactiveReason>) -> &'static str {
    match reason {
        Some(InactiveReason::EndpointGone) => {
            "The endpoint answered 410: it is gone. Ask the customer for the new URL and activate \
             the connection; what it owes is held."
        }
        Some(InactiveReason::DisabledByReceiver) => {
            "The endpoint asked not to be called any more. Activate the connection when the \
             customer wants it again; what it owes is held."
        }
        Some(InactiveReason::AuthenticationInvalid) => {
            "The credentials do not hold any more. Ask the customer to enter new ones and to \
             activate the connection; what it owes is held."
        }
        _ => {
            "Nothing was delivered for 5 days. Ask the customer to fix the endpoint and to \
             activate the connection; what it owes is held."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_advice_and_no_payload_says_null() {
        for kind in NoticeKind::VARIANTS {
            let notice = PendingNotice {
                id: "w:kind:key".to_owned(),
                kind: *kind,
                workspace: None,
                external_id: None,
                connection: Some("c".to_owned()),
                connection_name: None,
                since_ms: None,
                cause: "endpoint_gone".to_owned(),
                count: None,
                percent: None,
                shard: None,
                at_ms: 1_800_000_000_000,
                to: None,
            };
            let payload = notice.payload();
            assert!(!payload.contains("null"), "{payload}");
            let read: Value = serde_json::from_str(&payload).expect("JSON");
            assert!(read["advice"].as_str().is_some_and(|words| words.len() > 20), "{payload}");
            assert_eq!(kind.as_str().parse(), Ok(*kind));
            assert_eq!(notice.event_id(7), notice.event_id(7));
        }
    }
}
