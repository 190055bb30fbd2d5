//! Retiring a master key. What an older key has sealed is sealed anew with the newest one: when it
//! is read to be used, by the upkeep in bounded steps, and when the operator asks for it. Once
//! nothing is left an older key can be taken out of `MASTER_KEYS`.
//!
//! Installations with one key do nothing here.

use serde_json::json;

use crate::domain::base::error::Result;
use crate::domain::base::limits::{RESEAL_MINUTES, RESEAL_STEPS, RESEALED_BYTES};
use crate::domain::base::secret::{SealContext, Sealed};
use crate::domain::base::time::MINUTE_MS;
use crate::domain::connection::model::{SealedCredentials, SealedSigningSecret, Target};
use crate::domain::tenants::api_key::machine_key_place;
use crate::ports::Platform;
use crate::store::reseal::{self, Holder, KeyCount, Record};
use crate::store::targets::{self, Wanted};

/// What a step did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Records whose values are sealed with the newest key now.
    pub resealed: usize,
    /// Records with values that do not open.
    pub failed: usize,
}

/// How many values each master key has sealed, those of the configuration first, the newest in
/// front; then keys that are not in it.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn counts<P: Platform>(platform: &P) -> Result<Vec<KeyCount>> {
    let keys = &platform.settings().master_keys;
    let mut found = reseal::counts(platform.control(), platform.now_ms()).await?;
    let configured = std::iter::once(keys.newest_id()).chain(keys.older_ids());
    let mut counts: Vec<KeyCount> = configured
        .map(|id| match found.iter().position(|count| count.key == id) {
            Some(at) => found.remove(at),
            None => KeyCount { key: id.to_owned(), values: 0 },
        })
        .collect();
    counts.append(&mut found);
    Ok(counts)
}

/// Seals some of what older keys have sealed anew.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn step<P: Platform>(platform: &P) -> Result<Resealed> {
    let older = platform.settings().master_keys.older_ids();
    if older.is_empty() {
        return Ok(Resealed::default());
    }
    let found = reseal::find(platform.control(), &older, platform.now_ms()).await?;
    store(platform, found).await
}

/// The turn of the upkeep.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn advance<P: Platform>(platform: &P) -> Result<()> {
    let minute = platform.now_ms() / MINUTE_MS;
    if platform.settings().master_keys.older_ids().is_empty() || minute % RESEAL_MINUTES != 0 {
        return Ok(());
    }
    let mut done = Resealed::default();
    for _ in 0..RESEAL_STEPS {
        let step = step(platform).await?;
        done.resealed += step.resealed;
        done.failed = step.failed;
        if step.resealed == 0 {
            break;
        }
    }
    if done != Resealed::default() {
        let Resealed { resealed, failed } = done;
        platform.log_event(&json!({"at": "reseal", "resealed": resealed, "failed": failed}));
    }
    Ok(())
}

/// Reads connections that will be called; what an older key has sealed is sealed anew.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find_targets<P: Platform>(
    platform: &P,
    connections: &[Wanted<'_>],
) -> Result<Vec<Target>> {
    let found = targets::find(platform.control(), connections).await?;
    let now_ms = platform.now_ms();
    let records = || found.iter().flat_map(|target| records_of(target, now_ms)).collect();
    were_read(platform, records).await;
    Ok(found)
}

/// A machine key was used whose secret is sealed so.
pub async fn machine_key_was_read<P: Platform>(
    platform: &P,
    organization: &str,
    access_key: &str,
    sealed: &Sealed,
) {
    let record = || Record {
        holder: Holder::MachineKey,
        owner: organization.to_owned(),
        id: access_key.to_owned(),
        number: 0,
        text: sealed.as_text().to_owned(),
    };
    were_read(platform, || vec![record()]).await;
}

/// Whoever reads goes on whatever becomes of this.
async fn were_read<P: Platform>(platform: &P, records: impl FnOnce() -> Vec<Record>) {
    if platform.settings().master_keys.older_ids().is_empty() {
        return;
    }
    if let Err(error) = store(platform, records()).await {
        platform.log_event(&json!({"at": "reseal", "error": error.to_string()}));
    }
}

async fn store<P: Platform>(platform: &P, records: Vec<Record>) -> Result<Resealed> {
    let (mut resealed, mut failed, mut bytes) = (Vec::new(), 0, 0);
    for record in records {
        bytes += record.text.len();
        if bytes > RESEALED_BYTES {
            // The rest has its turn later.
            break;
        }
        match reseal(platform, &record) {
            Ok(Some(text)) => resealed.push((record, text)),
            Ok(None) => {}
            Err(why) => {
                failed += 1;
                let holder: &str = record.holder.into();
                platform.log_event(&json!({"at": "reseal", "holder": holder, "id": record.id,
                    "error": why}));
            }
        }
    }
    if resealed.is_empty() {
        return Ok(Resealed { resealed: 0, failed });
    }
    Ok(Resealed { resealed: reseal::put(platform.control(), &resealed).await?, failed })
}

/// What a record holds, sealed with the newest key; `None` when it is already.
fn reseal<P: Platform>(
    platform: &P,
    record: &Record,
) -> std::result::Result<Option<String>, String> {
    let again = |place: &SealContext, sealed: &Sealed| {
        let keys = &platform.settings().master_keys;
        keys.reseal(platform.bytes(), place, sealed).map_err(|e| format!("{}: {e}", place.field))
    };
    let (owner, id) = (record.owner.as_str(), record.id.as_str());
    let one = || Sealed::from_text(record.text.clone());
    let text = |sealed: Sealed| sealed.as_text().to_owned();
    match record.holder {
        Holder::MachineKey => Ok(again(&machine_key_place(owner, id), &one())?.map(text)),
        Holder::SigningSecret => {
            let field = SealedSigningSecret::field(record.number);
            let place = SealContext { owner, record: id, field: &field };
            Ok(again(&place, &one())?.map(text))
        }
        Holder::Credentials => {
            let mut values: SealedCredentials =
                serde_json::from_str(&record.text).map_err(|e| e.to_string())?;
            let mut is_changed = false;
            for (field, sealed) in &mut values {
                let place = SealContext { owner, record: id, field };
                if let Some(new) = again(&place, sealed)? {
                    *sealed = new;
                    is_changed = true;
                }
            }
            let text = serde_json::to_string(&values).map_err(|e| e.to_string())?;
            Ok(is_changed.then_some(text))
        }
    }
}

/// The records of a connection that can be opened, as they are stored.
fn records_of(target: &Target, now_ms: i64) -> Vec<Record> {
    let record = |holder, number, text| {
        let (owner, id) = (target.workspace.clone(), target.connection.clone());
        Record { holder, owner, id, number, text }
    };
    let live = target.secrets.iter().filter(|secret| secret.is_live(now_ms));
    let secrets = live.map(|secret| {
        record(Holder::SigningSecret, secret.number, secret.sealed.as_text().to_owned())
    });
    let credentials = serde_json::to_string(&target.credentials).unwrap_or_default();
    secrets.chain([record(Holder::Credentials, 0, credentials)]).collect()
}
