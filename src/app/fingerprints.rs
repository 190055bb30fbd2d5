//! Fingerprints of signing secrets: enough to see that two people speak of the same secret, and
//! nothing to sign with. They are made when they are shown and stored nowhere.

use sha2::{Digest, Sha256};

use crate::app::credentials::place;
use crate::domain::base::secret::Secret;
use crate::domain::connection::model::SealedSigningSecret;
use crate::ports::Platform;
use crate::store::connections::Connection;
use crate::store::secrets::LiveSecret;

/// Bytes of the digest that are shown.
const SHOWN: usize = 4;

/// The fingerprint of each of a connection's secrets; none of one that cannot be opened.
pub fn of_secrets<P: Platform>(
    platform: &P,
    connection: &Connection,
    live: &[LiveSecret],
) -> Vec<Option<String>> {
    let of_one = |secret: &LiveSecret| {
        let field = SealedSigningSecret::field(secret.number);
        let keys = &platform.settings().master_keys;
        keys.open(&place(connection, &field), &secret.sealed).ok().map(|it| fingerprint(&it))
    };
    live.iter().map(of_one).collect()
}

/// The beginning of the SHA-256 of a secret's text, as `sha256sum` prints it.
fn fingerprint(secret: &Secret) -> String {
    let digest = Sha256::digest(secret.expose());
    digest.iter().take(SHOWN).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_what_sha256sum_begins_with() {
        // printf %s abc | sha256sum
        assert_eq!(fingerprint(&Secret::new("abc")), "ba7816bf");
    }
}
