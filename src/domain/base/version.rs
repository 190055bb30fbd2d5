//! Versions of records. Every change of a record takes the version that it read, so of two changes
//! at once the second begins anew with what the first one made. A caller can name the version that
//! it has seen (`If-Match`), and then nothing is changed if it is another.

use crate::domain::base::error::{Error, Kind, Result};

/// The tag of a version, an `ETag`: a record that is deleted and made again under its old name
/// begins anew, so the time of its creation is part of it.
pub fn tag(created_at_ms: i64, version: i64) -> String {
    format!("\"{created_at_ms:x}-{version:x}\"")
}

/// The version that a caller expects a record to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expected(Option<Vec<String>>);

impl Expected {
    /// Reads the value of `If-Match`. `*` and no header expect nothing. Weak tags are taken for
    /// strong ones: what compresses an answer on its way makes `W/"..."` of a tag, and ours name
    /// the record and not the bytes.
    pub fn read(header: Option<&str>) -> Self {
        let tags = header.map(str::trim).filter(|text| *text != "*").map(|text| {
            let tags = text.split(',').map(|tag| tag.trim().trim_start_matches("W/"));
            tags.map(str::to_owned).collect()
        });
        Self(tags)
    }

    /// Whether any version will do.
    pub fn is_any(&self) -> bool {
        self.0.is_none()
    }

    /// Checks a record's tag.
    ///
    /// # Errors
    /// `PreconditionFailed` when another one was expected.
    pub fn check(&self, tag: &str) -> Result<()> {
        if self.0.as_ref().is_none_or(|tags| tags.iter().any(|expected| expected == tag)) {
            return Ok(());
        }
        let msg = "The record was changed since the version that If-Match names";
        Err(Error::new(Kind::PreconditionFailed, msg))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_expected_is_compared() {
        let own = tag(1_800_000_000_000, 3);
        for (header, holds) in [
            (None, true),
            (Some("*"), true),
            (Some(own.as_str()), true),
            (Some(&format!("W/{own}")), true),
            (Some(&format!("\"x\", {own}")), true),
            (Some("\"x\""), false),
            (Some(""), false),
            (Some(own.trim_matches('"')), false),
            (Some(&tag(1_800_000_000_000, 4)), false),
            (Some(&tag(1_800_000_000_001, 3)), false),
        ] {
            let checked = Expected::read(header).check(&own);
            assert_eq!(checked.is_ok(), holds, "{header:?}");
        }
    }
}
