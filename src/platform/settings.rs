//! Reads the configuration from the Worker's variables and secrets.

use std::collections::BTreeMap;

use worker::Env;

use crate::domain::base::secret::MasterKeys;
use crate::ports::{Quotas, Settings};

/// Where the objects of the lanes must stay, such as `eu` (`JURISDICTION`).
pub fn jurisdiction(env: &Env) -> Option<String> {
    let named = env.var("JURISDICTION").map(|value| value.to_string()).ok();
    named.filter(|text| !text.is_empty())
}

/// Secrets `ADMIN_TOKEN` and `MASTER_KEYS`; variables `ALLOW_PRIVATE_DESTINATIONS` (`true` opens),
/// `PROVIDER_BASES` (JSON, for tests, only with the former), `LOG_SHARDS`, `INTAKES`, `OWN_HOSTS`
/// and `BLOCKED_HOSTS` (comma-separated, may be missing), and the quotas
/// `WORKSPACES_PER_ORGANIZATION`, `CONNECTIONS_PER_WORKSPACE` and `EVENTS_PER_MONTH` (of a
/// workspace), each missing or empty for none; `NOTICE`, a text for everybody.
///
/// # Errors
/// What is missing or malformed, for the log; never a value.
pub fn read(env: &Env) -> Result<Settings, String> {
    let var = |name: &str| env.var(name).map(|value| value.to_string()).ok();
    let secret = |name: &str| {
        let value = env.secret(name).map(|value| value.to_string());
        value.map_err(|_| format!("the secret {name} is not set"))
    };
    let shards = var("LOG_SHARDS").unwrap_or_else(|| "1".to_owned());
    let intakes = var("INTAKES").unwrap_or_else(|| "4".to_owned());
    let hosts = |name: &str| {
        let text = var(name).unwrap_or_default();
        let hosts = text.split(',').map(str::trim).filter(|host| !host.is_empty());
        hosts.map(str::to_owned).collect()
    };
    let quota = |name: &str| match var(name).filter(|text| !text.is_empty()) {
        Some(text) => text.parse().map(Some).map_err(|_| format!("{name} must be a number")),
        None => Ok(None),
    };
    let allows_private = var("ALLOW_PRIVATE_DESTINATIONS").as_deref() == Some("true");
    let bases = var("PROVIDER_BASES").filter(|text| allows_private && !text.is_empty());
    let bases = bases.map_or(Ok(BTreeMap::new()), |text| serde_json::from_str(&text));
    Ok(Settings {
        admin_token: secret("ADMIN_TOKEN")?,
        master_keys: MasterKeys::parse(&secret("MASTER_KEYS")?)?,
        allow_private_destinations: allows_private,
        provider_bases: bases
            .map_err(|e| format!("PROVIDER_BASES must be an object of URLs: {e}"))?,
        log_shards: shards.parse().map_err(|_| "LOG_SHARDS must be a number".to_owned())?,
        intakes: intakes.parse().map_err(|_| "INTAKES must be a number".to_owned())?,
        own_hosts: hosts("OWN_HOSTS"),
        blocked_hosts: hosts("BLOCKED_HOSTS"),
        notice: var("NOTICE").filter(|text| !text.trim().is_empty()),
        quotas: Quotas {
            workspaces_per_organization: quota("WORKSPACES_PER_ORGANIZATION")?,
            connections_per_workspace: quota("CONNECTIONS_PER_WORKSPACE")?,
            events_per_month: quota("EVENTS_PER_MONTH")?,
        },
    })
}
