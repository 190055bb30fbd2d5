//! Whether attempts may start on a LOG shard, as far as this isolate knows. A database can be
//! readable and not writable: what is sent then cannot be recorded and is sent again. So after a
//! record that failed nothing starts on that shard until a write that costs nothing has succeeded,
//! and an isolate that has not written there lately tries one first.

use crate::domain::base::time::SECOND_MS;

/// After a successful write a shard is believed to be writable for this long.
pub const BELIEVED_MS: i64 = 10 * SECOND_MS;
/// The longest pause between two tries.
pub const PAUSE_MAX_MS: i64 = 300 * SECOND_MS;

/// What is known of each shard that this isolate has written to.
#[derive(Debug, Default)]
pub struct WriteGate(Vec<Shard>);

#[derive(Debug)]
struct Shard {
    number: u16,
    wrote_at_ms: Option<i64>,
    failures: u32,
    again_at_ms: i64,
}

/// Whether attempts may start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writable {
    /// They may.
    Yes,
    /// They may once a write has succeeded.
    TryFirst,
    /// They may not before this time.
    NotBefore(i64),
}

impl WriteGate {
    /// Whether attempts may start on a shard.
    pub fn check(&self, shard: u16, now_ms: i64) -> Writable {
        let Some(known) = self.0.iter().find(|one| one.number == shard) else {
            return Writable::TryFirst;
        };
        match known.wrote_at_ms {
            _ if known.failures > 0 && known.again_at_ms > now_ms => {
                Writable::NotBefore(known.again_at_ms)
            }
            Some(at_ms) if known.failures == 0 && at_ms + BELIEVED_MS > now_ms => Writable::Yes,
            _ => Writable::TryFirst,
        }
    }

    /// The shards on which no attempt may start.
    pub fn closed(&self, now_ms: i64) -> Vec<u16> {
        let numbers = self.0.iter().map(|shard| shard.number);
        numbers
            .filter(|shard| matches!(self.check(*shard, now_ms), Writable::NotBefore(_)))
            .collect()
    }

    /// A write succeeded.
    pub fn succeeded(&mut self, shard: u16, now_ms: i64) {
        let known = self.shard(shard);
        (known.failures, known.wrote_at_ms) = (0, Some(now_ms));
    }

    /// A write failed: nothing starts for 1, 2, 4 ... seconds. What was on its way when the first
    /// one failed fails together with it and counts once.
    pub fn failed(&mut self, shard: u16, now_ms: i64) {
        let known = self.shard(shard);
        if known.failures > 0 && known.again_at_ms > now_ms {
            return;
        }
        let pause_ms = (SECOND_MS << known.failures.min(9)).min(PAUSE_MAX_MS);
        known.failures = known.failures.saturating_add(1);
        known.again_at_ms = now_ms + pause_ms;
    }

    fn shard(&mut self, number: u16) -> &mut Shard {
        let known = self.0.iter().position(|one| one.number == number);
        let index = known.unwrap_or_else(|| {
            self.0.push(Shard { number, wrote_at_ms: None, failures: 0, again_at_ms: 0 });
            self.0.len() - 1
        });
        &mut self.0[index]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_until_a_write_succeeds() {
        let (mut gate, mut now_ms) = (WriteGate::default(), 0);
        assert_eq!(gate.check(0, now_ms), Writable::TryFirst, "nothing is known");
        gate.succeeded(0, now_ms);
        assert_eq!(gate.check(0, BELIEVED_MS - 1), Writable::Yes);
        assert_eq!(gate.check(0, BELIEVED_MS), Writable::TryFirst);
        let mut pauses = Vec::new();
        for _ in 0..11 {
            gate.failed(0, now_ms);
            gate.failed(0, now_ms);
            let Writable::NotBefore(at_ms) = gate.check(0, now_ms) else { panic!("open") };
            pauses.push((at_ms - now_ms) / SECOND_MS);
            assert_eq!(gate.check(0, at_ms), Writable::TryFirst);
            now_ms = at_ms;
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(gate.check(1, now_ms), Writable::TryFirst, "another shard");
        gate.succeeded(0, now_ms);
        assert_eq!(gate.check(0, now_ms), Writable::Yes);
        gate.failed(0, now_ms);
        assert_eq!(gate.check(0, now_ms), Writable::NotBefore(now_ms + SECOND_MS));
    }

    #[test]
    fn shards_that_take_nothing_are_closed_until_they_may_be_tried() {
        let mut gate = WriteGate::default();
        gate.succeeded(0, 0);
        gate.failed(1, 0);
        assert_eq!(gate.closed(SECOND_MS - 1), [1]);
        assert!(gate.closed(SECOND_MS).is_empty());
    }
}
