//! What the cron does: bring back what was lost, count, clean up.

pub mod budget;
pub mod clean;
pub mod deleted_organizations;
pub mod deleted_workspaces;
pub mod notices;
pub mod quotas;
pub mod retention;
pub mod rollups;
pub mod storage;
pub mod sweep;
pub mod tasks;
