//! What the cron does: bring back what was lost, count, clean up.

pub mod deleted_workspaces;
pub mod quotas;
pub mod rollups;
pub mod sweep;
