//! Times in this crate are milliseconds since 1970-01-01T00:00:00Z in an `i64`. Nothing here reads
//! a clock.

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat};
use std::time::UNIX_EPOCH;

/// One second, in milliseconds.
pub const SECOND_MS: i64 = 1_000;
/// One minute, in milliseconds.
pub const MINUTE_MS: i64 = 60 * SECOND_MS;
/// One hour, in milliseconds.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// One day, in milliseconds.
pub const DAY_MS: i64 = 24 * HOUR_MS;

/// 0000-01-01T00:00:00.000Z, the first instant that four digits of year can say.
const RFC3339_FIRST_MS: i64 = -62_167_219_200_000;
/// 9999-12-31T23:59:59.999Z, the last one.
const RFC3339_LAST_MS: i64 = 253_402_300_799_999;

/// Writes an instant (epoch milliseconds) as `YYYY-MM-DDTHH:MM:SS.mmmZ`.
///
/// The form has always the same width, so text order is time order. An instant outside the years
/// 0000 to 9999 is written as the nearest one inside.
pub fn rfc3339(ms: i64) -> String {
    let ms = ms.clamp(RFC3339_FIRST_MS, RFC3339_LAST_MS);
    DateTime::from_timestamp_millis(ms)
        .unwrap_or_default()
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The calendar month (UTC) of an instant: when it began, and when the next one begins.
pub fn month(at_ms: i64) -> (i64, i64) {
    let day = DateTime::from_timestamp_millis(at_ms).unwrap_or_default().date_naive();
    let first_day = |year, month| {
        let day = NaiveDate::from_ymd_opt(year, month, 1).unwrap_or_default();
        day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp_millis()
    };
    let (year, month) = (day.year(), day.month());
    let next = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    (first_day(year, month), first_day(next.0, next.1))
}

/// A time with a fraction of nanoseconds and an offset is 35 characters long.
const RFC3339_CHARS_MAX: usize = 64;

/// Reads an RFC 3339 time, with any offset, into epoch milliseconds; `None` when it is none. What
/// is finer than a millisecond is cut off.
pub fn parse_rfc3339(text: &str) -> Option<i64> {
    if text.len() > RFC3339_CHARS_MAX {
        return None;
    }
    let at_ms = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis();
    (RFC3339_FIRST_MS..=RFC3339_LAST_MS).contains(&at_ms).then_some(at_ms)
}

/// Reads an HTTP date (RFC 9110 section 5.6.7) into epoch milliseconds; `None` when it is none, or
/// before 1970.
pub fn parse_http_date(text: &str) -> Option<i64> {
    let since = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_millis()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn months_are_of_the_calendar() {
        let at = |text: &str| parse_rfc3339(text).expect("a time");
        for (moment, first, next) in [
            ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"),
            ("2028-02-29T23:59:59.999Z", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
            ("2026-12-31T12:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ] {
            assert_eq!(month(at(moment)), (at(first), at(next)), "{moment}");
        }
    }

    #[test]
    fn rfc3339_has_one_width() {
        #[track_caller]
        fn check(ms: i64, expected: &str) {
            assert_eq!(rfc3339(ms), expected);
        }
        check(0, "1970-01-01T00:00:00.000Z");
        check(-1, "1969-12-31T23:59:59.999Z");
        check(1, "1970-01-01T00:00:00.001Z");
        check(784_111_777_000, "1994-11-06T08:49:37.000Z");
        check(951_782_400_120, "2000-02-29T00:00:00.120Z");
        check(RFC3339_FIRST_MS, "0000-01-01T00:00:00.000Z");
        check(i64::MIN, "0000-01-01T00:00:00.000Z");
        check(RFC3339_LAST_MS, "9999-12-31T23:59:59.999Z");
        check(i64::MAX, "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn rfc3339_times() {
        #[track_caller]
        fn check(text: &str, expected: Option<i64>) {
            assert_eq!(parse_rfc3339(text), expected, "{text}");
        }
        check("1970-01-01T00:00:01Z", Some(1_000));
        check("1970-01-01T00:00:01.2349Z", Some(1_234));
        check("1970-01-01T01:00:00+01:00", Some(0));
        check("1969-12-31T19:00:00.5-05:00", Some(500));
        check("1970-01-01T00:00:00", None);
        check("1970-01-01", None);
        check("1970-02-30T00:00:00Z", None);
        check("0", None);
        check("", None);
        check("9999-12-31T23:59:59-23:59", None);
        check(&"1".repeat(100_000), None);
    }

    #[test]
    fn http_dates() {
        #[track_caller]
        fn check(text: &str, expected: Option<&str>) {
            assert_eq!(parse_http_date(text).map(rfc3339).as_deref(), expected, "{text}");
        }
        // The three spellings of one instant in RFC 9110 section 5.6.7.
        let example = Some("1994-11-06T08:49:37.000Z");
        check("Sun, 06 Nov 1994 08:49:37 GMT", example);
        check("Sunday, 06-Nov-94 08:49:37 GMT", example);
        check("Sun Nov  6 08:49:37 1994", example);

        check("  Sun, 06 Nov 1994 08:49:37 GMT ", example);
        check("Wednesday, 06-Nov-69 08:49:37 GMT", Some("2069-11-06T08:49:37.000Z"));
        check("Friday, 06-Nov-70 08:49:37 GMT", Some("1970-11-06T08:49:37.000Z"));
        check("Thu, 29 Feb 2024 00:00:00 GMT", Some("2024-02-29T00:00:00.000Z"));

        check("Wed, 31 Dec 1969 23:59:59 GMT", None);
        check("sun, 06 nov 1994 08:49:37 GMT", None);
        check("Sun, 6 Nov 1994 08:49:37 GMT", None);
        check("Mon, 06 Nov 1994 08:49:37 GMT", None);
        check("Sat, 31 Dec 2016 23:59:60 GMT", None);
        check("Wed, 29 Feb 2023 00:00:00 GMT", None);
        check("Sun, 06 Nov 1994 08:49:37 PST", None);
        check("Sun, 06 Nov 1994 08:49:37", None);
        check("Sun, 06 Nov 1994 24:00:00 GMT", None);
        check("Sun, 06 Nov 1994 08:60:00 GMT", None);
        check("Sun, 06 Nov 1994 08:49:61 GMT", None);
        check("Sun, 06 Nov 1994 08:49 GMT", None);
        check("Sun, 06 Nov 1994 08:49:37:00 GMT", None);
        check("Sun, 06 Nov 1994 +8:49:37 GMT", None);
        check("Sun, 06 Nov 94 08:49:37 GMT", None);
        check("Sun 06 Nov 1994 08:49:37 GMT", None);
        check("Xyz, 06 Nov 1994 08:49:37 GMT", None);
        check("Sun, 06 Foo 1994 08:49:37 GMT", None);
        check("1994-11-06T08:49:37Z", None);
        check("120", None);
        check("", None);
        check(&"Sun, ".repeat(100_000), None);
    }

    proptest! {
        #[test]
        fn an_rfc3339_time_reads_back(ms in RFC3339_FIRST_MS..=RFC3339_LAST_MS) {
            prop_assert_eq!(parse_rfc3339(&rfc3339(ms)), Some(ms));
        }

        #[test]
        fn an_imf_date_reads_back(second in 0..253_402_300_800_i64) {
            let at = DateTime::from_timestamp_secs(second).unwrap();
            let text = at.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(parse_http_date(&text), Some(second * SECOND_MS));
        }

        #[test]
        fn any_text_is_taken(text in any::<String>(), ms in any::<i64>()) {
            parse_http_date(&text);
            parse_rfc3339(&text);
            prop_assert_eq!(rfc3339(ms).len(), 24);
        }
    }
}
