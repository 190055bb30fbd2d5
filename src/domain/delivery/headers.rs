//! The headers of an attempt as they are stored. They are most of a record, and rows are to stay
//! small: of an answer a few headers of use are kept, well-known names are stored as numbers, and
//! of a request what its delivery says anyway is left out and put in again when it is read.

use serde::{Deserialize, Serialize};

use crate::domain::base::ids::message_id;

/// Names that are stored as their place in this list: add to its end only.
const NAMES: [&str; 24] = [
    "content-type",
    "posthorn-event",
    "posthorn-event-id",
    "posthorn-attempt",
    "webhook-id",
    "webhook-timestamp",
    "webhook-signature",
    "posthorn-test",
    "user-agent",
    "date",
    "content-length",
    "retry-after",
    "server",
    "location",
    "webhook-delivery",
    "x-request-id",
    "request-id",
    "x-correlation-id",
    "x-amzn-requestid",
    "cf-ray",
    "posthorn-hops",
    "posthorn-event-time",
    "posthorn-resource",
    "posthorn-resource-id",
];

/// Headers of an answer that help to find out what happened, and no others.
const KEPT: [&str; 7] = [
    "date",
    "content-type",
    "content-length",
    "retry-after",
    "server",
    "location",
    "webhook-delivery",
];

/// What receivers call their own id of a request. The first that is there is kept.
const REQUEST_IDS: [&str; 5] =
    ["x-request-id", "request-id", "x-correlation-id", "x-amzn-requestid", "cf-ray"];

/// Those headers of an answer that are kept, each name once: at most eight.
pub fn of_use(headers: &[(String, String)]) -> Vec<&(String, String)> {
    let is = |header: &(String, String), name: &str| header.0.eq_ignore_ascii_case(name);
    let first = |name: &str| headers.iter().position(|header| is(header, name));
    let mut kept: Vec<usize> = KEPT.into_iter().filter_map(first).collect();
    kept.extend(REQUEST_IDS.into_iter().find_map(first));
    kept.sort_unstable();
    kept.into_iter().map(|index| &headers[index]).collect()
}

/// A header as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum StoredHeader {
    /// Its value follows from the delivery.
    Derived(usize),
    /// One of [`NAMES`].
    Known(usize, String),
    /// Any other.
    Other(String, String),
}

/// What the values of some headers follow from.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The event.
    pub event: &'a str,
    /// Number of the delivery's rule.
    pub rule: u32,
    /// Number of the attempt.
    pub attempt: u32,
    /// When it was started.
    pub started_at_ms: i64,
}

impl Source<'_> {
    fn value(&self, name: &str) -> Option<String> {
        Some(match name {
            "content-type" => "application/json".to_owned(),
            "posthorn-event-id" => self.event.to_owned(),
            "posthorn-attempt" => self.attempt.to_string(),
            "webhook-id" => message_id(self.event, self.rule),
            "webhook-timestamp" => self.started_at_ms.div_euclid(1_000).to_string(),
            _ => return None,
        })
    }

    /// The form to store of a request's headers.
    pub fn pack(&self, headers: Vec<(String, String)>) -> Vec<StoredHeader> {
        let one = |(name, value): (String, String)| match known(&name) {
            Some(index) if self.value(&name).as_ref() == Some(&value) => {
                StoredHeader::Derived(index)
            }
            Some(index) => StoredHeader::Known(index, value),
            None => StoredHeader::Other(name, value),
        };
        headers.into_iter().map(one).collect()
    }

    /// The headers that were stored. What a later release has stored and this one does not know is
    /// left out.
    pub fn unpack(&self, headers: Vec<StoredHeader>) -> Vec<(String, String)> {
        let name = |index: usize| NAMES.get(index).map(|name| (*name).to_owned());
        let one = |header: StoredHeader| match header {
            StoredHeader::Derived(index) => {
                let name = name(index)?;
                let value = self.value(&name)?;
                Some((name, value))
            }
            StoredHeader::Known(index, value) => Some((name(index)?, value)),
            StoredHeader::Other(name, value) => Some((name, value)),
        };
        headers.into_iter().filter_map(one).collect()
    }
}

fn known(name: &str) -> Option<usize> {
    NAMES.iter().position(|known| *known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: Source<'_> = Source {
        event: "0193f6a0-0000-7000-8000-000000000001",
        rule: 7,
        attempt: 2,
        started_at_ms: 1_800_000_000_123,
    };

    fn owned(headers: &[(&str, &str)]) -> Vec<(String, String)> {
        headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn what_is_stored_is_short_and_comes_back_as_it_was() {
        let headers = owned(&[
            ("content-type", "application/json"),
            ("user-agent", "Posthorn/0.1.0"),
            ("posthorn-event", "order.paid"),
            ("posthorn-event-id", SOURCE.event),
            ("posthorn-attempt", "2"),
            ("X-Team", "***"),
            ("webhook-id", "msg_0193f6a00000700080000000000000010000000"),
            ("webhook-timestamp", "1800000000"),
            ("webhook-signature", "v1,abc"),
        ]);
        let stored = SOURCE.pack(headers.clone());
        assert_eq!(
            serde_json::to_string(&stored).expect("JSON"),
            "[0,[8,\"Posthorn/0.1.0\"],[1,\"order.paid\"],2,3,[\"X-Team\",\"***\"],\
             [4,\"msg_0193f6a00000700080000000000000010000000\"],5,[6,\"v1,abc\"]]"
        );
        let text = serde_json::to_string(&stored).expect("JSON");
        let read: Vec<StoredHeader> = serde_json::from_str(&text).expect("what was stored");
        assert_eq!(SOURCE.unpack(read), headers);
        // The delivery's own message id is left out.
        let own = vec![("webhook-id".to_owned(), message_id(SOURCE.event, 7))];
        assert_eq!(SOURCE.pack(own.clone()), [StoredHeader::Derived(4)]);
        assert_eq!(SOURCE.unpack(vec![StoredHeader::Derived(4)]), own);
        let unknown = vec![StoredHeader::Known(99, "x".into()), StoredHeader::Derived(99)];
        assert_eq!(SOURCE.unpack(unknown), []);
    }

    #[test]
    fn the_number_of_a_name_stays() {
        let numbers = [
            ("content-type", 0),
            ("posthorn-test", 7),
            ("date", 9),
            ("webhook-delivery", 14),
            ("cf-ray", 19),
            ("posthorn-hops", 20),
            ("posthorn-event-time", 21),
            ("posthorn-resource", 22),
            ("posthorn-resource-id", 23),
        ];
        for (name, number) in numbers {
            let header = vec![(name.to_owned(), "x".to_owned())];
            assert_eq!(SOURCE.pack(header.clone()), [StoredHeader::Known(number, "x".into())]);
            assert_eq!(SOURCE.unpack(SOURCE.pack(header.clone())), header);
        }
        // All that is kept of an answer has a number.
        for name in KEPT.into_iter().chain(REQUEST_IDS) {
            assert!(known(name).is_some(), "{name}");
        }
    }

    #[test]
    fn of_an_answer_the_headers_of_use_are_kept() {
        let headers = owned(&[
            ("Date", "today"),
            ("set-cookie", "a=b"),
            ("request-id", "second choice"),
            ("x-request-id", "r-1"),
            ("server", "one"),
            ("server", "two"),
            ("strict-transport-security", "max-age=1"),
            ("retry-after", "5"),
        ]);
        let kept: Vec<&str> = of_use(&headers).iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(kept, ["today", "r-1", "one", "5"]);
    }
}
