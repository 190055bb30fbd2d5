//! Records what attempts led to, and hints at the attempts to come.

use serde_json::json;

use super::attempt::Done;
use super::wake::wake;
use super::{activation, grouped, log};
use crate::domain::attempt::Outcome;
use crate::domain::error::Result;
use crate::domain::job::Job;
use crate::ports::Platform;
use crate::store::deliveries::{self, Attempted, Faulted};

/// What is known of one job after it was done.
#[derive(Debug)]
pub struct Finished {
    /// The job.
    pub job: Job,
    /// What it led to.
    pub done: Done,
}

/// Records finished jobs, all of one shard together. An unknown result is repeated once, which is
/// harmless: a record takes effect only on a delivery that still owes this very attempt. Returns
/// the jobs that could not be recorded; the attempt is then made again, under the same message id.
pub async fn record<P: Platform>(platform: &P, finished: Vec<Finished>) -> Vec<Job> {
    let mut unrecorded = Vec::new();
    for (shard, finished) in grouped(finished, |one| one.job.shard) {
        let hints = hints(&finished);
        let gone = gone(&finished);
        let (jobs, set) = split(finished);
        activation::mark_gone(platform, &gone).await;
        let result = write_or_repeat(platform, shard, &set).await;
        activation::hold_gone(platform, shard, &gone).await;
        jobs.iter().for_each(|job| platform.in_flight().borrow_mut().end(&job.key()));
        match result {
            Ok(()) => send_hints(platform, hints).await,
            Err(error) => {
                platform.line(&json!({"at": "record", "shard": shard, "lost": jobs.len(),
                    "error": error.to_string()}));
                unrecorded.extend(jobs);
            }
        }
    }
    unrecorded
}

#[derive(Default)]
struct Set {
    attempted: Vec<Attempted>,
    faulted: Vec<Faulted>,
}

fn split(finished: Vec<Finished>) -> (Vec<Job>, Set) {
    let (mut jobs, mut set) = (Vec::new(), Set::default());
    for one in finished {
        jobs.push(one.job);
        match one.done {
            Done::Attempted { attempted, .. } => set.attempted.push(*attempted),
            Done::Faulted(faulted) => set.faulted.push(faulted),
        }
    }
    (jobs, set)
}

/// An unknown result is repeated once.
async fn write_or_repeat<P: Platform>(platform: &P, shard: u16, set: &Set) -> Result<()> {
    match write(platform, shard, set).await {
        Ok(()) => Ok(()),
        Err(_) => write(platform, shard, set).await,
    }
}

async fn write<P: Platform>(platform: &P, shard: u16, set: &Set) -> Result<()> {
    let log = log(platform, shard)?;
    if !set.attempted.is_empty() {
        deliveries::record(log, &set.attempted).await?;
    }
    if !set.faulted.is_empty() {
        deliveries::fault(log, &set.faulted, platform.now_ms()).await?;
    }
    Ok(())
}

/// The connections whose endpoint wants no more, as (workspace, connection).
fn gone(finished: &[Finished]) -> Vec<(String, String)> {
    let is_gone = |one: &&Finished| match &one.done {
        Done::Attempted { attempted, .. } => attempted.record.outcome == Outcome::Gone,
        Done::Faulted(_) => false,
    };
    let gone = finished.iter().filter(is_gone);
    gone.map(|one| (one.job.workspace.clone(), one.job.connection.clone())).collect()
}

/// The jobs for attempts that are due soon, each with the delay to send it with.
fn hints(finished: &[Finished]) -> Vec<(u32, Job)> {
    let mut hints = Vec::new();
    for Finished { job, done } in finished {
        if let Done::Attempted { hint_delay_s: Some(delay_s), .. } = done {
            let next = Job::new(job.shard, job.key(), job.attempt + 1, job.payload_bytes);
            hints.push((*delay_s, next));
        }
    }
    hints
}

/// Sends hints. A lost one costs punctuality only: the sweeper sees to the delivery.
async fn send_hints<P: Platform>(platform: &P, hints: Vec<(u32, Job)>) {
    for (delay_s, hints) in grouped(hints, |(delay_s, _)| *delay_s) {
        let jobs: Vec<Job> = hints.into_iter().map(|(_, job)| job).collect();
        if let Err(error) = wake(platform, &jobs, delay_s).await {
            platform.line(&json!({"at": "record", "unsent_hints": jobs.len(),
                "error": error.to_string()}));
        }
    }
}
