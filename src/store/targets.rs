//! The one CONTROL read of a consumer batch: the connections that it will call.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{json, select};
use crate::domain::connection::{SealedSigningSecret, Target};
use crate::domain::error::Result;
use crate::ports::Database;

#[derive(Deserialize)]
struct Row {
    workspace: String,
    connection: String,
    active: u8,
    settings: String,
    credentials: String,
    secrets: String,
}

const FIND: &str = "\
    select c.workspace, c.id as connection, c.active, c.settings, c.credentials, \
      (select json_group_array(json_object('number', s.number, 'sealed', s.sealed, \
         'expires_at_ms', s.expires_at_ms)) \
       from connection_secrets s where s.connection = c.id) as secrets \
    from json_each(?1) j cross join connections c \
    where c.id = j.value ->> 1 and c.workspace = j.value ->> 0";

/// Those of the connections, given as (workspace, connection), that exist, by connection id.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find(
    control: &impl Database,
    connections: &[(&str, &str)],
) -> Result<HashMap<String, Target>> {
    let keys: Vec<Value> = connections.iter().map(|(w, c)| json!([w, c])).collect();
    let found: Vec<Row> = select(control, FIND, [Value::from(keys).to_string().into()]).await?;
    found.into_iter().map(|row| Ok((row.connection.clone(), target(row)?))).collect()
}

fn target(row: Row) -> Result<Target> {
    let mut secrets: Vec<SealedSigningSecret> = json(&row.secrets)?;
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.number));
    Ok(Target {
        active: row.active == 1,
        credentials: json(&row.credentials)?,
        secrets,
        workspace: row.workspace,
        connection: row.connection,
        settings: row.settings,
    })
}
