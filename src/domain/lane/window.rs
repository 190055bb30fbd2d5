//! A lane's window over its line: a page of it, as it was when it was read. It lives in memory
//! only; a lane that lost it asks for the page again.
//!
//! A window is never searched for what it cannot know. It is *stale* when the line changed in a way
//! that it does not show, and then it is read anew from the head; when nothing in it may start and
//! there is more behind it, it moves on by a page and remembers when something that it left behind
//! may start. So a step costs a page at most, however long the line is.
//!
//! Several consumers bring pages, and each is as old as its way was long. What a page cannot know
//! yet is corrected by what the lane heard meanwhile; one that was read before the page that the
//! window shows is a reason to look again.

use std::collections::BTreeSet;

use crate::domain::base::limits::{DOUBT_MS, FORWARDED_MAX};
use crate::domain::lane::ended::Ended;
use crate::domain::lane::messages::How;
use crate::domain::lane::queue::{Page, PageStart, QueuePosition, WaitingDelivery};

/// The window.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Window {
    rows: Vec<WaitingDelivery>,
    /// Whether anything was read at all.
    is_read: bool,
    is_last: bool,
    /// When the page from the head was read that the window shows or follows.
    read_at_ms: i64,
    ended: Ended,
    /// From this moment on it is stale, and when that became known.
    stale_at_ms: Option<(i64, i64)>,
    /// When the first of the deliveries before the window may start.
    behind_at_ms: Option<i64>,
    /// Deliveries whose job was given up, so that they may start when they are due.
    forwarded: BTreeSet<QueuePosition>,
    /// Deliveries that were not as they looked, by place and attempt. Should they look the same
    /// again they wait until the time given, so that nobody turns in circles.
    doubtful: Vec<(QueuePosition, u32, i64)>,
}

impl Window {
    /// Whether it has to be read anew.
    pub fn is_stale(&self, now_ms: i64) -> bool {
        let over = |at_ms: Option<i64>| at_ms.is_some_and(|at_ms| at_ms <= now_ms);
        let stale_at_ms = self.stale_at_ms.map(|(at_ms, _)| at_ms);
        !self.is_read || over(stale_at_ms) || over(self.behind_at_ms)
    }

    /// From `at_ms` on it does not show the line any more. A page that was read before this became
    /// known, at `now_ms`, makes no difference.
    pub fn stale_from(&mut self, at_ms: i64, now_ms: i64) {
        let earlier = self.stale_at_ms.map_or(at_ms, |(stale_ms, _)| stale_ms.min(at_ms));
        self.stale_at_ms = Some((earlier, now_ms));
    }

    /// A delivery was not as it looked.
    pub fn doubt(&mut self, place: QueuePosition, attempt: u32, now_ms: i64) {
        self.doubtful.retain(|(_, _, until_ms)| *until_ms > now_ms);
        self.doubtful.push((place, attempt, now_ms + DOUBT_MS));
    }

    /// Takes over a page; one that does not follow is left. False when it may be older than what
    /// the window showed: then the line has to be looked at again.
    #[must_use]
    pub fn take(&mut self, page: Page, now_ms: i64) -> bool {
        let mut is_newer = true;
        match page.from {
            PageStart::Head => {
                self.behind_at_ms = None;
                self.stale_at_ms =
                    self.stale_at_ms.filter(|(_, known_ms)| *known_ms > page.read_at_ms);
                is_newer = page.read_at_ms >= self.read_at_ms;
                self.read_at_ms = page.read_at_ms;
            }
            PageStart::After(place) if self.last() == Some(&place) => {
                let left = self.rows.iter().map(|row| self.start_at_ms(row)).min();
                self.behind_at_ms = self.behind_at_ms.into_iter().chain(left).min();
            }
            PageStart::After(_) => return true,
        }
        self.is_last = page.is_last;
        self.rows = self.ended.correct(page.rows, now_ms);
        // The place to go on from is lost with the last row.
        self.is_read = self.is_last || !self.rows.is_empty();
        is_newer && self.is_read
    }

    /// The hand-out of this attempt ended. False when a page that was read before would hide that:
    /// then the line has to be looked at again.
    #[must_use]
    pub fn ended(&mut self, place: &QueuePosition, attempt: u32, how: &How, now_ms: i64) -> bool {
        self.ended.note(place, attempt, how, now_ms)
    }

    /// Who had this attempt is gone, and so is its job; whoever reads the line next sees whether it
    /// was made.
    pub fn vanished(&mut self, place: &QueuePosition, attempt: u32, now_ms: i64) {
        let _ = self.ended.note(place, attempt, &How::GivenBack(now_ms), now_ms);
    }

    /// Notes deliveries whose job was given up.
    pub fn forward(&mut self, places: Vec<QueuePosition>) {
        if self.forwarded.len() + places.len() > FORWARDED_MAX {
            // Whoever is forgotten waits until its job would have been given up anyway.
            self.forwarded.clear();
        }
        self.doubtful.retain(|(place, ..)| !places.contains(place));
        self.forwarded.extend(places);
    }

    fn last(&self) -> Option<&QueuePosition> {
        self.rows.last().map(|row| &row.place)
    }

    fn start_at_ms(&self, row: &WaitingDelivery) -> i64 {
        let doubted = |(place, attempt, _): &&(QueuePosition, u32, i64)| {
            *place == row.place && *attempt == row.attempt
        };
        let until_ms = self.doubtful.iter().find(doubted).map_or(0, |(_, _, until_ms)| *until_ms);
        let at_ms =
            if self.forwarded.contains(&row.place) { row.due_at_ms } else { row.start_at_ms };
        at_ms.max(until_ms)
    }

    /// When it was taken for lost, if it may start for that reason; or 0.
    pub fn lost_at_ms(&self, row: &WaitingDelivery) -> i64 {
        let is_lost = row.start_at_ms > row.due_at_ms && !self.forwarded.contains(&row.place);
        if is_lost { row.start_at_ms } else { 0 }
    }

    /// The rows that may start by the order of the line: in a strict one the head, and test events.
    fn in_turn(&self, is_strict: bool) -> impl Iterator<Item = &WaitingDelivery> {
        let head = self.rows.iter().position(|row| !row.is_test());
        let is_in_turn = move |(index, row): &(usize, &WaitingDelivery)| {
            !is_strict || row.is_test() || Some(*index) == head
        };
        self.rows.iter().enumerate().filter(is_in_turn).map(|(_, row)| row)
    }

    /// The first delivery that may start and is not `under_way`.
    pub fn first(
        &self,
        is_strict: bool,
        now_ms: i64,
        under_way: impl Fn(&QueuePosition) -> bool,
    ) -> Option<&WaitingDelivery> {
        let may_start = |row: &&WaitingDelivery| {
            !row.is_held && self.start_at_ms(row) <= now_ms && !under_way(&row.place)
        };
        self.in_turn(is_strict).find(may_start)
    }

    /// When something in the line may start that is not `under_way`, as far as the window knows;
    /// `None` when nothing waits. What is not known may start now.
    pub fn next_at_ms(
        &self,
        is_strict: bool,
        now_ms: i64,
        under_way: impl Fn(&QueuePosition) -> bool,
    ) -> Option<i64> {
        if self.is_stale(now_ms) {
            return Some(now_ms);
        }
        let may_start = |row: &&WaitingDelivery| !row.is_held && !under_way(&row.place);
        let rows = self.in_turn(is_strict).filter(may_start);
        let first = rows.map(|row| self.start_at_ms(row)).min();
        let beyond = (!self.is_last && (!is_strict || self.rows.is_empty())).then_some(now_ms);
        [first, beyond, self.stale_at_ms.map(|(at_ms, _)| at_ms), self.behind_at_ms]
            .into_iter()
            .flatten()
            .min()
    }

    /// The page that is worth reading when nothing in the window may start.
    pub fn wanted(&self, is_strict: bool, now_ms: i64) -> Option<PageStart> {
        if self.is_stale(now_ms) {
            return Some(PageStart::Head);
        }
        if self.is_last || (is_strict && !self.rows.is_empty()) {
            return None;
        }
        Some(self.last().map_or(PageStart::Head, |last| PageStart::After(last.clone())))
    }

    /// The row of a delivery.
    pub fn find_mut(&mut self, place: &QueuePosition) -> Option<&mut WaitingDelivery> {
        self.rows.iter_mut().find(|row| row.place == *place)
    }

    /// A delivery was settled.
    pub fn remove(&mut self, place: &QueuePosition) {
        self.rows.retain(|row| row.place != *place);
        self.forwarded.remove(place);
        // The place to go on from is lost with the last row.
        self.is_read &= self.is_last || !self.rows.is_empty();
    }

    /// A delivery starts: its job was given up once, not for good.
    pub fn started(&mut self, place: &QueuePosition) {
        self.forwarded.remove(place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(event: &str, start_at_ms: i64) -> WaitingDelivery {
        let place = QueuePosition { event: event.to_owned(), rule: 1 };
        let due_at_ms = start_at_ms - 10;
        WaitingDelivery {
            place,
            attempt: 1,
            start_at_ms,
            due_at_ms,
            payload_bytes: 2,
            is_held: false,
        }
    }

    fn page(from: PageStart, rows: &[(&str, i64)], is_last: bool) -> Page {
        let rows = rows.iter().map(|(event, at)| row(event, *at)).collect();
        Page { from, rows, is_last, read_at_ms: 0 }
    }

    fn place(event: &str) -> QueuePosition {
        QueuePosition { event: event.to_owned(), rule: 1 }
    }

    fn first(window: &Window, is_strict: bool, now_ms: i64) -> Option<&str> {
        window.first(is_strict, now_ms, |_| false).map(|row| row.place.event.as_str())
    }

    #[test]
    fn the_oldest_that_may_start_comes_first() {
        let mut window = Window::default();
        assert_eq!(window.wanted(false, 0), Some(PageStart::Head), "nothing was read");
        assert!(window.take(page(PageStart::Head, &[("a", 50), ("b", 20), ("c", 10)], true), 0));
        assert_eq!(first(&window, false, 9), None);
        assert_eq!(first(&window, false, 15), Some("c"));
        assert_eq!(first(&window, false, 20), Some("b"));
        assert_eq!(first(&window, true, 49), None, "a strict line waits for its head");
        assert_eq!(first(&window, true, 50), Some("a"));
        assert_eq!(window.next_at_ms(false, 0, |p| p.event == "c"), Some(20));
        assert_eq!(window.next_at_ms(true, 0, |_| false), Some(50));
        assert_eq!(window.wanted(false, 0), None, "there is no more");
        window.forward(vec![place("b")]);
        assert_eq!(first(&window, false, 10), Some("b"), "its job was given up");
    }

    #[test]
    fn what_starts_later_than_it_was_due_had_a_job_that_was_lost() {
        let mut window = Window::default();
        assert_eq!(window.lost_at_ms(&row("a", 50)), 50);
        let never_sent = WaitingDelivery { due_at_ms: 50, ..row("a", 50) };
        assert_eq!(window.lost_at_ms(&never_sent), 0);
        window.forward(vec![place("a")]);
        assert_eq!(window.lost_at_ms(&row("a", 50)), 0, "a consumer left it to the lane");
    }

    #[test]
    fn it_moves_on_and_comes_back() {
        let mut window = Window::default();
        assert!(window.take(page(PageStart::Head, &[("a", 100), ("b", 90)], false), 0));
        let after = PageStart::After(place("b"));
        assert_eq!(window.wanted(false, 0), Some(after.clone()));
        assert_eq!(window.wanted(true, 0), None, "what follows a strict head does not matter");
        assert!(window.take(page(PageStart::After(place("x")), &[("y", 0)], true), 0));
        assert_eq!(first(&window, false, 0), None, "a page that does not follow is left");
        assert!(window.take(page(after, &[("c", 5)], true), 0));
        assert_eq!(first(&window, false, 5), Some("c"));
        window.remove(&place("c"));
        assert_eq!(window.next_at_ms(false, 6, |_| false), Some(90));
        assert_eq!(
            (window.wanted(false, 89), window.wanted(false, 90)),
            (None, Some(PageStart::Head))
        );
    }

    #[test]
    fn a_held_head_keeps_a_strict_line_back() {
        let mut window = Window::default();
        let mut rows = page(PageStart::Head, &[("a", 0), ("b", 0)], true);
        rows.rows[0].is_held = true;
        assert!(window.take(rows, 0));
        assert_eq!((first(&window, true, 9), first(&window, false, 9)), (None, Some("b")));
        assert_eq!(window.next_at_ms(true, 9, |_| false), None);
    }

    #[test]
    fn a_stale_window_is_read_from_the_head() {
        let mut window = Window::default();
        assert!(window.take(page(PageStart::Head, &[("a", 100)], true), 0));
        window.stale_from(7, 0);
        window.stale_from(9, 0);
        assert_eq!((window.is_stale(6), window.is_stale(7)), (false, true));
        assert_eq!(window.next_at_ms(false, 0, |_| false), Some(7));
        assert_eq!(window.wanted(false, 7), Some(PageStart::Head));
        assert!(window.take(page(PageStart::Head, &[], true), 0));
        assert_eq!(window.next_at_ms(false, 7, |_| false), None);
        window.stale_from(7, 1);
        assert!(window.take(page(PageStart::Head, &[], true), 0));
        assert!(window.is_stale(7), "the page was read before that became known");
        assert!(window.take(Page { read_at_ms: 1, ..page(PageStart::Head, &[], true) }, 0));
        let older = page(PageStart::Head, &[], true);
        assert!(!window.take(older, 0), "what came between the two is not forgotten");
        // A page that was used up is read again from the head when more may follow.
        let newer = Page { read_at_ms: 1, ..page(PageStart::Head, &[("a", 0)], false) };
        assert!(window.take(newer, 0));
        window.remove(&place("a"));
        assert_eq!(window.wanted(true, 0), Some(PageStart::Head));
    }

    #[test]
    fn what_was_not_as_it_looked_waits_until_it_looks_different() {
        let mut window = Window::default();
        window.doubt(place("a"), 1, 0);
        assert!(window.take(page(PageStart::Head, &[("a", 0), ("b", 0)], true), 0));
        assert_eq!((first(&window, false, 1), first(&window, true, 1)), (Some("b"), None));
        assert_eq!(first(&window, true, DOUBT_MS), Some("a"));
        window.forward(vec![place("a")]);
        assert_eq!(first(&window, true, 1), Some("a"));
        window.doubt(place("b"), 2, 0);
        window.remove(&place("a"));
        assert_eq!(first(&window, true, 1), Some("b"), "another attempt was meant");
    }

    #[test]
    fn places_sort_by_age() {
        let event = |ms| crate::domain::base::ids::event_id(ms, [0; 8], 0, 1);
        let place = |ms, rule| QueuePosition { event: event(ms), rule };
        assert!(place(1, 9) < place(2, 1) && place(1, 1) < place(1, 2));
    }
}
