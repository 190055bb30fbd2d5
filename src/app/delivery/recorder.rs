//! Records what attempts led to: in LOG with the modes of the connections' lanes, in CONTROL where
//! it means something for a connection.

use crate::app::activation;
use crate::app::common::{group_by_key, history_db};
use crate::app::delivery::attempt::{AttemptResult, ConnectionEffect};
use crate::domain::base::error::Result;
use crate::domain::base::json::json;
use crate::domain::connection::health::Warning;
use crate::domain::connection::model::InactiveReason;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::Mode;
use crate::ports::Platform;
use crate::store::deliveries::{self, DeliveryUpdate, InternalFault};
use crate::store::lanes::{self, Raise};

/// What is known of one job after it was done.
#[derive(Debug)]
pub struct FinishedJob {
    /// The job.
    pub job: Job,
    /// What it led to.
    pub done: AttemptResult,
}

/// Records finished jobs, all of one shard together. An unknown result is repeated once, which is
/// harmless: a record takes effect only on a delivery that still owes this very attempt. Returns
/// the jobs that could not be recorded; the attempt is then made again, under the same message id.
pub async fn record<P: Platform>(platform: &P, finished: Vec<FinishedJob>) -> Vec<Job> {
    let mut unrecorded = Vec::new();
    for (shard, finished) in group_by_key(finished, |one| one.job.shard) {
        let inactive = inactive(&finished);
        let set = Set::of(finished);
        activation::mark_inactive(platform, &inactive).await;
        let result = write_or_repeat(platform, shard, &set).await;
        activation::hold_inactive(platform, shard, &inactive).await;
        activation::warn(platform, &set.warnings).await;
        set.jobs.iter().for_each(|job| platform.in_flight().borrow_mut().end(&job.key()));
        if let Err(error) = result {
            platform.log_event(&json!({"at": "record", "shard": shard, "lost": set.jobs.len(),
                "error": error.to_string()}));
            unrecorded.extend(set.jobs);
        }
    }
    unrecorded
}

/// What is written together.
#[derive(Default)]
struct Set {
    jobs: Vec<Job>,
    attempted: Vec<DeliveryUpdate>,
    faulted: Vec<InternalFault>,
    raised: Vec<Raise>,
    /// Connections on which something succeeded at last, as (workspace, connection).
    recovered: Vec<(String, String)>,
    warnings: Vec<Warning>,
}

impl Set {
    fn of(finished: Vec<FinishedJob>) -> Self {
        let mut set = Self::default();
        for FinishedJob { job, done } in finished {
            match done {
                AttemptResult::DeliveryUpdate { attempted, meaning } => {
                    set.note(&job, &meaning);
                    set.attempted.push(*attempted);
                }
                AttemptResult::InternalFault(faulted) => set.faulted.push(faulted),
            }
            set.jobs.push(job);
        }
        set
    }

    fn note(&mut self, job: &Job, meaning: &ConnectionEffect) {
        let (workspace, connection) = (job.workspace.clone(), job.connection.clone());
        let same = |w: &str, c: &str| w == workspace && c == connection;
        if meaning.warning.is_some() || meaning.ends_warning {
            self.warnings.retain(|warning| !same(&warning.workspace, &warning.connection));
            let (workspace, connection) = (workspace.clone(), connection.clone());
            self.warnings.push(Warning { workspace, connection, says: meaning.warning });
        }
        if meaning.ends_failing && !self.recovered.iter().any(|(w, c)| same(w, c)) {
            self.recovered.push((workspace.clone(), connection.clone()));
        }
        if !meaning.failed {
            return;
        }
        let mode = if meaning.less_until_ms.is_some() { Mode::Engaged } else { Mode::Watch };
        match self.raised.iter_mut().find(|raise| same(&raise.workspace, &raise.connection)) {
            Some(raise) => raise.mode = raise.mode.max(mode),
            None => self.raised.push(Raise { workspace, connection, mode, failed: true }),
        }
    }
}

/// An unknown result is repeated once.
async fn write_or_repeat<P: Platform>(platform: &P, shard: u16, set: &Set) -> Result<()> {
    match write(platform, shard, set).await {
        Ok(()) => Ok(()),
        Err(_) => write(platform, shard, set).await,
    }
}

async fn write<P: Platform>(platform: &P, shard: u16, set: &Set) -> Result<()> {
    let (log, now_ms) = (history_db(platform, shard)?, platform.now_ms());
    if !set.attempted.is_empty() {
        let recovered = set.recovered.iter().map(|(w, c)| (w.as_str(), c.as_str()));
        let recovered: Vec<_> = recovered.collect();
        let statements = lanes::raise(&set.raised, now_ms)
            .into_iter()
            .chain(lanes::succeeded(&recovered))
            .collect();
        deliveries::record(log, &set.attempted, statements).await?;
    }
    if !set.faulted.is_empty() {
        deliveries::fault(log, &set.faulted, now_ms).await?;
    }
    Ok(())
}

/// The connections that become inactive, as (workspace, connection, why).
fn inactive(finished: &[FinishedJob]) -> Vec<(String, String, InactiveReason)> {
    let mut inactive = Vec::new();
    for FinishedJob { job, done } in finished {
        if let AttemptResult::DeliveryUpdate {
            meaning: ConnectionEffect { inactive: Some(reason), .. },
            ..
        } = done
        {
            inactive.push((job.workspace.clone(), job.connection.clone(), *reason));
        }
    }
    inactive
}
