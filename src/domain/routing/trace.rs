//! The trace that an event belongs to, as W3C Trace Context has it: what the product says of it on
//! emit (`traceparent`) goes on to the receivers, under a new parent. Its other headers
//! (`tracestate`, `baggage`) are the product's own and are not passed on.

use std::fmt::Write as _;

/// The header's name.
pub const TRACEPARENT: &str = "traceparent";

/// Version, trace id, parent id and flags, with hyphens between them.
const LENGTH: usize = 55;

/// A trace: its id, and whether it is recorded.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Trace {
    /// 32 hex digits.
    id: String,
    /// The flag `sampled`. Other flags are of other versions.
    is_sampled: bool,
}

impl Trace {
    /// Reads a header. One that is not as the standard has it is ignored.
    pub fn read(header: Option<&str>) -> Option<Self> {
        let header = header?;
        let known = header.get(..LENGTH)?;
        let [version, id, parent, flags] = known.split('-').collect::<Vec<_>>()[..] else {
            return None;
        };
        // A later version may say more after a hyphen.
        let rest = &header[LENGTH..];
        let is_whole = rest.is_empty() || (version != "00" && rest.starts_with('-'));
        let is_known = is_hex(version, 2) && version != "ff" && is_whole;
        let is_valid = is_hex(flags, 2) && is_id(id, 32) && is_id(parent, 16);
        let flags = u8::from_str_radix(flags, 16).ok()?;
        let trace = || Self { id: id.to_owned(), is_sampled: flags & 1 == 1 };
        (is_known && is_valid).then(trace)
    }

    /// The header for a receiver: the same trace, and the request as the parent of what it does.
    pub fn header(&self, random: [u8; 8]) -> String {
        // An id of zeros alone would make it void.
        let parent = u64::from_be_bytes(random).max(1);
        format!("00-{}-{parent:016x}-{:02x}", self.id, u8::from(self.is_sampled))
    }

    /// The trace's id, for the log.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// As it is stored: its id and flags.
    pub fn to_stored(&self) -> String {
        let mut stored = self.id.clone();
        let _ = write!(stored, "-{:02x}", u8::from(self.is_sampled));
        stored
    }

    /// What was stored.
    pub fn stored(text: &str) -> Option<Self> {
        let (id, flags) = text.split_once('-')?;
        is_id(id, 32).then(|| Self { id: id.to_owned(), is_sampled: flags == "01" })
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.bytes().all(is_digit)
}

fn is_id(text: &str, digits: usize) -> bool {
    is_hex(text, digits) && text.bytes().any(|byte| byte != b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    #[test]
    fn a_header_is_read_as_the_standard_has_it() {
        let of = |header: &str| Trace::read(Some(header)).map(|trace| trace.to_stored());
        let sampled = Some(format!("{ID}-01"));
        for (header, expected) in [
            (format!("00-{ID}-00f067aa0ba902b7-01"), sampled.clone()),
            (format!("00-{ID}-00f067aa0ba902b7-00"), Some(format!("{ID}-00"))),
            (format!("00-{ID}-00f067aa0ba902b7-09"), sampled.clone()),
            (format!("cc-{ID}-00f067aa0ba902b7-01"), sampled.clone()),
            (format!("cc-{ID}-00f067aa0ba902b7-01-what-comes"), sampled),
            (format!("cc-{ID}-00f067aa0ba902b7-01.what-comes"), None),
            (format!("00-{ID}-00f067aa0ba902b7-01-what-comes"), None),
            (format!("ff-{ID}-00f067aa0ba902b7-01"), None),
            (format!("00-{}-00f067aa0ba902b7-01", ID.to_uppercase()), None),
            (format!("00-{}-00f067aa0ba902b7-01", "0".repeat(32)), None),
            (format!("00-{ID}-0000000000000000-01"), None),
            (format!("00-{ID}-00f067aa0ba902b7"), None),
            (format!("00-{ID}-00f067aa0ba902b-011"), None),
            (format!("00-{ID}-00f067aa0ba902b7-0x"), None),
            (format!(" 00-{ID}-00f067aa0ba902b7-01"), None),
            (format!("00-{ID}-00f067aa0ba902b7-01, 00-{ID}-00f067aa0ba902b7-01"), None),
            ("é".repeat(40), None),
            (String::new(), None),
        ] {
            assert_eq!(of(&header), expected, "{header}");
        }
        assert_eq!(Trace::read(None), None);
    }

    #[test]
    fn receivers_get_the_same_trace_with_a_parent_that_is_not_zero() {
        let trace = Trace::stored(&format!("{ID}-01")).expect("a trace");
        assert_eq!(trace.header([0; 8]), format!("00-{ID}-0000000000000001-01"));
        let header = trace.header([255; 8]);
        assert_eq!(header, format!("00-{ID}-ffffffffffffffff-01"));
        assert_eq!(Trace::read(Some(&header)), Some(trace));
    }
}
