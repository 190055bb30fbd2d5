//! The words of charts and their numbers.

/// The newest so many since a time, where there are more.
pub type Newest = Option<(usize, String)>;

/// The words of charts and their numbers.
pub struct Charts {
    pub week_title: &'static str,
    pub day_title: &'static str,
    pub newest_title: fn(usize) -> String,
    /// At how many deliveries of each connection was looked.
    pub newest_of_each: fn(usize) -> String,
    pub delivered: &'static str,
    pub failed: &'static str,
    pub success: &'static str,
    pub times_title: &'static str,
    pub as_table: &'static str,
    pub counted: &'static str,
    pub counted_until: &'static str,
    pub not_counted: &'static str,
    pub nothing: &'static str,
    pub heads: [&'static str; 4],
    pub week: fn(u64, u64) -> String,
    /// What became of how many; the newest so many since a time, where there are more.
    pub day: fn((u64, u64, u64), Newest) -> String,
    pub percent: fn(Option<u64>) -> String,
    /// The date of a day, without its year.
    pub date: fn(&str) -> String,
    pub times: fn((Option<i64>, Option<i64>)) -> String,
}
