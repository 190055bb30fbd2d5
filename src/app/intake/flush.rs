//! Bringing to LOG what was stored, in the order in which it was stored: one flush at a time for
//! each shard.
//!
//! A flush whose result is not known is repeated with the same events before all else, which
//! changes nothing that is there already. When its events are in LOG a row's place is taken by the
//! next new one; where none comes, the row is deleted by the alarm, or for who asks for a flush.

use futures_channel::oneshot::Sender;
use serde_json::json;

use crate::app::common::history_db;
use crate::app::emit::direct::flush;
use crate::app::intake::Intake;
use crate::domain::base::error::Result;
use crate::domain::intake::backlog::Shard;
use crate::domain::intake::bounds::{FLUSH_EVERY_MS, FLUSH_STATEMENTS};
use crate::domain::intake::waiting;
use crate::domain::routing::event::Event;
use crate::ports::{IntakeStorage, Platform};
use crate::store::emit as log;
use crate::store::intake as store;

/// Statements of a flush beside one for each event: deliveries, numbers, names, each perhaps twice.
const STATEMENTS_MORE: usize = 8;

impl<S: IntakeStorage> Intake<S> {
    /// Begins to flush every shard that can be flushed.
    pub(super) fn flush<P: Platform>(&self, platform: &P) {
        let shards = self.0.state.borrow_mut().backlog.begin_flush(platform.now_ms());
        for shard in shards {
            let (intake, platform) = (self.clone(), platform.clone());
            let task = async move { intake.flush_shard(&platform, shard).await };
            self.0.storage.spawn(Box::pin(task));
        }
    }

    async fn flush_shard<P: Platform>(&self, platform: &P, shard: u16) {
        let mut statements = 0;
        while statements < FLUSH_STATEMENTS {
            self.wait_for_more(platform, shard).await;
            let count = self.rows(shard, |rows| rows.next_count());
            if count == 0 {
                break;
            }
            self.rows(shard, |rows| rows.begin(platform.now_ms()));
            if self.0.state.borrow().is_broken {
                break;
            }
            match self.flush_rows(platform, shard, count).await {
                Ok(events) => {
                    self.0.state.borrow_mut().end_flush(shard, count, true, platform.now_ms());
                    statements += events + STATEMENTS_MORE;
                }
                Err(error) => {
                    self.0.state.borrow_mut().end_flush(shard, count, false, platform.now_ms());
                    platform.log_event(&json!({"at": "intake", "shard": shard,
                        "not_flushed": error.to_string()}));
                    break;
                }
            }
        }
        self.rows(shard, Shard::rest);
        self.arm(platform).await;
    }

    /// Waits for what shares the next batch, in pieces: somebody may come meanwhile who waits for
    /// this very flush, and then it goes at once.
    async fn wait_for_more<P: Platform>(&self, platform: &P, shard: u16) {
        let mut is_over = false;
        while !is_over {
            let now_ms = platform.now_ms();
            let rest_ms = self.rows(shard, |rows| rows.rest_ms(now_ms));
            is_over = rest_ms <= FLUSH_EVERY_MS;
            if rest_ms > 0 {
                platform.sleep_ms(rest_ms.min(FLUSH_EVERY_MS)).await;
            }
        }
    }

    fn rows<T>(&self, shard: u16, look: impl FnOnce(&mut Shard<Sender<bool>>) -> T) -> T {
        look(self.0.state.borrow_mut().shard(shard))
    }

    /// Flushes the first rows of a shard; how many events there were.
    async fn flush_rows<P: Platform>(
        &self,
        platform: &P,
        shard: u16,
        count: usize,
    ) -> Result<usize> {
        let now_ms = platform.now_ms();
        let since_ms = self.rows(shard, |shard| shard.unsent_since_ms(now_ms));
        let taken = self.0.state.borrow_mut().backlog.take_rows(shard, count);
        let (numbers, known): (Vec<i64>, Vec<Option<String>>) = taken.into_iter().unzip();
        let texts = match known.into_iter().collect::<Option<Vec<String>>>() {
            Some(texts) => texts,
            None => store::texts(&self.0.storage, &numbers).await?,
        };
        let (mut events, mut done) = (Vec::new(), Vec::new());
        for (number, text) in numbers.into_iter().zip(&texts) {
            match waiting::read(text) {
                Ok(read) => {
                    events.extend(read);
                    done.push(number);
                }
                // It stays in the storage, and keeps nothing else from LOG.
                Err(why) => platform.log_event(&json!({"at": "intake", "unreadable_row": number,
                    "error": why})),
            }
        }
        match flush(platform, shard, &events, since_ms).await {
            Err(error) if error.is_refused_data() => {
                one_by_one(platform, shard, &events, since_ms).await?;
            }
            stored => stored?,
        }
        let too_many = self.0.state.borrow_mut().backlog.keep_flushed(done, platform.now_ms());
        self.forget(&too_many).await?;
        Ok(events.len())
    }

    /// Deletes the rows that were in LOG by then.
    ///
    /// # Errors
    /// As [`Self::forget`].
    pub(super) async fn forget_flushed(&self, at_ms: i64) -> Result<()> {
        let flushed = self.0.state.borrow_mut().backlog.take_flushed_by(at_ms);
        self.forget(&flushed).await
    }

    /// Deletes rows that are in LOG.
    ///
    /// # Errors
    /// When it is not known whether they were deleted: nothing more is done in this memory.
    async fn forget(&self, numbers: &[i64]) -> Result<()> {
        if numbers.is_empty() {
            return Ok(());
        }
        let deleted = store::drop_rows(&self.0.storage, numbers).await;
        self.0.state.borrow_mut().is_broken |= deleted.is_err();
        deleted
    }
}

/// Stores events each by itself. One that LOG refuses is stored without its payload, and what it
/// owes has failed.
async fn one_by_one<P: Platform>(
    platform: &P,
    shard: u16,
    events: &[(Event, String)],
    since_ms: Option<i64>,
) -> Result<()> {
    for one in events {
        match flush(platform, shard, std::slice::from_ref(one), since_ms).await {
            Err(error) if error.is_refused_data() => {
                platform.log_event(&json!({"at": "intake", "set_aside": one.0.id,
                    "error": error.to_string()}));
                let db = history_db(platform, shard)?;
                log::set_aside(db, &one.0, one.1.len(), platform.now_ms()).await?;
            }
            stored => stored?,
        }
    }
    Ok(())
}
