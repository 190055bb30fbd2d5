//! What a consumer reports to lanes about the attempts it made on its own: once for each connection
//! and batch, and nothing while all attempts succeed.

use crate::app::delivery::effect::ConnectionEffect;
use crate::app::delivery::work::Work;
use crate::domain::lane::messages::ConsumerReport;
use crate::domain::lane::queue::{ConnectionQueue, LanePolicy, Mode, QueuePosition};

/// Reports by connection.
#[derive(Debug, Default)]
pub struct Reports(Vec<Report>);

/// The report to one lane.
#[derive(Debug)]
pub struct Report {
    /// What is known.
    pub told: ConsumerReport,
    /// The mode that LOG showed.
    pub read: Mode,
    /// A delivery whose attempt was slow.
    pub slow: Option<QueuePosition>,
}

/// Failures of a connection in one batch, without a success, after which its other jobs are left to
/// its lane: what opens its breaker.
const HOPELESS_FAILURES: u32 = crate::domain::lane::breaker::FAILURES_IN_ROW;

impl Reports {
    /// The report on a line, begun if there was none.
    fn on(&mut self, line: &ConnectionQueue, traits: LanePolicy, read: Mode) -> &mut Report {
        let known = self.0.iter().position(|report| report.told.line == *line);
        let index = known.unwrap_or_else(|| {
            let told = ConsumerReport { line: line.clone(), traits, ..ConsumerReport::default() };
            self.0.push(Report { told, read: Mode::Clear, slow: None });
            self.0.len() - 1
        });
        let report = &mut self.0[index];
        report.read = report.read.max(read);
        report
    }

    /// The report on the connection of a job.
    pub fn on_job(&mut self, work: &Work) -> &mut Report {
        self.on(&work.job.line(), work.traits, work.mode)
    }

    /// Whether any delivery is left to a lane.
    pub fn have_forwarded(&self) -> bool {
        self.0.iter().any(|report| !report.told.forwarded.is_empty())
    }

    /// Those that the lane has to know.
    pub fn take(&mut self) -> Vec<Report> {
        std::mem::take(&mut self.0).into_iter().filter(Report::is_worth_telling).collect()
    }
}

impl Report {
    /// Adds what an attempt of this delivery meant, and whether its batch found it slow.
    pub fn add(&mut self, place: &QueuePosition, meaning: &ConnectionEffect, is_slow: bool) {
        let told = &mut self.told;
        told.ok += u32::from(meaning.succeeded);
        told.failed += u32::from(meaning.failed);
        told.due_at_ms = told.due_at_ms.into_iter().chain(meaning.due_at_ms).min();
        told.less_until_ms = told.less_until_ms.max(meaning.less_until_ms);
        if is_slow {
            self.slow = Some(place.clone());
        }
    }

    /// Adds a delivery that is left to the lane.
    pub fn forward(&mut self, place: QueuePosition) {
        self.told.forwarded.push(place);
    }

    /// Whether the connection's other jobs would only fail as well.
    pub fn is_hopeless(&self) -> bool {
        self.told.ok == 0 && self.told.failed >= HOPELESS_FAILURES
    }

    /// Whether the connection is slow, and not just once by chance: other deliveries wait for it,
    /// or it is watched already.
    pub fn is_slow(&self) -> bool {
        self.slow.is_some() && (self.read > Mode::Clear || !self.told.forwarded.is_empty())
    }

    fn is_worth_telling(&self) -> bool {
        let told = &self.told;
        let is_watched = self.read > Mode::Clear && told.ok + told.failed > 0;
        let is_news = told.failed > 0 || told.due_at_ms.is_some() || self.is_slow();
        is_watched || is_news || !told.forwarded.is_empty()
    }

    /// The report, with the mode that LOG shows after what was recorded.
    pub fn into_told(self) -> ConsumerReport {
        let is_slow = self.is_slow();
        let mut told = self.told;
        let raised = if is_slow || told.less_until_ms.is_some() {
            Mode::Engaged
        } else if told.failed > 0 {
            Mode::Watch
        } else {
            Mode::Clear
        };
        told.is_slow = is_slow;
        told.seen = Some(self.read.max(raised));
        told
    }
}
