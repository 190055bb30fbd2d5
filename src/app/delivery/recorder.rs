//! Records the results of attempts: in LOG with the modes of the connections' lanes, and in CONTROL
//! where a result changes a connection.

use serde_json::json;

use crate::app::activation::{self, SwitchOff};
use crate::app::common::{group_by_key, history_db};
use crate::app::delivery::attempt::AttemptResult;
use crate::app::delivery::effect::ConnectionEffect;
use crate::app::delivery::write_gate;
use crate::domain::base::error::Result;
use crate::domain::base::limits::STATEMENT_BYTES_MAX;
use crate::domain::connection::health::Warning;
use crate::domain::delivery::job::Job;
use crate::domain::lane::queue::Mode;
use crate::ports::Platform;
use crate::store::deliveries::{self, EncodedUpdate, InternalFault};
use crate::store::lanes::{self, Raise};

/// What is known of one job after it was done.
#[derive(Debug)]
pub struct FinishedJob {
    /// The job.
    pub job: Job,
    /// What it led to.
    pub done: AttemptResult,
}

/// Records finished jobs, those of one shard together. An unknown result is repeated once, which is
/// harmless: a record takes effect only on a delivery that still owes this very attempt. Returns
/// the jobs that could not be recorded; the attempt is then made again, under the same message id.
pub async fn record<P: Platform>(platform: &P, finished: Vec<FinishedJob>) -> Vec<Job> {
    let mut unrecorded = Vec::new();
    for (shard, finished) in group_by_key(finished, |one| one.job.shard) {
        let inactive = inactive(&finished);
        let inactive = activation::mark_inactive(platform, inactive).await;
        let mut warnings = Vec::new();
        for piece in cut(finished) {
            let jobs = piece.iter().map(|one| one.finished.job.clone());
            let jobs: Vec<Job> = jobs.collect();
            let lost = write_piece(platform, shard, piece, &mut warnings).await;
            jobs.iter().for_each(|job| platform.in_flight().borrow_mut().end(&job.key()));
            unrecorded.extend(lost);
        }
        activation::hold_inactive(platform, shard, &inactive).await;
        activation::warn(platform, &warnings).await;
    }
    unrecorded
}

/// A finished job with what is written of it.
struct Piece {
    finished: FinishedJob,
    encoded: Option<EncodedUpdate>,
}

/// Cuts finished jobs into pieces of a bounded number of bytes.
fn cut(finished: Vec<FinishedJob>) -> Vec<Vec<Piece>> {
    let (mut pieces, mut bytes) = (vec![Vec::new()], 0);
    for finished in finished {
        let encoded = match &finished.done {
            AttemptResult::DeliveryUpdate { attempted, .. } => Some(EncodedUpdate::of(attempted)),
            AttemptResult::InternalFault(_) => None,
        };
        bytes += encoded.as_ref().map_or(0, EncodedUpdate::bytes);
        if bytes > STATEMENT_BYTES_MAX && pieces.last().is_some_and(|piece| !piece.is_empty()) {
            pieces.push(Vec::new());
            bytes = encoded.as_ref().map_or(0, EncodedUpdate::bytes);
        }
        let last = pieces.len() - 1;
        pieces[last].push(Piece { finished, encoded });
    }
    pieces
}

/// Writes a piece. One that the database refuses is halved, down to one, of which the answer is
/// then left out. Returns the jobs that were not recorded.
async fn write_piece<P: Platform>(
    platform: &P,
    shard: u16,
    piece: Vec<Piece>,
    warnings: &mut Vec<Warning>,
) -> Vec<Job> {
    let (mut waiting, mut lost) = (vec![piece], Vec::new());
    while let Some(mut piece) = waiting.pop() {
        let set = Set::of(&piece);
        let written = write_or_repeat(platform, shard, &set).await;
        write_gate::note(platform, shard, &written);
        let Err(error) = written else {
            warnings.extend(set.warnings);
            continue;
        };
        platform.log_event(&json!({"at": "record", "shard": shard, "lost": set.jobs.len(),
            "error": error.to_string()}));
        if !error.is_refused_data() {
            lost.extend(set.jobs);
        } else if piece.len() > 1 {
            let half = piece.split_off(piece.len() / 2);
            waiting.extend([half, piece]);
        } else if piece.iter_mut().any(leave_out_answer) {
            waiting.push(piece);
        } else {
            lost.extend(set.jobs);
        }
    }
    lost
}

/// Leaves out what the receiver answered; false when that was done already.
fn leave_out_answer(piece: &mut Piece) -> bool {
    let AttemptResult::DeliveryUpdate { attempted, .. } = &mut piece.finished.done else {
        return false;
    };
    let changed = attempted.record.leave_out_answer();
    piece.encoded = Some(EncodedUpdate::of(attempted));
    changed
}

/// What is written together.
#[derive(Default)]
struct Set {
    jobs: Vec<Job>,
    attempted: Vec<EncodedUpdate>,
    faulted: Vec<InternalFault>,
    raised: Vec<Raise>,
    /// Connections on which something succeeded at last, as (workspace, connection).
    recovered: Vec<(String, String)>,
    warnings: Vec<Warning>,
}

impl Set {
    fn of(pieces: &[Piece]) -> Self {
        let mut set = Self::default();
        for Piece { finished: FinishedJob { job, done }, encoded } in pieces {
            match done {
                AttemptResult::DeliveryUpdate { meaning, .. } => set.note(job, meaning),
                AttemptResult::InternalFault(faulted) => set.faulted.push(faulted.clone()),
            }
            set.attempted.extend(encoded.clone());
            set.jobs.push(job.clone());
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
        let of_it =
            |raise: &&mut Raise| same(&raise.delivery.workspace, &raise.delivery.connection);
        match self.raised.iter_mut().find(of_it) {
            Some(raise) => raise.mode = raise.mode.max(mode),
            None => self.raised.push(Raise { delivery: job.key(), mode, failed: true }),
        }
    }
}

/// An unknown result is repeated once; what was refused is refused again.
async fn write_or_repeat<P: Platform>(platform: &P, shard: u16, set: &Set) -> Result<()> {
    match write(platform, shard, set).await {
        Err(error) if !error.is_refused_data() => write(platform, shard, set).await,
        written => written,
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

/// The connections that become inactive.
fn inactive(finished: &[FinishedJob]) -> Vec<SwitchOff> {
    let mut inactive = Vec::new();
    for FinishedJob { job, done } in finished {
        if let AttemptResult::DeliveryUpdate {
            meaning: ConnectionEffect { inactive: Some((reason, unchanged_since_ms)), .. },
            ..
        } = done
        {
            inactive.push(SwitchOff {
                workspace: job.workspace.clone(),
                connection: job.connection.clone(),
                reason: *reason,
                unchanged_since_ms: *unchanged_since_ms,
            });
        }
    }
    inactive
}
