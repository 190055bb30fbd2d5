//! Creating, changing and deleting connections. Whatever is secret is sealed here, for the one
//! place it will stand in.

use std::collections::BTreeMap;

use super::keys::Machine;
use super::lanes;
use super::{log, new_id, url_policy};
use crate::destination::WEBHOOK;
use crate::destination::webhook::{Settings, header_field};
use crate::destination::webhook_form::{self, Form, SecretWish};
use crate::domain::connection::{SealedCredentials, SealedSigningSecret, SetBy};
use crate::domain::error::{Error, Kind, Result};
use crate::domain::limits::CANCEL_STEP;
use crate::domain::line::Line;
use crate::domain::rotation::overlap_ms;
use crate::domain::secret::{Place, Secret};
use crate::domain::signing;
use crate::ports::Platform;
use crate::store::connections::{self, Connection, NewSecret, SecretRow};
use crate::store::{deliveries, workspaces};

/// A connection, with the signing secret where this very call generated it on request.
#[derive(Debug)]
pub struct Saved {
    /// The connection.
    pub connection: Connection,
    /// The generated secret, to be shown this once.
    pub shown_secret: Option<Secret>,
}

/// A connection to be created.
pub struct NewConnection {
    /// Workspace.
    pub workspace: String,
    /// Name.
    pub name: String,
    /// Settings and secrets, the text of a JSON object.
    pub metadata: String,
    /// Whether pages leave it out.
    pub hidden: bool,
}

/// Creates a webhook connection.
///
/// # Errors
/// `NotFound` when the organization has no such workspace; `Invalid` and `Refused` as
/// [`webhook_form::read`].
pub async fn create<P: Platform>(
    platform: &P,
    caller: &Machine,
    new: NewConnection,
) -> Result<Saved> {
    let control = platform.control();
    let form = webhook_form::read(&new.metadata, None, |_| false, &url_policy(platform))?;
    let workspace = workspaces::find(control, &caller.organization, &new.workspace).await?;
    let now_ms = platform.now_ms();
    let mut connection = Connection {
        id: new_id(platform),
        workspace: workspace.id,
        workspace_name: workspace.name,
        kind: WEBHOOK.to_owned(),
        name: new.name,
        settings: form.settings.to_stored(),
        credentials: SealedCredentials::new(),
        active: true,
        inactive_reason: None,
        warning: None,
        hidden: new.hidden,
        created_by: caller.created_by(),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        secret: None,
    };
    connection.credentials = credentials(platform, &connection, &form);
    // A connection saved without a secret gets one that nobody is shown, so that it signs all the
    // same; the customer sets their own later.
    let (secret, shown_secret) = match &form.signing_secret {
        SecretWish::Keep => (generate(platform), None),
        SecretWish::Generate => shown(generate(platform)),
        SecretWish::Use(secret) => ((secret.clone(), SetBy::Given), None),
    };
    let secret = seal_signing(platform, &connection, 1, secret);
    connections::insert(control, &connection, &secret).await?;
    connection.secret = Some(row(secret, now_ms));
    Ok(Saved { connection, shown_secret })
}

/// What a caller wants to change.
pub struct Change {
    /// New name.
    pub name: Option<String>,
    /// New settings and secrets, the text of a JSON object.
    pub metadata: Option<String>,
    /// Whether pages leave it out.
    pub hidden: Option<bool>,
}

/// Changes a connection. A new signing secret takes the old one's place at once.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Invalid` and `Refused` as
/// [`webhook_form::read`].
pub async fn update<P: Platform>(
    platform: &P,
    caller: &Machine,
    id: &str,
    change: Change,
) -> Result<Saved> {
    let control = platform.control();
    let mut connection = connections::find(control, &caller.organization, id).await?;
    let current = Settings::from_stored(&connection.settings).map_err(Error::internal)?;
    let metadata = change.metadata.as_deref().unwrap_or("{}");
    let is_set = |field: &str| connection.credentials.contains_key(field);
    let form = webhook_form::read(metadata, Some(&current), is_set, &url_policy(platform))?;
    if form.signing_secret == SecretWish::Keep && form.settings.signing != current.signing {
        check_kept_secret(platform, &connection, &form)?;
    }
    connection.name = change.name.unwrap_or(connection.name);
    connection.hidden = change.hidden.unwrap_or(connection.hidden);
    connection.updated_at_ms = platform.now_ms();
    connection.settings = form.settings.to_stored();
    connection.credentials = credentials(platform, &connection, &form);
    let (secret, shown_secret) = match &form.signing_secret {
        SecretWish::Keep => (None, None),
        SecretWish::Generate => {
            let (secret, shown) = shown(generate(platform));
            (Some(secret), shown)
        }
        SecretWish::Use(secret) => (Some((secret.clone(), SetBy::Given)), None),
    };
    let next = connection.secret.as_ref().map_or(1, |secret| secret.number + 1);
    let secret = secret.map(|secret| seal_signing(platform, &connection, next, secret));
    connections::update(control, &connection, secret.as_ref()).await?;
    if let Some(secret) = secret {
        connection.secret = Some(row(secret, connection.updated_at_ms));
    }
    Ok(Saved { connection, shown_secret })
}

/// Makes `given` the current signing secret, or a generated one. The former goes on signing beside
/// it for `overlap_s` seconds.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Invalid` naming `secret`; `Refused`
/// naming `overlap_seconds` when it is out of bounds or too many secrets are live.
pub async fn rotate<P: Platform>(
    platform: &P,
    caller: &Machine,
    id: &str,
    given: Option<Secret>,
    overlap_s: Option<i64>,
) -> Result<Saved> {
    let control = platform.control();
    let mut connection = connections::find(control, &caller.organization, id).await?;
    let settings = Settings::from_stored(&connection.settings).map_err(Error::internal)?;
    let scheme = settings.signing.scheme;
    let overlap_ms = overlap_ms(scheme, overlap_s)
        .map_err(|msg| Error::field("overlap_seconds", msg).of_kind(Kind::Refused))?;
    let (secret, shown_secret) = match given {
        Some(secret) => {
            signing::check_secret(scheme, secret.expose())
                .map_err(|msg| Error::field("secret", msg))?;
            ((secret, SetBy::Given), None)
        }
        None => shown(generate(platform)),
    };
    let number = connection.secret.as_ref().map_or(1, |secret| secret.number + 1);
    let secret = seal_signing(platform, &connection, number, secret);
    let now_ms = platform.now_ms();
    connections::rotate(control, &connection, &secret, now_ms + overlap_ms, now_ms).await?;
    connection.secret = Some(row(secret, now_ms));
    Ok(Saved { connection, shown_secret })
}

/// Deletes a connection; what it still owed is canceled.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Conflict` when rules use it and
/// `force` is not set.
pub async fn delete<P: Platform>(
    platform: &P,
    caller: &Machine,
    id: &str,
    force: bool,
) -> Result<Connection> {
    let control = platform.control();
    let connection = connections::find(control, &caller.organization, id).await?;
    let workspace = workspaces::find(control, &caller.organization, &connection.workspace).await?;
    connections::delete(control, &connection.workspace, id, force).await?;
    let log = log(platform, workspace.shard)?;
    let now_ms = platform.now_ms();
    let canceled = deliveries::cancel_connection(log, &workspace.id, id, now_ms, CANCEL_STEP).await;
    if let Err(error) = canceled {
        // The connection is gone all the same, and the consumer cancels what it meets of it.
        let line = serde_json::json!({"at": "delete_connection", "connection": id,
            "error": error.detail});
        platform.line(&line);
    }
    let line = Line { shard: workspace.shard, workspace: workspace.id, connection: id.to_owned() };
    if let Err(error) = lanes::forget(platform, &line).await {
        let line = serde_json::json!({"at": "delete_connection", "connection": id,
            "error": error.detail});
        platform.line(&line);
    }
    Ok(connection)
}

fn generate<P: Platform>(platform: &P) -> (Secret, SetBy) {
    (signing::generate_secret(platform.bytes()), SetBy::Generated)
}

fn shown(secret: (Secret, SetBy)) -> ((Secret, SetBy), Option<Secret>) {
    let text = secret.0.clone();
    (secret, Some(text))
}

fn row(secret: NewSecret, now_ms: i64) -> SecretRow {
    SecretRow {
        number: secret.number,
        set_by: secret.set_by.as_str().to_owned(),
        created_at_ms: now_ms,
        sealed: secret.sealed,
    }
}

fn seal_signing<P: Platform>(
    platform: &P,
    connection: &Connection,
    number: u32,
    (secret, set_by): (Secret, SetBy),
) -> NewSecret {
    let field = SealedSigningSecret::field(number);
    let place = place(connection, &field);
    let sealed = platform.settings().master_keys.seal(platform.bytes(), &place, &secret);
    NewSecret { number, sealed, set_by }
}

fn place<'a>(connection: &'a Connection, field: &'a str) -> Place<'a> {
    Place { owner: &connection.workspace, record: &connection.id, field }
}

/// The credentials as they will be stored: the new values sealed, of the old ones those still used.
fn credentials<P: Platform>(
    platform: &P,
    connection: &Connection,
    form: &Form,
) -> SealedCredentials {
    let settings = &form.settings;
    let auth = settings.auth_scheme.credential_fields().iter().map(|field| (*field).to_owned());
    let headers = settings.custom_headers.iter().map(|name| header_field(name));
    let mut kept = BTreeMap::new();
    for field in auth.chain(headers) {
        let sealed = match form.credentials.get(&field) {
            Some(value) => {
                let place = place(connection, &field);
                Some(platform.settings().master_keys.seal(platform.bytes(), &place, value))
            }
            None => connection.credentials.get(&field).cloned(),
        };
        kept.extend(sealed.map(|sealed| (field, sealed)));
    }
    kept
}

/// Another scheme may read the stored secret as other key bytes; it must still be usable.
fn check_kept_secret<P: Platform>(
    platform: &P,
    connection: &Connection,
    form: &Form,
) -> Result<()> {
    let Some(stored) = &connection.secret else { return Ok(()) };
    let field = SealedSigningSecret::field(stored.number);
    let keys = &platform.settings().master_keys;
    let secret = keys
        .open(&place(connection, &field), &stored.sealed)
        .map_err(|e| Error::internal(format!("connection {}: {e}", connection.id)))?;
    match signing::check_secret(form.settings.signing.scheme, secret.expose()) {
        Ok(_) => Ok(()),
        Err(msg) => Err(Error::field(
            "metadata.signing_scheme",
            format!("needs a new signing_secret, because with this scheme the stored one {msg}"),
        )),
    }
}
