//! What holds for a connection's secrets and credentials: who may set them, where they are sealed
//! for, and where they may be sent.

use std::collections::BTreeMap;

use subtle::ConstantTimeEq;
use url::Url;

use crate::app::outgoing;
use crate::destinations::Destination;
use crate::destinations::call::Account;
use crate::destinations::form::{Form, SecretChange};
use crate::destinations::model::{CUSTOM_HEADER, Field, Kind as FieldKind, Values, header_field};
use crate::domain::base::error::{Code, Error, FieldError, Kind, Result};
use crate::domain::base::reason::Reason;
use crate::domain::base::secret::{SealContext, Sealed, Secret};
use crate::domain::connection::model::{Credentials, SealedCredentials, SealedSigningSecret};
use crate::domain::connection::signing;
use crate::domain::tenants::actor::Actor;
use crate::ports::Platform;
use crate::store::connections::Connection;

/// An organization can keep secrets and credentials out of its own hands.
///
/// # Errors
/// `Refused` naming each that this call would set.
pub fn check_may_set(actor: &Actor, form: &Form) -> Result<()> {
    if actor.handles_secrets {
        return Ok(());
    }
    let secret = match form.signing_secret {
        SecretChange::Keep => None,
        SecretChange::Use(_) => Some("signing_secret"),
        SecretChange::Generate => Some("generate_secret"),
    };
    let credentials = form.credentials.keys().map(|field| match field.starts_with(CUSTOM_HEADER) {
        true => "custom_headers",
        false => field,
    });
    let named: Vec<String> =
        secret.into_iter().chain(credentials).map(|field| format!("metadata.{field}")).collect();
    if named.is_empty() { Ok(()) } else { Err(only_in_embed(named)) }
}

/// The error of what may be set in the embed only.
pub fn only_in_embed(named: impl IntoIterator<Item = String>) -> Error {
    let msg = "is set in the embed only, as this organization decided (secrets_in_embed_only)";
    let field = |param| FieldError::new(param, msg);
    Error::fields(named.into_iter().map(field).collect()).of_kind(Kind::Refused)
}

/// What authenticates requests belongs to the receiver that it was given for. Where another scheme,
/// host or port is to be called, it has to be entered again: who may change a URL could otherwise
/// read what is write-only. Signing secrets stay, since the receiver learns nothing by them.
///
/// # Errors
/// `Refused` naming each that must be entered again.
pub fn check_origin_kept(
    destination: &dyn Destination,
    connection: &Connection,
    current: &Values,
    form: &Form,
) -> Result<()> {
    let fields = destination.about().fields;
    let origin = |url: &str| Url::parse(url).ok().map(|url| url.origin());
    let is_moved = |field: &&Field| {
        let (before, after) = (current.text(field.key), form.values.text(field.key));
        field.kind.is_url() && before != after && origin(before) != origin(after)
    };
    if fields.iter().find(is_moved).is_none() {
        return Ok(());
    }
    let is_kept = |name: &&String| {
        connection.credentials.contains_key(*name) && !form.credentials.contains_key(*name)
    };
    let headers = fields.iter().filter(|field| matches!(field.kind, FieldKind::Headers(_)));
    let headers: Vec<(String, String)> = headers
        .flat_map(|field| {
            let names = form.values.names(field.key).into_iter().enumerate();
            names.map(|(at, name)| (header_field(name), format!("{}[{at}].value", field.key)))
        })
        .collect();
    let param = |name: &String| {
        let header = headers.iter().find(|(field, _)| field == name);
        format!("metadata.{}", header.map_or(name, |(_, param)| param))
    };
    let named = form.credential_names.iter().filter(is_kept);
    let asked: Vec<FieldError> =
        named.map(|name| FieldError::new(param(name), Reason::EnterAgain)).collect();
    if asked.is_empty() { Ok(()) } else { Err(Error::fields(asked).of_kind(Kind::Refused)) }
}

/// The stored credentials of a connection, opened.
///
/// # Errors
/// `Internal` when one does not open.
pub fn open<P: Platform>(platform: &P, connection: &Connection) -> Result<Credentials> {
    let keys = &platform.settings().master_keys;
    let mut opened = Credentials::new();
    for (field, sealed) in &connection.credentials {
        let secret = keys.open(&place(connection, field), sealed);
        let told = |e| Error::internal(format!("{field} of {}: {e}", connection.id));
        opened.insert(field.clone(), secret.map_err(told)?);
    }
    Ok(opened)
}

/// Asks the provider whether new credentials hold, before they are stored: `None` where there is
/// nothing new or nothing to ask, `false` when the provider did not say or is not asked.
///
/// # Errors
/// `Refused` with the provider's words, naming the new credentials.
pub async fn check_with_provider<P: Platform>(
    platform: &P,
    destination: &dyn Destination,
    connection: &Connection,
    form: &Form,
    skip: bool,
) -> Result<Option<bool>> {
    if form.credentials.is_empty() {
        return Ok(None);
    }
    let mut credentials = open(platform, connection)?;
    credentials.extend(form.credentials.clone());
    credentials.retain(|name, _| form.credential_names.contains(name));
    let account = Account { values: &form.values, credentials: &credentials };
    if skip {
        return Ok(destination.test_call(&account).map(|_| false));
    }
    outgoing::check_account(platform, destination, &account).await.map_err(|told| {
        let told = Reason::Refused(told);
        let field = |name: &String| FieldError::new(format!("metadata.{name}"), told.clone());
        let error = Error::fields(form.credentials.keys().map(field).collect());
        error.of_kind(Kind::Refused).with_code(Code::CredentialsRefused)
    })
}

/// Where a value of a connection is sealed for.
pub fn place<'a>(connection: &'a Connection, field: &'a str) -> SealContext<'a> {
    SealContext { owner: &connection.workspace, record: &connection.id, field }
}

/// Another scheme may read the stored secret as other key bytes; it must still be usable.
///
/// # Errors
/// `Invalid` naming `metadata.signing_scheme` when it is not.
pub fn check_kept_secret<P: Platform>(
    platform: &P,
    connection: &Connection,
    form: &Form,
) -> Result<()> {
    let (Some(secret), Some(signing)) = (current_secret(platform, connection)?, &form.signing)
    else {
        return Ok(());
    };
    match signing::check_secret(signing.scheme, secret.expose()) {
        Ok(_) => Ok(()),
        Err(msg) => Err(Error::field(
            "metadata.signing_scheme",
            format!("needs a new signing_secret, because the stored one does not fit: {msg}"),
        )),
    }
}

/// A rotation is to another secret: the same one would sign twice.
///
/// # Errors
/// `Conflict` naming `secret` when it is the current one.
pub fn check_is_new<P: Platform>(
    platform: &P,
    connection: &Connection,
    given: &Secret,
) -> Result<()> {
    let current = current_secret(platform, connection)?;
    let same = |current: Secret| {
        bool::from(ConstantTimeEq::ct_eq(current.expose().as_bytes(), given.expose().as_bytes()))
    };
    if !current.is_some_and(same) {
        return Ok(());
    }
    let msg = "is the current secret already; rotate to another one";
    Err(Error::field("secret", msg).of_kind(Kind::Conflict).with_code(Code::Duplicate))
}

/// The newest signing secret, opened.
fn current_secret<P: Platform>(platform: &P, connection: &Connection) -> Result<Option<Secret>> {
    let Some(stored) = &connection.secret else { return Ok(None) };
    let field = SealedSigningSecret::field(stored.number);
    let keys = &platform.settings().master_keys;
    let opened = keys.open(&place(connection, &field), &stored.sealed);
    opened.map(Some).map_err(|e| Error::internal(format!("connection {}: {e}", connection.id)))
}

/// The credentials as they will be stored: the new values sealed, of the old ones those still used.
pub fn sealed<P: Platform>(
    platform: &P,
    connection: &Connection,
    form: &Form,
) -> SealedCredentials {
    let keys = &platform.settings().master_keys;
    let mut kept = BTreeMap::new();
    for field in &form.credential_names {
        let sealed = match form.credentials.get(field) {
            Some(value) => {
                let place = place(connection, field);
                Some(keys.seal(platform.bytes(), &place, value))
            }
            None => connection
                .credentials
                .get(field)
                .map(|kept| resealed(platform, connection, field, kept)),
        };
        kept.extend(sealed.map(|sealed| (field.clone(), sealed)));
    }
    kept
}

/// A value that is kept, sealed with the newest key; as it was where it does not open.
fn resealed<P: Platform>(
    platform: &P,
    connection: &Connection,
    field: &str,
    kept: &Sealed,
) -> Sealed {
    let keys = &platform.settings().master_keys;
    let again = keys.reseal(platform.bytes(), &place(connection, field), kept);
    again.ok().flatten().unwrap_or_else(|| kept.clone())
}
