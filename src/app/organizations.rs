//! Creating an organization with its first machine key.

use super::keys::machine_key_place;
use super::new_id;
use crate::domain::api_key;
use crate::domain::error::Result;
use crate::domain::secret::Secret;
use crate::ports::Platform;
use crate::store::organizations;

/// A new organization. The secret is shown this once.
#[derive(Debug)]
pub struct Created {
    /// Its id.
    pub id: String,
    /// When it was created.
    pub created_at_ms: i64,
    /// Access key of its first machine key.
    pub access_key: String,
    /// That key's secret.
    pub secret_key: Secret,
}

/// Creates an organization with this name.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn create<P: Platform>(platform: &P, name: &str) -> Result<Created> {
    let id = new_id(platform);
    let (access_key, secret_key) = api_key::machine_key(platform.bytes(), platform.bytes());
    let place = machine_key_place(&id, &access_key);
    let sealed = platform.settings().master_keys.seal(platform.bytes(), &place, &secret_key);
    let now_ms = platform.now_ms();
    let control = platform.control();
    organizations::insert_with_key(control, &id, name, &access_key, &sealed, now_ms).await?;
    Ok(Created { id, created_at_ms: now_ms, access_key, secret_key })
}
