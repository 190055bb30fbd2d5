//! Identifiers. Records have random UUIDs (version 4). An event id is a UUIDv7 whose low 32 bits
//! are its workspace's number, so that `GET /events/{id}` finds the workspace without an index.
//! The message id that customers see is `msg_<32 hex of the event><8 hex of the rule number>`.

use uuid::{Builder, Uuid};

/// Number that stands for a rule in test events; rules count from 1.
pub const TEST_RULE: u32 = 0;

/// A record's random id in text form. `random` is 16 bytes of entropy.
pub fn record_id(random: [u8; 16]) -> String {
    Builder::from_random_bytes(random).into_uuid().to_string()
}

/// The id of the `index`-th event of one request: time first, so ids sort by acceptance; then the
/// index, so a bulk keeps its input order; then 30 random bits; then the workspace's number.
///
/// UUIDv7 gives 12 bits (`rand_a`) and 62 bits (`rand_b`) beside the time (RFC 9562, section 5.7).
/// The index starts from a random value below 2048 so that two requests of one millisecond differ
/// there too; `index` is below 2048 because a bulk holds at most 100 events.
pub fn event_id(now_ms: i64, random: [u8; 8], index: usize, workspace_number: u32) -> String {
    debug_assert!(index < 2048, "a bulk holds at most 100 events");
    let base = u16::from_be_bytes([random[0], random[1]]) & 0x07ff;
    let rand_a = base + index as u16;
    let mut tail = [0u8; 10];
    tail[0..2].copy_from_slice(&rand_a.to_be_bytes());
    tail[2..6].copy_from_slice(&random[2..6]);
    tail[6..10].copy_from_slice(&workspace_number.to_be_bytes());
    let millis = u64::try_from(now_ms).unwrap_or(0);
    Builder::from_unix_timestamp_millis(millis, &tail).into_uuid().to_string()
}

/// The id of an event that a cause makes, the same each time the cause is told: from its time and
/// a hash of its name.
pub fn caused_event_id(at_ms: i64, cause: &str, workspace_number: u32) -> String {
    let hash = Uuid::new_v5(&Uuid::nil(), cause.as_bytes());
    let mut random = [0; 8];
    random.copy_from_slice(&hash.as_bytes()[..8]);
    event_id(at_ms, random, 0, workspace_number)
}

/// An id below those of all events that are accepted from this moment on, and above those before.
pub fn first_event_id(at_ms: i64) -> String {
    event_id(at_ms, [0; 8], 0, 0)
}

/// The id that an event has in another workspace: the same time and randomness, and that
/// workspace's number.
pub fn of_workspace(event: &str, workspace_number: u32) -> Option<String> {
    // Anything else is no event's id.
    crate::domain::base::ids::workspace_number(event)?;
    let mut bytes = *Uuid::try_parse(event).ok()?.as_bytes();
    bytes[12..].copy_from_slice(&workspace_number.to_be_bytes());
    Some(Uuid::from_bytes(bytes).to_string())
}

/// A UUID as a caller wrote it, in the form we store (lower case with hyphens), or `None`.
pub fn parse_uuid(text: &str) -> Option<String> {
    // Only the hyphenated form: `try_parse` would take braces and URNs as well.
    let hyphenated = text.len() == 36;
    hyphenated.then(|| Uuid::try_parse(text).ok()).flatten().map(|id| id.to_string())
}

/// When the event was accepted whose id this is, in milliseconds since 1970 (RFC 9562, section
/// 5.7).
pub fn time_of(event: &str) -> Option<i64> {
    let head = event.get(..8)?.to_owned() + event.get(9..13)?;
    i64::from_str_radix(&head, 16).ok()
}

/// The workspace number inside an event id, or `None` if the text is no event id.
pub fn workspace_number(event: &str) -> Option<u32> {
    let id = Uuid::try_parse(event).ok().filter(|id| id.get_version_num() == 7)?;
    let bytes = id.as_bytes();
    Some(u32::from_be_bytes([bytes[12], bytes[13], bytes[14], bytes[15]]))
}

/// The message id of an event's delivery by the rule with `rule_number`: the same over all
/// attempts.
pub fn message_id(event: &str, rule_number: u32) -> String {
    format!("msg_{}{rule_number:08x}", event.replace('-', ""))
}

/// The event and the rule's number in a message id, or `None` if the text is none.
pub fn parse_message_id(text: &str) -> Option<(String, u32)> {
    let hex = text.strip_prefix("msg_").filter(|hex| hex.len() == 40 && hex.is_ascii())?;
    let (event, rule) = hex.split_at(32);
    let event = Uuid::try_parse(event).ok()?.to_string();
    let rule = u32::from_str_radix(rule, 16).ok()?;
    (message_id(&event, rule) == text).then_some((event, rule))
}

/// The id of the record "this event by this rule", a name-based UUID (version 5, RFC 9562) of the
/// rule number in the event's namespace: clients expect a UUID here, and nothing has to store it.
pub fn rule_event_id(event: &str, rule_number: u32) -> String {
    let namespace = Uuid::try_parse(event).unwrap_or_default();
    Uuid::new_v5(&namespace, &rule_number.to_be_bytes()).to_string()
}

/// The id of an attempt of a delivery, by the same construction: `delivery` is its
/// [`rule_event_id`].
pub fn attempt_id(delivery: &str, number: u32) -> String {
    rule_event_id(delivery, number)
}

/// The id that stands for a rule in the test events of a connection, by the same construction.
pub fn test_rule_id(connection: &str) -> String {
    rule_event_id(connection, crate::domain::base::ids::TEST_RULE)
}

/// The id of a change made at this moment, which sorts by it. `random` tells the changes of one
/// millisecond apart.
pub fn change_id(at_ms: i64, random: [u8; 8]) -> String {
    event_id(at_ms, random, 0, 0)
}

/// The id of a name that a workspace has emitted, by the same construction.
pub fn name_id(workspace: &str, kind: &str, name: &str) -> String {
    let namespace = Uuid::try_parse(workspace).unwrap_or_default();
    Uuid::new_v5(&namespace, format!("{kind}:{name}").as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn message_ids_are_reversible(
            now_ms in 0i64..1 << 47, random: [u8; 8], index in 0usize..100, number: u32, rule: u32,
        ) {
            let event = event_id(now_ms, random, index, number);
            prop_assert_eq!(workspace_number(&event), Some(number));
            prop_assert_eq!(parse_uuid(&event), Some(event.clone()));
            let message = message_id(&event, rule);
            // Event and rule can be read off it again, and nothing else is in it.
            prop_assert_eq!(message.len(), 44);
            prop_assert_eq!(parse_message_id(&message), Some((event, rule)));
        }

        #[test]
        fn a_bulk_sorts_in_input_order(now_ms in 0i64..1 << 47, random: [u8; 8], number: u32) {
            let ids: Vec<_> = (0..100).map(|i| event_id(now_ms, random, i, number)).collect();
            prop_assert!(ids.is_sorted() && ids[0] != ids[1]);
            prop_assert!(event_id(now_ms + 1, random, 0, 0) > ids[99]);
        }
    }

    #[test]
    fn other_texts_are_no_ids() {
        let v4 = record_id([7; 16]);
        assert_eq!(workspace_number(&v4), None);
        assert_eq!(parse_uuid(&v4.to_uppercase()), Some(v4.clone()));
        for text in ["", "x", "msg_", "urn:uuid:00000000-0000-4000-8000-000000000000"] {
            assert_eq!(parse_uuid(text), None, "{text}");
            assert_eq!(parse_message_id(text), None, "{text}");
        }
    }
}
