//! Small charts of what became of the deliveries of the last week: SVG that needs no script, each
//! with its numbers in words.

use maud::{Markup, html};

use crate::domain::base::time::{DAY_MS, rfc3339};
use crate::domain::delivery::stats::Tally;
use crate::embed::frame::parts;
use crate::embed::text::Texts;
use crate::store::rollups::Rollup;

/// Days in a chart, today included.
pub const DAYS: i64 = 7;
/// Height of the tallest bar, in the chart's own units.
const TALL: u64 = 72;
/// Units from bar to bar, and the width of a bar.
const STEP: u64 = 100;
const WIDE: u64 = 72;

/// What became of deliveries in the last [`DAYS`] days, by the day of their event, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week {
    days: Vec<(i64, Tally)>,
}

impl Week {
    /// The first millisecond of the first day, which is UTC's.
    pub fn since_ms(now_ms: i64) -> i64 {
        now_ms - now_ms.rem_euclid(DAY_MS) - (DAYS - 1) * DAY_MS
    }

    /// Adds up what was counted.
    pub fn of<'a>(rollups: impl Iterator<Item = &'a Rollup>, now_ms: i64) -> Self {
        let since_ms = Self::since_ms(now_ms);
        let mut days: Vec<(i64, Tally)> =
            (0..DAYS).map(|day| (since_ms + day * DAY_MS, Tally::default())).collect();
        for rollup in rollups {
            let day = days.iter_mut().find(|(day_ms, _)| *day_ms == rollup.day_ms);
            if let Some((_, tally)) = day {
                tally.merge(&rollup.tally);
            }
        }
        Self { days }
    }

    /// All days added up.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        self.days.iter().for_each(|(_, tally)| total.merge(tally));
        total
    }

    /// The week as numbers, a chart, and a table of the same.
    pub fn render(&self, t: &Texts, as_of_ms: Option<i64>, now_ms: i64) -> Markup {
        let total = self.total();
        let Some(as_of_ms) = as_of_ms.filter(|_| total.completed + total.failed > 0) else {
            return html! { p.hint { (t.charts.not_counted) } };
        };
        html! {
            (tiles(t, &total))
            (self.bars(t))
            (self.table(t, Some(as_of_ms), now_ms))
        }
    }

    fn bars(&self, t: &Texts) -> Markup {
        let most = self.days.iter().map(|(_, tally)| tally.completed + tally.failed).max();
        let most = most.unwrap_or(0).max(1);
        let total = self.total();
        let wide = STEP * self.days.len() as u64;
        html! {
            svg.chart viewBox=(format!("0 0 {wide} {TALL}")) preserveAspectRatio="none" role="img"
                aria-label=((t.charts.week)(total.completed, total.failed)) {
                @for (index, (_, tally)) in self.days.iter().enumerate() {
                    @let x = STEP * index as u64 + (STEP - WIDE) / 2;
                    @let good = height(tally.completed, most);
                    @let bad = height(tally.failed, most).min(TALL - good.min(TALL));
                    rect.nothing x=(x) y=(TALL - 1) width=(WIDE) height="1" {}
                    rect.good x=(x) y=(TALL - good) width=(WIDE) height=(good) {}
                    rect.bad x=(x) y=(TALL - good - bad) width=(WIDE) height=(bad) {}
                }
            }
            div.axis aria-hidden="true" {
                @for (day_ms, _) in &self.days { span { ((t.charts.date)(&rfc3339(*day_ms))) } }
            }
        }
    }

    /// The days as a table, folded, with what was counted.
    pub fn table(&self, t: &Texts, as_of_ms: Option<i64>, now_ms: i64) -> Markup {
        html! {
            details.numbers {
                summary { (t.charts.as_table) }
                table {
                    thead {
                        tr { @for head in t.charts.heads { th scope="col" { (head) } } }
                    }
                    tbody {
                        @for (day_ms, tally) in &self.days {
                            tr {
                                th scope="row" { ((t.charts.date)(&rfc3339(*day_ms))) }
                                td { ((t.number)(tally.completed)) }
                                td { ((t.number)(tally.failed)) }
                                td { ((t.charts.percent)(tally.success_per_10000())) }
                            }
                        }
                    }
                }
                @if let Some(as_of_ms) = as_of_ms {
                    p.hint {
                        (t.charts.counted) " "
                        (t.charts.counted_until) " " (parts::time(t, as_of_ms, now_ms)) "."
                    }
                }
            }
        }
    }

    /// The week as a strip of one mark a day, for a line of a list.
    pub fn strip(&self, t: &Texts) -> Markup {
        let total = self.total();
        let label = match total.success_per_10000() {
            Some(_) => (t.charts.week)(total.completed, total.failed),
            None => t.charts.nothing.to_owned(),
        };
        html! {
            svg.strip viewBox="0 0 84 16" role="img" aria-label=(label) {
                @for (index, (_, tally)) in self.days.iter().enumerate() {
                    @let decided = tally.completed + tally.failed;
                    @let bad = height_of(tally.failed, decided, 16);
                    @let x = 12 * index;
                    @let class = if decided == 0 { "nothing" } else { "good" };
                    rect class=(class) x=(x) y="0" width="10" height="16" {}
                    @if bad > 0 { rect.bad x=(x) y="0" width="10" height=(bad) {} }
                }
            }
        }
    }
}

/// Four numbers that a customer cares about.
fn tiles(t: &Texts, total: &Tally) -> Markup {
    let times = (total.latency.percentile_ms(50), total.latency.percentile_ms(95));
    html! {
        dl.tiles {
            div { dt { (t.charts.delivered) } dd { ((t.number)(total.completed)) } }
            div { dt { (t.charts.failed) } dd { ((t.number)(total.failed)) } }
            div {
                dt { (t.charts.success) }
                dd { ((t.charts.percent)(total.success_per_10000())) }
            }
            div { dt { (t.charts.times_title) } dd { ((t.charts.times)(times)) } }
        }
    }
}

/// The height of a bar; what is there at all is seen.
fn height(count: u64, most: u64) -> u64 {
    height_of(count, most, TALL)
}

fn height_of(count: u64, most: u64, tall: u64) -> u64 {
    if count == 0 { 0 } else { (count * tall / most.max(1)).max(3) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::text::LANGUAGES;

    const NOW_MS: i64 = 20_000 * DAY_MS + 5;

    fn rollup(day_ms: i64, completed: u64, failed: u64) -> Rollup {
        let tally = Tally { completed, failed, ..Tally::default() };
        Rollup { workspace: "w".to_owned(), connection: "c".to_owned(), day_ms, tally }
    }

    #[test]
    fn a_week_has_a_bar_for_each_day_and_leaves_out_what_is_older() {
        let since_ms = Week::since_ms(NOW_MS);
        assert_eq!(since_ms, 19_994 * DAY_MS);
        let counted = [
            rollup(since_ms - DAY_MS, 100, 100),
            rollup(since_ms, 3, 1),
            rollup(since_ms, 1, 0),
            rollup(20_000 * DAY_MS, 95, 1),
        ];
        let week = Week::of(counted.iter(), NOW_MS);
        assert_eq!((week.total().completed, week.total().failed), (99, 2));
        let page = week.render(LANGUAGES[0], Some(NOW_MS), NOW_MS).into_string();
        assert_eq!(page.matches("class=\"good\"").count(), 7);
        assert!(page.contains("99 delivered, 2 failed"), "{page}");
        assert!(page.contains("98.01 %"), "{page}");
    }

    #[test]
    fn a_single_failure_among_many_is_seen() {
        assert_eq!((height(0, 1_000_000), height(1, 1_000_000), height(5, 5)), (0, 3, TALL));
        let counted = [rollup(20_000 * DAY_MS, 100_000, 1)];
        let strip = Week::of(counted.iter(), NOW_MS).strip(LANGUAGES[0]).into_string();
        assert!(strip.contains("class=\"bad\""), "{strip}");
    }

    #[test]
    fn nothing_is_no_success() {
        let week = Week::of(std::iter::empty(), NOW_MS);
        let (page, strip) = (
            week.render(LANGUAGES[0], None, NOW_MS).into_string(),
            week.strip(LANGUAGES[0]).into_string(),
        );
        assert!(!page.contains("<svg") && !page.contains('%'), "{page}");
        assert!(strip.contains("Nothing was sent"), "{strip}");
    }
}
