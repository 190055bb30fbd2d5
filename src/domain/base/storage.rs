//! How full a shard is. A database of the platform holds 10 GB and not a byte more, so we stop
//! earlier, and in steps.

/// What a database holds at the most (10 GB).
pub const DATABASE_BYTES_MAX: i64 = 10_000_000_000;

/// How full a shard is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StorageLevel {
    /// Below 70 %.
    Normal,
    /// From 70 % on: a shard should be added, or retention shortened.
    Filling,
    /// From 90 % on: it gets no new workspaces.
    NearlyFull,
    /// From 97 % on: its workspaces emit nothing. What is left is for what is under way.
    Full,
}

const ALL: [(StorageLevel, i64, &str); 4] = [
    (StorageLevel::Full, 97, "full"),
    (StorageLevel::NearlyFull, 90, "nearly_full"),
    (StorageLevel::Filling, 70, "filling"),
    (StorageLevel::Normal, 0, "normal"),
];

/// The words for all levels.
pub const STORAGE_LEVELS: [&str; 4] = ["normal", "filling", "nearly_full", "full"];

impl StorageLevel {
    /// The level of a database of this size.
    pub fn of(bytes: i64) -> Self {
        let reached = |(_, percent, _): &&(Self, i64, &str)| percent_of(bytes) >= *percent;
        ALL.iter().find(reached).map_or(Self::Normal, |(level, ..)| *level)
    }

    /// The word in answers and logs.
    pub fn as_str(self) -> &'static str {
        ALL.iter().find(|(level, ..)| *level == self).map_or("normal", |(_, _, word)| word)
    }
}

/// How much of a database's room is used, in percent.
pub fn percent_of(bytes: i64) -> i64 {
    bytes / (DATABASE_BYTES_MAX / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_full_before_its_database_is() {
        for (percent, expected) in [
            (0, StorageLevel::Normal),
            (69, StorageLevel::Normal),
            (70, StorageLevel::Filling),
            (89, StorageLevel::Filling),
            (90, StorageLevel::NearlyFull),
            (96, StorageLevel::NearlyFull),
            (97, StorageLevel::Full),
            (100, StorageLevel::Full),
        ] {
            let level = StorageLevel::of(percent * DATABASE_BYTES_MAX / 100);
            assert_eq!(level, expected, "{percent} %");
            assert!(STORAGE_LEVELS.contains(&level.as_str()));
        }
    }
}
