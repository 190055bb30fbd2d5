//! Storing what comes. What arrives while a group is being stored is the next group, and where it
//! pays a group waits a little for more. All that one request brings is stored together, with its
//! idempotency keys.

use std::pin::pin;

use futures_channel::oneshot;
use futures_util::future::select;
use serde_json::json;

use crate::app::intake::Intake;
use crate::app::intake::state::Request;
use crate::domain::base::error::{Error, Result};
use crate::domain::base::limits::IDEMPOTENCY_KEPT_MS;
use crate::domain::intake::backlog::{Amount, Head, Shares};
use crate::domain::intake::bounds::{GROUP_BYTES, INTAKE_ROW_BYTES};
use crate::domain::intake::messages::{Part, PartReply};
use crate::domain::intake::waiting::VERSION;
use crate::domain::routing::idempotency::StoredClaim;
use crate::ports::{IntakeStorage, Platform, PortError};
use crate::store::idempotency;
use crate::store::intake as store;

/// A row that is being made of the chunks of several parts.
struct Draft {
    head: Head,
    text: String,
    of: Shares,
}

impl<S: IntakeStorage> Intake<S> {
    /// Stores the parts of an emit; what became of each.
    pub(super) async fn accept<P: Platform>(
        &self,
        platform: &P,
        parts: Vec<Part>,
        is_repeated: bool,
    ) -> Result<Vec<PartReply>> {
        let (now_ms, (answer, answered)) = (platform.now_ms(), oneshot::channel());
        let begins = {
            let mut state = self.0.state.borrow_mut();
            let mut open = Vec::new();
            let mut replies = Vec::with_capacity(parts.len());
            for (place, part) in parts.into_iter().enumerate() {
                let reply = state.judge(&part, now_ms);
                if reply.is_none() {
                    open.push((place, part));
                }
                replies.push(reply.unwrap_or(PartReply::Full));
            }
            // What is refused need not wait for anybody.
            if open.is_empty() && !replies.is_empty() {
                return Ok(replies);
            }
            state.gather(Request { parts: open, is_repeated, replies, answer }, now_ms);
            !std::mem::replace(&mut state.is_committing, true)
        };
        if begins {
            let (intake, platform) = (self.clone(), platform.clone());
            let task = async move { intake.commit_all(&platform).await };
            self.0.storage.spawn(Box::pin(task));
        }
        answered.await.map_err(|_| Error::unavailable("the intake could not store it"))
    }

    async fn commit_all<P: Platform>(&self, platform: &P) {
        loop {
            self.wait_for_company(platform).await;
            let group = {
                let mut state = self.0.state.borrow_mut();
                if state.gathering.is_empty() || state.is_broken {
                    state.is_committing = false;
                    state.gathering.clear();
                    break;
                }
                state.gathering.take_group(GROUP_BYTES, platform.now_ms())
            };
            if let Err(error) = self.commit(platform, group).await {
                // Those who wait learn it by losing their answer.
                self.0.state.borrow_mut().is_broken = true;
                platform.log_event(&json!({"at": "intake", "error": error.to_string()}));
            }
        }
    }

    /// Waits for what is to share the next group.
    async fn wait_for_company<P: Platform>(&self, platform: &P) {
        let (enough, rest_ms) = {
            let mut state = self.0.state.borrow_mut();
            let is_empty = state.gathering.is_empty();
            let rest_ms = if is_empty { 0 } else { state.gathering.rest_ms(platform.now_ms()) };
            if rest_ms == 0 {
                return;
            }
            let (sender, enough) = oneshot::channel();
            state.enough = Some(sender);
            (enough, rest_ms)
        };
        select(enough, pin!(platform.sleep_ms(rest_ms))).await;
    }

    async fn commit<P: Platform>(&self, platform: &P, mut group: Vec<Request>) -> Result<()> {
        let now_ms = platform.now_ms();
        let mut taken = self.claims_of(&group, now_ms).await?;
        let mut parts = group.iter().flat_map(|request| &request.parts);
        // The size of the storage is a call of the runtime: it is asked for where there are keys.
        let is_full_of_keys = parts.any(|(_, part)| part.claim.is_some())
            && self.0.state.borrow().backlog.is_full_of_keys(self.stored_bytes());
        let (mut drafts, mut claims) = (Vec::new(), Vec::new());
        for request in &mut group {
            for (place, part) in std::mem::take(&mut request.parts) {
                let generation = self.0.state.borrow().generations.of(&part.workspace);
                let first =
                    part.claim.as_ref().and_then(|own| taken.iter().find(|one| one.id == own.id));
                request.replies[place] = match (first, &part.claim) {
                    (Some(first), Some(own)) if first.owner != own.owner => {
                        PartReply::First(first.clone())
                    }
                    // A repetition: it was stored with its key.
                    (Some(_), _) => PartReply::Stored(generation),
                    (None, Some(_)) if is_full_of_keys => PartReply::FullOfKeys,
                    (None, claim) => {
                        taken.extend(claim.clone());
                        claims.extend(claim.clone());
                        self.draft(&mut drafts, part, request.is_repeated, now_ms);
                        PartReply::Stored(generation)
                    }
                };
            }
        }
        if !drafts.is_empty() {
            let (rows, of_rows): (Vec<(Head, String)>, Vec<_>) =
                drafts.into_iter().map(|draft| ((draft.head, draft.text), draft.of)).unzip();
            let flushed = self.0.state.borrow_mut().backlog.take_flushed(rows.len());
            store::add(&self.0.storage, &rows, &claims, &flushed).await?;
            {
                let mut state = self.0.state.borrow_mut();
                for ((head, text), of) in rows.into_iter().zip(of_rows) {
                    state.backlog.add(head, Some(text), of);
                }
            }
            // Whatever comes after this, the alarm finds what was stored.
            self.arm(platform).await;
            let told = |PortError(text): PortError| Error::unavailable(text);
            self.0.storage.sync().await.map_err(told)?;
        }
        for request in group {
            // Who asked may be gone.
            let _ = request.answer.send(request.replies);
        }
        self.flush(platform);
        Ok(())
    }

    /// The claims that others have on the keys of a group.
    async fn claims_of(&self, group: &[Request], now_ms: i64) -> Result<Vec<StoredClaim>> {
        let parts = group.iter().flat_map(|request| &request.parts);
        let claims = parts.filter_map(|(_, part)| part.claim.as_ref());
        let ids: Vec<&str> = claims.map(|claim| claim.id.as_str()).collect();
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut found = idempotency::find(&self.0.storage, &ids).await?;
        found.retain(|claim| claim.created_at_ms > now_ms - IDEMPOTENCY_KEPT_MS);
        Ok(found)
    }

    /// Adds a part to the rows of a group. One that is repeated may be in LOG already and has rows
    /// of its own.
    fn draft(&self, drafts: &mut Vec<Draft>, part: Part, is_alone: bool, now_ms: i64) {
        for chunk in part.chunks {
            let text = chunk.text.get();
            let amount = Amount { events: chunk.count, bytes: text.len() };
            let of = (part.workspace.clone(), amount);
            // The last row of the shard, or rows would change their order.
            let last = drafts.iter_mut().rev().find(|draft| draft.head.shard == part.shard);
            let has_room = |draft: &&mut Draft| {
                let fits = draft.text.len() + text.len() <= INTAKE_ROW_BYTES;
                fits && !is_alone && !draft.head.is_alone
            };
            match last.filter(has_room) {
                Some(draft) => {
                    draft.text.truncate(draft.text.len() - 1);
                    draft.text.push(',');
                    draft.text.push_str(text);
                    draft.text.push(']');
                    draft.head.events += chunk.count;
                    draft.head.bytes = draft.text.len();
                    draft.of.push(of);
                }
                None => {
                    let mut state = self.0.state.borrow_mut();
                    state.last_n += 1;
                    let text = format!("[{text}]");
                    let head = Head {
                        n: state.last_n,
                        version: VERSION,
                        shard: part.shard,
                        at_ms: now_ms,
                        is_alone,
                        events: chunk.count,
                        bytes: text.len(),
                    };
                    drafts.push(Draft { head, text, of: vec![of] });
                }
            }
        }
    }
}
