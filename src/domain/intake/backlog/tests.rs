//! What waits, step by step.

use super::*;
use crate::domain::intake::bounds::{
    ALARM_AFTER_MS, ANSWER_FIRST_MS, FLUSH_AGAIN_MS, FLUSH_AGAIN_MS_MAX, FLUSH_EVENTS,
    FLUSH_EVERY_MS, FLUSH_EVERY_MS_MAX, FLUSH_LONGER_MS, FLUSHED_KEPT,
};

fn head(n: i64, shard: u16, events: usize) -> Head {
    Head { n, version: VERSION, shard, at_ms: n, is_alone: false, events, bytes: 10 * events }
}

fn shares(workspace: &str, events: usize) -> Shares {
    vec![(workspace.to_owned(), Amount { events, bytes: 10 * events })]
}

/// Rows 1 to `rows` of shard 0 with ten events each, all of workspace `w`.
fn backlog(rows: i64) -> Backlog<&'static str> {
    let mut backlog = Backlog::new(&[]);
    for n in 1..=rows {
        backlog.add(head(n, 0, 10), Some(format!("[{n}]")), shares("w", 10));
    }
    backlog
}

#[test]
fn a_workspace_has_its_share_and_no_more() {
    let most = WAITING_EVENTS_MAX / SHARE_OF_WORKSPACE;
    let amount = |events| Amount { events, bytes: 0 };
    let mut backlog: Backlog<()> = Backlog::new(&[]);
    backlog.add(head(1, 0, most), None, vec![("w".into(), amount(most))]);
    assert!(!backlog.has_room("w", amount(1)) && backlog.has_room("other", amount(most)));
    assert!(!backlog.has_room("other", amount(most + 1)));
    let bytes = Amount { events: 0, bytes: WAITING_BYTES_MAX / SHARE_OF_WORKSPACE + 1 };
    assert!(!backlog.has_room("other", bytes));
    backlog.flushed(0, 1);
    assert!(backlog.has_room("w", amount(most)));
    for n in 2..=5 {
        backlog.add(head(n, 0, most), None, vec![(n.to_string(), amount(most))]);
    }
    assert!(!backlog.has_room("other", amount(1)), "all together it is full");
}

#[test]
fn a_flush_takes_what_fits_and_the_next_one_waits_for_company() {
    let mut backlog = backlog(25);
    assert_eq!(backlog.begin_flush(1_000), [0]);
    assert_eq!(backlog.begin_flush(1_000), [] as [u16; 0], "one at a time");
    let shard = backlog.shard(0);
    assert_eq!((shard.rest_ms(1_000), shard.next_count()), (0, FLUSH_EVENTS / 10));
    shard.begin(1_000);
    let taken = backlog.take_rows(0, 20);
    assert_eq!((taken[0].clone(), taken.len()), ((1, Some("[1]".into())), 20));
    assert_eq!(backlog.take_rows(0, 1), [(1, None)], "the text is not held any more");
    assert!(backlog.flushed(0, 20).is_empty());
    let shard = backlog.shard(0);
    assert_eq!((shard.next_count(), shard.rest_ms(1_010)), (5, FLUSH_EVERY_MS_MAX - 10));
    assert_eq!(shard.rest_ms(1_000 + FLUSH_EVERY_MS_MAX), ANSWER_FIRST_MS, "the answer goes first");
    shard.begin(1_500);
    backlog.flushed(0, 1);
    let after_ten_ms = FLUSH_EVERY_MS + 10 * FLUSH_LONGER_MS;
    assert_eq!(backlog.shard(0).rest_ms(1_500), after_ten_ms, "the less came, the sooner");
    backlog.shard(0).rest();
    backlog.flushed(0, 4);
    assert_eq!((backlog.begin_flush(2_000).len(), backlog.look_at_ms(2_000)), (0, None));
    assert_eq!(backlog.status(0), Status::default());
}

#[test]
fn what_has_an_unknown_result_is_taken_again_as_it_was() {
    let mut backlog = backlog(2);
    backlog.begin_flush(0);
    backlog.shard(0).begin(5);
    backlog.not_flushed(0, 2, 10);
    backlog.add(head(3, 0, 10), None, shares("w", 10));
    let shard = backlog.shard(0);
    shard.rest();
    assert_eq!((shard.next_count(), shard.rest_ms(11)), (2, 0));
    assert_eq!(shard.unsent_since_ms(5 + SWEEP_GRACE_MS - 1), Some(5));
    assert_eq!(shard.unsent_since_ms(5 + SWEEP_GRACE_MS), None, "the sweeper has seen to it");
    assert_eq!(backlog.look_at_ms(10), Some(10 + FLUSH_AGAIN_MS));
    assert_eq!(backlog.begin_flush(9 + FLUSH_AGAIN_MS), [] as [u16; 0]);
    assert_eq!(backlog.begin_flush(10 + FLUSH_AGAIN_MS), [0]);
    // Later and later, but not without end.
    for _ in 0..20 {
        backlog.shard(0).begin(1_000);
        backlog.not_flushed(0, 2, 1_000);
    }
    backlog.shard(0).rest();
    assert_eq!(backlog.look_at_ms(1_000), Some(1_000 + FLUSH_AGAIN_MS_MAX));
    assert_eq!(backlog.shard(0).unsent_since_ms(1_000), Some(5), "the first try counts");
    backlog.flushed(0, 2);
    assert_eq!(backlog.shard(0).next_count(), 1);
    assert_eq!(backlog.shard(0).unsent_since_ms(1_000), None);
}

#[test]
fn what_was_found_in_the_storage_is_flushed_row_by_row_at_first() {
    let mut other = head(3, 0, 10);
    other.version = VERSION + 1;
    let mut backlog: Backlog<&str> = Backlog::new(&[head(1, 0, 10), head(2, 0, 10), other]);
    assert_eq!((backlog.unreadable, backlog.status(0).waiting), (1, 20));
    backlog.add(head(4, 0, 10), None, shares("w", 10));
    assert_eq!(backlog.shard(0).next_count(), 1);
    backlog.flushed(0, 1);
    assert_eq!(backlog.shard(0).rest_ms(0), 0, "more stands behind it");
    assert_eq!(backlog.shard(0).next_count(), 1);
    // Whose they are is not known: everybody waits for them.
    backlog.wait_for("other", || "other");
    assert_eq!(backlog.flushed(0, 1), [] as [&str; 0], "row 4 stood behind them");
    assert_eq!(backlog.flushed(0, 1), ["other"]);
}

#[test]
fn rows_in_log_are_kept_for_new_ones_and_not_for_ever() {
    let mut backlog = backlog(1);
    backlog.flushed(0, 1);
    assert_eq!(backlog.look_at_ms(1_000), None);
    assert!(backlog.keep_flushed(vec![1, 2, 3], 1_000).is_empty());
    assert!(backlog.keep_flushed(vec![4], 1_010).is_empty());
    assert_eq!(backlog.look_at_ms(1_010), Some(1_010 + ALARM_AFTER_MS));
    assert_eq!(backlog.take_flushed(2), [3, 4], "those that came last");
    assert_eq!(backlog.take_flushed_by(999), [] as [i64; 0]);
    assert_eq!((backlog.take_flushed_by(1_000), backlog.take_flushed(9)), (vec![1, 2], vec![]));
    assert_eq!(backlog.look_at_ms(1_010), None);
    let all: Vec<i64> = (1..=FLUSHED_KEPT as i64 + 2).collect();
    assert_eq!(backlog.keep_flushed(all, 2_000), [1, 2], "the oldest are too many");
}

#[test]
fn one_that_may_be_in_log_goes_alone() {
    let mut backlog = backlog(2);
    backlog.add(Head { is_alone: true, ..head(3, 0, 10) }, None, shares("w", 10));
    backlog.add(head(4, 0, 10), None, shares("w", 10));
    for count in [2, 1, 1] {
        assert_eq!(backlog.shard(0).next_count(), count);
        backlog.flushed(0, count);
    }
}

#[test]
fn who_waits_waits_for_what_stood_there_then() {
    let mut backlog = backlog(2);
    backlog.add(head(3, 7, 10), None, shares("v", 10));
    backlog.wait_for("w", || "first");
    backlog.wait_for("nobody", || "nobody");
    backlog.add(head(4, 0, 10), None, shares("w", 10));
    backlog.wait_for("w", || "second");
    assert_eq!(backlog.flushed(7, 1), [] as [&str; 0], "another shard");
    assert_eq!(backlog.flushed(0, 1), [] as [&str; 0]);
    assert_eq!(backlog.flushed(0, 1), ["first"]);
    // A failure is told to all, and who waits makes the next try come at once.
    backlog.not_flushed(0, 1, 0);
    assert_eq!(backlog.begin_flush(1), [] as [u16; 0]);
    backlog.wait_for("w", || "third");
    assert_eq!(backlog.begin_flush(1), [0]);
    assert_eq!(backlog.not_flushed(0, 1, 1), ["third"]);
}
