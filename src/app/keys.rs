//! Who is calling: machine tokens and the operator's token.

use subtle::{Choice, ConstantTimeEq};

use crate::app::rate_limits::count;
use crate::app::reseal;
use crate::domain::base::error::{Error, Kind, Result};
use crate::domain::base::secret::{Sealed, Secret};
use crate::domain::tenants::actor::{Actor, Scope};
use crate::domain::tenants::api_key::{MachineToken, machine_key_place};
use crate::domain::tenants::change::Author;
use crate::ports::{Limited, Platform};
use crate::store::machine_keys;

/// How records name a machine key as their creator.
pub fn created_by(access_key: &str) -> String {
    format!("machine_key:{access_key}")
}

/// Characters of the operator's token: fewer can be guessed.
const ADMIN_TOKEN_CHARS_MIN: usize = 32;

/// Checks the operator's token. While it is rotated `ADMIN_TOKEN` holds two, separated by a comma.
///
/// # Errors
/// `Unauthenticated` when it is another; `Unavailable` when the installation has no token that
/// could not be guessed.
pub fn check_admin<P: Platform>(platform: &P, token: &str) -> Result<()> {
    let tokens = platform.settings().admin_token.split(',').map(str::trim).take(2);
    let tokens: Vec<&str> =
        tokens.filter(|token| token.chars().count() >= ADMIN_TOKEN_CHARS_MIN).collect();
    if tokens.is_empty() {
        let msg = format!(
            "This installation takes no calls of its operator: ADMIN_TOKEN must have at least \
             {ADMIN_TOKEN_CHARS_MIN} characters"
        );
        return Err(Error::new(Kind::Unavailable, msg));
    }
    // All are compared, so that the time tells nothing.
    let same = tokens.iter().map(|expected| expected.as_bytes().ct_eq(token.as_bytes()));
    let same = same.fold(Choice::from(0), |any, one| any | one);
    if same.into() { Ok(()) } else { Err(Error::unauthenticated("The admin token is not valid")) }
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
    verify_token(platform, &token, key.as_ref().map(|key| &key.secret)).await?;
    counting.check(platform).await?;
    Ok(Actor {
        created_by: created_by(&token.access_key),
        author: Author::machine_key(&token.access_key),
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

/// Checks a token against the sealed secret of its key, if there is such a key. Who calls with a
/// key of which the secret is sealed with an older master key has it sealed anew.
///
/// # Errors
/// `Unauthenticated` when the token does not hold, `Internal` when the secret does not open.
pub async fn verify_token<P: Platform>(
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
    token.verify(&secret, platform.now_ms()).map_err(Error::unauthenticated)?;
    reseal::machine_key_was_read(platform, &token.organization, &token.access_key, sealed).await;
    Ok(())
}
