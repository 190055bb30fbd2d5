//! The success bar of a connection: what became of the deliveries of the last 24 hours, a mark for
//! each hour. It looks at a bounded number of deliveries and says so where there are more.

use maud::{Markup, html};

use crate::domain::base::time::{DAY_MS, HOUR_MS};
use crate::domain::delivery::state::State;
use crate::embed::text::{Texts, moments};
use crate::store::connection_deliveries::DAY_LOOKED_AT;

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
    /// Since when, where there are more than were looked at.
    cut_at_ms: Option<i64>,
}

impl LastDay {
    /// The first millisecond of the first hour.
    pub fn since_ms(now_ms: i64) -> i64 {
        now_ms - now_ms.rem_euclid(HOUR_MS) - (DAY_MS - HOUR_MS)
    }

    /// Adds up when deliveries were accepted and what became of them, newest first.
    pub fn of(deliveries: &[(i64, State)], now_ms: i64) -> Self {
        let since_ms = Self::since_ms(now_ms);
        let mut day =
            Self { hours: (0..HOURS).map(|_| Hour::default()).collect(), open: 0, cut_at_ms: None };
        for (at_ms, state) in deliveries {
            let index = usize::try_from((at_ms - since_ms) / HOUR_MS).unwrap_or_default();
            let Some(hour) = day.hours.get_mut(index) else { continue };
            match state {
                State::Delivered => hour.delivered += 1,
                State::Failed => hour.failed += 1,
                State::Canceled => {}
                _ => day.open += 1,
            }
        }
        let last = deliveries.last().filter(|_| deliveries.len() >= DAY_LOOKED_AT);
        day.cut_at_ms = last.map(|(at_ms, _)| *at_ms);
        day
    }

    /// What it is about: all of the 24 hours, or the newest of them.
    pub fn title(&self, t: &Texts) -> &'static str {
        if self.cut_at_ms.is_some() { t.charts.newest_title } else { t.charts.day_title }
    }

    /// The bar and its part of success, and in words what it says.
    pub fn render(&self, t: &Texts) -> Markup {
        let total = |of: fn(&Hour) -> u64| self.hours.iter().map(of).sum::<u64>();
        let (delivered, failed) = (total(|hour| hour.delivered), total(|hour| hour.failed));
        let since = self.cut_at_ms.map(|at_ms| moments::field(at_ms).replace('T', " "));
        let label = (t.charts.day)((delivered, failed, self.open), since.as_deref());
        let success = (delivered * 10_000).checked_div(delivered + failed);
        html! {
            svg.strip.hours viewBox="0 0 144 16" role="img" aria-label=(label) {
                @for (index, hour) in self.hours.iter().enumerate() {
                    @let (decided, x) = (hour.delivered + hour.failed, 6 * index);
                    @let bad = match (hour.failed * 16).checked_div(decided) {
                        Some(tall) if hour.failed > 0 => tall.max(3),
                        _ => 0,
                    };
                    @let class = if decided == 0 { "nothing" } else { "good" };
                    rect class=(class) x=(x) y="0" width="5" height="16" {}
                    @if bad > 0 { rect.bad x=(x) y="0" width="5" height=(bad) {} }
                }
            }
            " " ((t.charts.percent)(success))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::text::LANGUAGES;

    const NOW_MS: i64 = 20_000 * DAY_MS + HOUR_MS / 2;

    #[test]
    fn each_hour_has_its_mark_and_the_words_say_what_was_counted() {
        let at = |hours: i64| NOW_MS - hours * HOUR_MS;
        let found = [
            (at(0), State::Pending),
            (at(0), State::Delivered),
            (at(1), State::Failed),
            (at(2), State::Delivered),
            (at(2), State::Canceled),
        ];
        let day = LastDay::of(&found, NOW_MS);
        let page = day.render(LANGUAGES[0]).into_string();
        assert_eq!((page.matches("<rect").count(), page.matches("class=\"bad\"").count()), (25, 1));
        assert!(page.contains("Last 24 hours: 2 delivered, 1 failed, 1 not finished"), "{page}");
        assert!(page.ends_with("66.66 %"), "{page}");
        assert_eq!(day.title(LANGUAGES[0]), "Last 24 hours");
    }

    #[test]
    fn what_is_cut_says_so_and_nothing_is_no_success() {
        let found = vec![(NOW_MS, State::Delivered); DAY_LOOKED_AT];
        let day = LastDay::of(&found, NOW_MS);
        let page = day.render(LANGUAGES[0]).into_string();
        assert!(page.contains("The newest 500 deliveries, since 2024-10-04"), "{page}");
        assert_eq!(day.title(LANGUAGES[0]), "Newest 500 deliveries");
        let page = LastDay::of(&[], NOW_MS).render(LANGUAGES[0]).into_string();
        assert!(page.ends_with("–") && page.contains("Nothing was sent"), "{page}");
    }
}
