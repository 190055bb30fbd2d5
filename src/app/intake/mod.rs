//! The intake, as it lives in an object of its own. What it is asked comes to [`Intake::call`];
//! [`commit`] stores what comes, in groups; [`flush`] brings it to LOG. [`ask`] is how isolates
//! reach it.

pub mod ask;
mod commit;
mod flush;
mod state;

use std::cell::RefCell;
use std::rc::Rc;

use futures_util::future::{Either, join_all, select};
use serde_json::json;
use std::pin::pin;

use crate::app::intake::state::State;
use crate::domain::base::error::{Error, Result};
use crate::domain::intake::bounds::{FLUSH_OF_CHANGE_MS, FLUSH_OF_READ_MS, FLUSHED_KEPT_MS};
use crate::domain::intake::messages::{Command, Reply};
use crate::ports::{IntakeStorage, Platform};
use crate::store::{idempotency, intake as store};

/// An intake in memory, with its storage. Clones are the same one.
#[derive(Clone)]
pub struct Intake<S>(Rc<Inner<S>>);

struct Inner<S> {
    storage: S,
    state: RefCell<State>,
}

impl<S: IntakeStorage> Intake<S> {
    /// Opens an intake on its storage, with what it left there.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub async fn open<P: Platform>(platform: &P, storage: S) -> Result<Self> {
        let heads = store::open(&storage).await?;
        let epoch = u64::from_be_bytes(platform.bytes());
        let state = State::new(epoch, platform.now_ms(), &heads);
        let unreadable = state.backlog.unreadable;
        if unreadable > 0 {
            platform.log_event(&json!({"at": "intake", "rows_of_another_release": unreadable}));
        }
        Ok(Self(Rc::new(Inner { storage, state: RefCell::new(state) })))
    }

    /// Whether it must be opened anew: it is not known any more what its storage holds.
    pub fn is_broken(&self) -> bool {
        self.0.state.borrow().is_broken
    }

    /// Does what it is asked. What it has stored it flushes afterwards, in the background.
    ///
    /// # Errors
    /// When it is not known whether the command took effect.
    pub async fn call<P: Platform>(&self, platform: &P, command: Command) -> Result<Reply> {
        match command {
            Command::Emit { parts, is_repeated } => {
                self.accept(platform, parts, is_repeated).await.map(Reply::Parts)
            }
            Command::Changed(workspace) => {
                let now_ms = platform.now_ms();
                self.0.state.borrow_mut().generations.changed(&workspace, now_ms);
                self.settle(platform, &workspace, FLUSH_OF_CHANGE_MS).await
            }
            Command::Flush(workspace) => self.settle(platform, &workspace, FLUSH_OF_READ_MS).await,
            Command::Poke => {
                idempotency::forget_old(&self.0.storage, platform.now_ms()).await?;
                self.flush(platform);
                // The alarm may be lost.
                self.forget_flushed(platform.now_ms() - FLUSHED_KEPT_MS).await?;
                Ok(Reply::Status(self.0.state.borrow().backlog.status(self.stored_bytes())))
            }
        }
    }

    /// Bytes of its storage, as far as that is known.
    fn stored_bytes(&self) -> i64 {
        self.0.storage.size_bytes().unwrap_or_default()
    }

    /// The alarm: flushes what was left lying, and deletes what is in LOG. It never fails.
    pub async fn alarm<P: Platform>(&self, platform: &P) {
        self.0.state.borrow_mut().alarm_at_ms = None;
        self.flush(platform);
        if let Err(error) = self.forget_flushed(platform.now_ms() - FLUSHED_KEPT_MS).await {
            platform.log_event(&json!({"at": "intake", "error": error.to_string()}));
        }
        self.arm(platform).await;
    }

    /// Waits until all that a workspace has here is in LOG, but no longer than `within_ms`.
    async fn settle<P: Platform>(
        &self,
        platform: &P,
        workspace: &str,
        within_ms: i64,
    ) -> Result<Reply> {
        let settled = async {
            // What is being stored comes first.
            self.accept(platform, Vec::new(), false).await?;
            let flushed = self.0.state.borrow_mut().when_flushed(workspace);
            self.flush(platform);
            let flushed: Vec<bool> =
                join_all(flushed).await.into_iter().map(|done| done.unwrap_or(false)).collect();
            Ok::<bool, Error>(flushed.into_iter().all(|done| done))
        };
        let late = platform.sleep_ms(within_ms);
        let done = match select(pin!(settled), pin!(late)).await {
            Either::Left((done, _)) => done?,
            Either::Right(_) => false,
        };
        // Whoever erases what is in LOG next finds nothing more of it here.
        self.forget_flushed(platform.now_ms()).await?;
        let state = self.0.state.borrow();
        let generation = state.generations.of(workspace);
        // Whose the rows are that another release has to read is not known.
        let is_all = done && state.backlog.unreadable == 0;
        Ok(if is_all { Reply::Flushed(generation) } else { Reply::Behind(generation) })
    }

    /// Has the alarm go off when something waits.
    async fn arm<P: Platform>(&self, platform: &P) {
        let wanted = self.0.state.borrow_mut().wanted_alarm(platform.now_ms());
        let Some(at_ms) = wanted else { return };
        if let Err(error) = self.0.storage.set_alarm(at_ms).await {
            self.0.state.borrow_mut().alarm_at_ms = None;
            platform.log_event(&json!({"at": "intake", "alarm": error.to_string()}));
        }
    }
}
