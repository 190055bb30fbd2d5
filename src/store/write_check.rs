//! Whether a LOG shard can be written.

use crate::domain::base::error::Result;
use crate::ports::Database;
use crate::store::{run, statement};

/// It changes no row, so it costs none, but the database has to begin a write for it.
const CHECK: &str = "update rollup_progress set id = id where id = ?1";

/// Tries a write.
///
/// # Errors
/// When the shard cannot be written, or does not answer.
pub async fn try_write(log: &impl Database) -> Result<()> {
    run(log, vec![statement(CHECK, [(-1i64).into()])]).await.map(drop)
}
