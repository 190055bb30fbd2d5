//! Who is calling: machine tokens and the operator's token.

use subtle::ConstantTimeEq;

use crate::app::rate_limits::count;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::secret::{SealContext, Sealed, Secret};
use crate::domain::tenants::actor::{Actor, Scope};
use crate::domain::tenants::api_key::MachineToken;
use crate::ports::{Limited, Platform};
use crate::store::machine_keys;

/// How records name a machine key as their creator.
pub fn created_by(access_key: &str) -> String {
    format!("machine_key:{access_key}")
}

/// Where a machine key's secret is sealed for.
pub fn machine_key_place<'a>(organization: &'a str, access_key: &'a str) -> SealContext<'a> {
    SealContext { owner: organization, record: access_key, field: "secret_key" }
}

/// Checks the operator's token.
///
/// # Errors
/// `Unauthenticated` when it is another.
pub fn check_admin<P: Platform>(platform: &P, token: &str) -> Result<()> {
    let expected = platform.settings().admin_token.as_bytes();
    let same: bool = expected.ct_eq(token.as_bytes()).into();
    // An installation without a token has no operator, not one with an empty token.
    if same && !expected.is_empty() {
        Ok(())
    } else {
        Err(Error::unauthenticated("The admin token is not valid"))
    }
}

/// The caller that a bearer token stands for.
///
/// # Errors
/// `Unauthenticated` when the token does not hold, `RateLimited` when its key is used too often.
pub async fn authenticate<P: Platform>(platform: &P, token: &str) -> Result<Actor> {
    let token = parse_token(token)?;
    let counting = count(platform, Limited::MachineKey, &token.access_key);
    let control = platform.control();
    let key = machine_keys::find_live(control, &token.organization, &token.access_key).await?;
    verify_token(platform, &token, key.as_ref().map(|key| &key.secret))?;
    counting.check(platform).await?;
    Ok(Actor {
        created_by: created_by(&token.access_key),
        scope: Scope::organization(token.organization),
        handles_secrets: key.is_some_and(|key| !key.secrets_in_embed_only),
    })
}

/// Reads a bearer token without trusting it.
///
/// # Errors
/// `Unauthenticated` saying what is wrong with its form.
pub fn parse_token(token: &str) -> Result<MachineToken> {
    MachineToken::parse(token).map_err(Error::unauthenticated)
}

/// Checks a token against the sealed secret of its key, if there is such a key.
///
/// # Errors
/// `Unauthenticated` when the token does not hold, `Internal` when the secret does not open.
pub fn verify_token<P: Platform>(
    platform: &P,
    token: &MachineToken,
    sealed: Option<&Sealed>,
) -> Result<()> {
    let unknown = "The access key does not exist in this organization, or was revoked";
    let sealed = sealed.ok_or_else(|| Error::unauthenticated(unknown))?;
    let place = machine_key_place(&token.organization, &token.access_key);
    let secret: Secret = platform
        .settings()
        .master_keys
        .open(&place, sealed)
        .map_err(|e| Error::internal(format!("machine key {}: {e}", token.access_key)))?;
    token.verify(&secret, platform.now_ms()).map_err(Error::unauthenticated)
}
