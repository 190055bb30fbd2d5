//! The success bar of a connection: what became of the deliveries of the last 24 hours, a mark for
//! each hour. It looks at a bounded number of deliveries and says so where there are more.

use maud::{Markup, html};

use crate::domain::base::time::{DAY_MS, HOUR_MS};
use crate::domain::delivery::state::State;
use crate::embed::text::{Texts, moments};
use crate::store::connection_deliveries::Accepted;

/// Hours in the bar, the present one included.
const HOURS: i64 = 24;

/// What became of the deliveries of one hour.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Hour {
    delivered: u64,
    failed: u64,
}

/// What became of the deliveries of the last 24 hours, oldest hour first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastDay {
    hours: Vec<Hour>,
    open: u64,
    /// How many were looked at and since when, where there are more.
    cut: Option<(usize, i64)>,
}

impl LastDay {
    /// The first millisecond of the first hour.
    pub fn since_ms(now_ms: i64) -> i64 {
        now_ms - now_ms.rem_euclid(HOUR_MS) - (DAY_MS - HOUR_MS)
    }

    /// What became of a connection's newest deliveries, of which at most `most` were looked at.
    pub fn of(
        found: &[(String, Vec<Accepted>)],
        connection: &str,
        most: usize,
        now_ms: i64,
    ) -> Self {
        let since_ms = Self::since_ms(now_ms);
        let mut day =
            Self { hours: (0..HOURS).map(|_| Hour::default()).collect(), open: 0, cut: None };
        let (mut looked_at, mut first_ms) = (0, now_ms);
        let its = found.iter().filter(|(id, _)| id == connection).flat_map(|(_, its)| its);
        for delivery in its {
            looked_at += 1;
            first_ms = first_ms.min(delivery.at_ms);
            let index = usize::try_from((delivery.at_ms - since_ms) / HOUR_MS);
            let Some(hour) = day.hours.get_mut(index.unwrap_or_default()) else { continue };
            match delivery.state {
                State::Delivered => hour.delivered += 1,
                State::Failed => hour.failed += 1,
                State::Canceled => {}
                _ => day.open += 1,
            }
        }
        day.cut = (looked_at >= most).then_some((most, first_ms));
        day
    }

    /// Whether there are more deliveries than were looked at.
    pub fn is_cut(&self) -> bool {
        self.cut.is_some()
    }

    /// What it is about: all of the 24 hours, or the newest of them.
    pub fn title(&self, t: &Texts) -> String {
        match self.cut {
            Some((most, _)) => (t.charts.newest_title)(most),
            None => t.charts.day_title.to_owned(),
        }
    }

    /// The bar and its part of success, and in words what it says.
    pub fn render(&self, t: &Texts) -> Markup {
        let total = |of: fn(&Hour) -> u64| self.hours.iter().map(of).sum::<u64>();
        let (delivered, failed) = (total(|hour| hour.delivered), total(|hour| hour.failed));
        let newest = self.cut.map(|(most, at_ms)| (most, moments::field(at_ms).replace('T', " ")));
        let label = (t.charts.day)((delivered, failed, self.open), newest);
        let success = (delivered * 10_000).checked_div(delivered + failed);
        html! {
            svg.strip.hours viewBox="0 0 144 16" role="img" aria-label=(label) {
                rect.nothing width="143" height="16" {}
                @for (class, x, width, height) in self.marks() {
                    rect class=(class) x=(x) width=(width) height=(height) {}
                }
            }
            " " ((t.charts.percent)(success))
        }
    }

    /// Colour, place, width and height of the marks. Hours that look the same are one, since a page
    /// shows many of these bars; the style sheet puts gaps between them.
    fn marks(&self) -> Vec<(&'static str, usize, usize, u64)> {
        let good = |hour: &Hour| 16 * u64::from(hour.delivered + hour.failed > 0);
        let bad = |hour: &Hour| match (hour.failed * 16).checked_div(hour.delivered + hour.failed) {
            Some(tall) if hour.failed > 0 => tall.max(3),
            _ => 0,
        };
        let mut marks = Vec::new();
        for (class, tall) in [("good", &good as &dyn Fn(&Hour) -> u64), ("bad", &bad)] {
            let mut at = 0;
            for same in self.hours.chunk_by(|one, next| tall(one) == tall(next)) {
                let height = tall(&same[0]);
                if height > 0 {
                    marks.push((class, 6 * at, 6 * same.len() - 1, height));
                }
                at += same.len();
            }
        }
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::text::LANGUAGES;

    const NOW_MS: i64 = 20_000 * DAY_MS + HOUR_MS / 2;

    fn day(found: &[(i64, State, usize)]) -> LastDay {
        let made = |(hours, state, deliveries): &(i64, State, usize)| {
            let one = Accepted { at_ms: NOW_MS - hours * HOUR_MS, state: *state };
            vec![one; *deliveries]
        };
        let other = ("other".to_owned(), made(&(0, State::Failed, 400)));
        let found = [other, ("one".to_owned(), found.iter().flat_map(made).collect())];
        LastDay::of(&found, "one", 500, NOW_MS)
    }

    #[test]
    fn each_hour_has_its_mark_and_the_words_say_what_was_counted() {
        let day = day(&[
            (0, State::Pending, 1),
            (0, State::Delivered, 1),
            (1, State::Failed, 1),
            (2, State::Delivered, 1),
            (2, State::Canceled, 1),
        ]);
        let page = day.render(LANGUAGES[0]).into_string();
        let marks = "<rect class=\"nothing\" width=\"143\" height=\"16\"></rect>\
            <rect class=\"good\" x=\"126\" width=\"17\" height=\"16\"></rect>\
            <rect class=\"bad\" x=\"132\" width=\"5\" height=\"16\"></rect></svg>";
        assert!(page.contains(marks), "{page}");
        assert!(page.contains("Last 24 hours: 2 delivered, 1 failed, 1 not finished"), "{page}");
        assert!(page.ends_with("66.66 %"), "{page}");
        assert_eq!((day.title(LANGUAGES[0]).as_str(), day.is_cut()), ("Last 24 hours", false));
    }

    #[test]
    fn what_is_cut_says_so_and_nothing_is_no_success() {
        let cut = day(&[(0, State::Delivered, 499), (3, State::Failed, 1)]);
        let page = cut.render(LANGUAGES[0]).into_string();
        assert!(page.contains("The newest 500 deliveries, since 2024-10-03 21:30 UTC"), "{page}");
        let title = cut.title(LANGUAGES[0]);
        assert_eq!((title.as_str(), cut.is_cut()), ("Newest 500 deliveries", true));
        let page = day(&[]).render(LANGUAGES[0]).into_string();
        assert!(page.ends_with("–") && page.contains("Nothing was sent"), "{page}");
    }
}
