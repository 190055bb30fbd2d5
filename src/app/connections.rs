//! Creating, changing and deleting connections. Secrets are sealed here, each for the one row and
//! field that will hold it.

use serde_json::json;

use crate::app::changes;
use crate::app::common::{changing, history_db, new_id, own_hosts, url_policy};
use crate::app::credentials::{
    check_is_new, check_kept_secret, check_may_set, check_origin_kept, check_with_provider,
    only_in_embed, place, sealed,
};
use crate::app::delivery::lanes;
use crate::app::intake::ask;
use crate::destinations::form::{self, Form, SecretChange};
use crate::destinations::model::Values;
use crate::destinations::{self, Destination};
use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::CANCEL_STEP;
use crate::domain::base::secret::Secret;
use crate::domain::base::version::Expected;
use crate::domain::connection::model::{SealedCredentials, SealedSigningSecret, SetBy};
use crate::domain::connection::rotation::overlap_ms;
use crate::domain::connection::signing::{self, Scheme, SecretAdvice, Signing};
use crate::domain::lane::queue::ConnectionQueue;
use crate::domain::tenants::actor::Actor;
use crate::domain::tenants::change::Action;
use crate::domain::tenants::organization::label;
use crate::ports::Platform;
use crate::store::connections::{self, Connection, NewSecret, SecretRow};
use crate::store::secrets;
use crate::store::{deleted_connections, deliveries, workspaces};

/// A connection, with the signing secret where this very call generated it on request.
#[derive(Debug)]
pub struct Saved {
    /// The connection.
    pub connection: Connection,
    /// The generated secret, to be shown this once.
    pub shown_secret: Option<Secret>,
    /// What there is to say about a secret that was given.
    pub advice: Option<SecretAdvice>,
    /// Whether the provider said that new credentials hold; `None` when it was not to be asked.
    pub credentials_checked: Option<bool>,
    /// What there is to say about anything else that was given.
    pub warnings: Vec<String>,
}

impl Saved {
    /// Whether there is something to show that is gone with this answer.
    pub fn shows_secret(&self) -> bool {
        let said = |advice: &SecretAdvice| advice.short || advice.equivalent_whsec.is_some();
        self.shown_secret.is_some()
            || self.advice.as_ref().is_some_and(said)
            || !self.warnings.is_empty()
    }
}

/// A secret that is about to be sealed, and what may be told of it.
struct NewSigningSecret {
    secret: Secret,
    set_by: SetBy,
    advice: Option<SecretAdvice>,
}

impl NewSigningSecret {
    fn generated<P: Platform>(platform: &P, set_by: SetBy) -> Self {
        Self { secret: signing::generate_secret(platform.bytes()), set_by, advice: None }
    }

    fn given(scheme: Scheme, secret: Secret) -> std::result::Result<Self, String> {
        let advice = signing::check_secret(scheme, secret.expose())?;
        Ok(Self { secret, set_by: SetBy::Given, advice: Some(advice) })
    }

    /// What was asked for; `None` to leave things as they are.
    fn wished<P: Platform>(platform: &P, form: &Form) -> Option<Self> {
        match &form.signing_secret {
            SecretChange::Keep => None,
            SecretChange::Generate => Some(Self::generated(platform, SetBy::Shown)),
            // The form has checked it.
            SecretChange::Use(secret) => {
                form.signing.as_ref().and_then(|s| Self::given(s.scheme, secret.clone()).ok())
            }
        }
    }

    /// The same as (what is shown of it, what is said of it).
    fn told(&self) -> (Option<Secret>, Option<SecretAdvice>) {
        let shown = (self.set_by == SetBy::Shown).then(|| self.secret.clone());
        (shown, self.advice.clone())
    }
}

/// A connection to be created.
pub struct NewConnection {
    /// Its id, if the caller chose one; a form that is sent twice makes one connection by it.
    pub id: Option<String>,
    /// Workspace.
    pub workspace: String,
    /// Its destination.
    pub destination: &'static dyn Destination,
    /// Name.
    pub name: String,
    /// Settings and secrets, the text of a JSON object.
    pub metadata: String,
    /// Whether pages leave it out.
    pub hidden: bool,
    /// Whether the provider is not asked if the credentials hold.
    pub skip_test: bool,
    /// Where the request was sent to: this installation, which is no destination.
    pub origin: String,
}

/// Creates a connection.
///
/// # Errors
/// `NotFound` when the organization has no such workspace; `Invalid` and `Refused` as
/// [`form::read`].
pub async fn create<P: Platform>(platform: &P, actor: &Actor, new: NewConnection) -> Result<Saved> {
    let control = platform.control();
    let own_hosts = own_hosts(platform, Some(&new.origin));
    let policy = url_policy(platform, &own_hosts);
    let form = form::read(new.destination, &new.metadata, None, |_| false, &policy);
    let form = with_name(Some(&new.name), form)?;
    check_may_set(actor, &form)?;
    let workspace = workspaces::find(control, &actor.scope, &new.workspace).await?;
    let now_ms = platform.now_ms();
    let mut connection = Connection {
        id: new.id.unwrap_or_else(|| new_id(platform)),
        workspace: workspace.id,
        workspace_name: workspace.name,
        shard: workspace.shard,
        kind: new.destination.about().key.to_owned(),
        name: new.name,
        settings: form.values.to_stored(),
        options: form.options.clone(),
        credentials: SealedCredentials::new(),
        active: true,
        inactive_reason: None,
        warning: None,
        hidden: new.hidden,
        created_by: actor.created_by.clone(),
        created_at_ms: now_ms,
        updated_at_ms: now_ms,
        version: 1,
        secret: None,
    };
    let (destination, skip) = (new.destination, new.skip_test);
    let credentials_checked =
        check_with_provider(platform, destination, &connection, &form, skip).await?;
    connection.credentials = sealed(platform, &connection, &form);
    // A connection saved without a secret gets one that nobody is shown, so that it signs all the
    // same; the customer sets their own later.
    let fresh = form.signing.is_some().then(|| {
        NewSigningSecret::wished(platform, &form)
            .unwrap_or_else(|| NewSigningSecret::generated(platform, SetBy::Generated))
    });
    let secret = fresh.as_ref().map(|fresh| seal_signing(platform, &connection, 1, fresh));
    let quota = platform.settings().quotas.connections_per_workspace;
    let change = changes::of(platform, actor, &connection.workspace, &connection, Action::Created);
    connections::insert(control, &connection, secret.as_ref(), quota, &change).await?;
    connection.secret = secret.map(|secret| row(secret, now_ms));
    let (shown_secret, advice) = fresh.as_ref().map(NewSigningSecret::told).unwrap_or_default();
    Ok(Saved { connection, shown_secret, advice, credentials_checked, warnings: form.warnings })
}

/// What a caller wants to change.
pub struct Change {
    /// New name.
    pub name: Option<String>,
    /// New settings and secrets, the text of a JSON object.
    pub metadata: Option<String>,
    /// Whether pages leave it out.
    pub hidden: Option<bool>,
    /// Whether the provider is not asked if new credentials hold.
    pub skip_test: bool,
    /// Where the request was sent to: this installation, which is no destination.
    pub origin: String,
}

/// Changes a connection of the version that is expected. A new signing secret takes the old one's
/// place at once.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Invalid` and `Refused` as
/// [`form::read`], and `Refused` naming the credentials that must be entered again;
/// `PreconditionFailed` when the connection is of another version.
pub async fn update<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    change: &Change,
    expected: &Expected,
) -> Result<Saved> {
    let control = platform.control();
    changing(async || {
        let mut connection = connections::find(control, &actor.scope, id).await?;
        expected.check(&connection.tag())?;
        let before = connection.clone();
        let form = changed(platform, actor, &connection, change)?;
        let (destination, _) = parts(&connection)?;
        let skip = change.skip_test;
        let credentials_checked =
            check_with_provider(platform, destination, &connection, &form, skip).await?;
        connection.name = change.name.clone().unwrap_or(connection.name);
        connection.hidden = change.hidden.unwrap_or(connection.hidden);
        connection.updated_at_ms = platform.now_ms();
        connection.settings = form.values.to_stored();
        connection.options = form.options.clone();
        connection.credentials = sealed(platform, &connection, &form);
        let fresh = NewSigningSecret::wished(platform, &form);
        let next = connection.secret.as_ref().map_or(1, |secret| secret.number + 1);
        let secret = fresh.as_ref().map(|fresh| seal_signing(platform, &connection, next, fresh));
        let told = changes::updated_whole(platform, actor, &before, &connection, secret.is_some())?;
        if !connections::update(control, &connection, secret.as_ref(), told.as_ref()).await? {
            return Ok(None);
        }
        ask::changed(platform, &connection.workspace).await;
        connection.version += 1;
        if let Some(secret) = secret {
            connection.secret = Some(row(secret, connection.updated_at_ms));
        }
        let (shown_secret, advice) = fresh.as_ref().map(NewSigningSecret::told).unwrap_or_default();
        let warnings = form.warnings;
        Ok(Some(Saved { connection, shown_secret, advice, credentials_checked, warnings }))
    })
    .await
}

/// What a change makes of a connection as it is stored, checked.
fn changed<P: Platform>(
    platform: &P,
    actor: &Actor,
    connection: &Connection,
    change: &Change,
) -> Result<Form> {
    let (destination, current) = parts(connection)?;
    let metadata = change.metadata.as_deref().unwrap_or("{}");
    let is_set = |field: &str| connection.credentials.contains_key(field);
    let stored = Some((&current, &connection.options));
    let own_hosts = own_hosts(platform, Some(&change.origin));
    let policy = url_policy(platform, &own_hosts);
    let form = form::read(destination, metadata, stored, is_set, &policy);
    let form = with_name(change.name.as_deref(), form)?;
    check_may_set(actor, &form)?;
    check_origin_kept(destination, connection, &current, &form)?;
    let signing = destination.signing(&current).map_err(Error::internal)?;
    if form.signing_secret == SecretChange::Keep && form.signing != signing {
        check_kept_secret(platform, connection, &form)?;
    }
    Ok(form)
}

/// Makes `given` the current signing secret, or a generated one. The former goes on signing beside
/// it for `overlap_s` seconds.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Invalid` naming `secret`; `Refused`
/// naming `overlap_seconds` when it is out of bounds or too many secrets are live.
pub async fn rotate<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    given: Option<Secret>,
    overlap_s: Option<i64>,
) -> Result<Saved> {
    let control = platform.control();
    let mut connection = connections::find(control, &actor.scope, id).await?;
    let Some(signing) = signing(&connection)? else {
        return Err(Error::new(Kind::Refused, "Requests of this connection are not signed"));
    };
    let scheme = signing.scheme;
    if !actor.handles_secrets {
        return Err(only_in_embed(["secret".to_owned()]));
    }
    let overlap_ms = overlap_ms(scheme, overlap_s)
        .map_err(|msg| Error::field("overlap_seconds", msg).of_kind(Kind::Refused))?;
    let fresh = match given {
        Some(secret) => {
            check_is_new(platform, &connection, &secret)?;
            NewSigningSecret::given(scheme, secret).map_err(|msg| Error::field("secret", msg))?
        }
        None => NewSigningSecret::generated(platform, SetBy::Shown),
    };
    let number = connection.secret.as_ref().map_or(1, |secret| secret.number + 1);
    let secret = seal_signing(platform, &connection, number, &fresh);
    let change = changes::rotated_secret(platform, actor, &connection);
    let now_ms = change.at_ms;
    secrets::rotate(control, &connection, &secret, now_ms + overlap_ms, &change).await?;
    connection.secret = Some(row(secret, now_ms));
    connection.version += 1;
    let (shown_secret, advice) = fresh.told();
    Ok(Saved { connection, shown_secret, advice, credentials_checked: None, warnings: vec![] })
}

/// Ends the overlap of a rotation: from now on the newest secret alone signs.
///
/// # Errors
/// `NotFound` when the actor has no such connection.
pub async fn end_overlap<P: Platform>(platform: &P, actor: &Actor, id: &str) -> Result<()> {
    let control = platform.control();
    let found = connections::find(control, &actor.scope, id).await?;
    let change = changes::of(platform, actor, &found.workspace, &found, Action::OverlapEnded);
    secrets::end_overlap(control, &found.workspace, id, &change).await
}

/// Deletes a connection; what it still owed is canceled.
///
/// # Errors
/// `NotFound` when the organization has no such connection; `Conflict` when rules use it and
/// `force` is not set; `PreconditionFailed` when it is of another version.
pub async fn delete<P: Platform>(
    platform: &P,
    actor: &Actor,
    id: &str,
    force: bool,
    expected: &Expected,
) -> Result<Connection> {
    let control = platform.control();
    let connection = connections::find(control, &actor.scope, id).await?;
    expected.check(&connection.tag())?;
    let (shard, workspace) = (connection.shard, connection.workspace.clone());
    let version = (!expected.is_any()).then_some(connection.version);
    let change = changes::of(platform, actor, &workspace, &connection, Action::Deleted);
    if !deleted_connections::delete(control, &workspace, id, force, version, &change).await? {
        expected.check(&connections::find(control, &actor.scope, id).await?.tag())?;
        let used = "Rules send to this connection. Delete them first, or pass force_delete: true";
        return Err(Error::new(Kind::Conflict, used).with_code(Code::InUse));
    }
    ask::changed(platform, &workspace).await;
    settle_deleted(platform, ConnectionQueue { shard, workspace, connection: id.to_owned() }).await;
    Ok(connection)
}

/// Cancels what a connection that is gone still owed, and empties its lane. A failure is logged:
/// the connection is gone all the same, and the consumer cancels what it meets of it.
pub async fn settle_deleted<P: Platform>(platform: &P, line: ConnectionQueue) {
    let now_ms = platform.now_ms();
    let canceled = match history_db(platform, line.shard) {
        Ok(log) => {
            let (workspace, connection) = (&line.workspace, &line.connection);
            deliveries::cancel_connection(log, workspace, connection, now_ms, CANCEL_STEP).await
        }
        Err(error) => Err(error),
    };
    for done in [canceled, lanes::forget(platform, &line).await] {
        if let Err(error) = done {
            let line = json!({"at": "delete_connection",
                "connection": line.connection, "error": error.detail});
            platform.log_event(&line);
        }
    }
}

/// The form, if the name beside it is good too; else all that is wrong with both.
fn with_name(name: Option<&str>, form: Result<Form>) -> Result<Form> {
    let Some(Err(msg)) = name.map(label) else { return form };
    let mut error = Error::field("name", msg);
    error.fields.extend(form.err().into_iter().flat_map(Error::into_fields));
    Err(error)
}

fn row(secret: NewSecret, now_ms: i64) -> SecretRow {
    SecretRow {
        number: secret.number,
        set_by: secret.set_by,
        created_at_ms: now_ms,
        sealed: secret.sealed,
    }
}

fn seal_signing<P: Platform>(
    platform: &P,
    connection: &Connection,
    number: u32,
    fresh: &NewSigningSecret,
) -> NewSecret {
    let field = SealedSigningSecret::field(number);
    let place = place(connection, &field);
    let sealed = platform.settings().master_keys.seal(platform.bytes(), &place, &fresh.secret);
    NewSecret { number, sealed, set_by: fresh.set_by }
}

/// The destination of a stored connection, and its settings.
///
/// # Errors
/// `Internal` when what is stored cannot be read.
pub fn parts(connection: &Connection) -> Result<(&'static dyn Destination, Values)> {
    let destination = destinations::stored(&connection.kind).map_err(Error::internal)?;
    Ok((destination, Values::stored(&connection.settings).map_err(Error::internal)?))
}

/// How the requests of a stored connection are signed; `None` when they are not.
///
/// # Errors
/// `Internal` when what is stored cannot be read.
pub fn signing(connection: &Connection) -> Result<Option<Signing>> {
    let (destination, values) = parts(connection)?;
    destination.signing(&values).map_err(Error::internal)
}
