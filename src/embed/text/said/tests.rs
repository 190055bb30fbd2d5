//! That each sentence that can reach a page is said in each language.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::*;
use crate::embed::text::LANGUAGES;

#[test]
fn a_sentence_is_said_with_what_stands_in_it() {
    const SENTENCES: [Sentence; 6] = [
        ("Broken: ~ at *", "Kaputt bei *"),
        ("&; its body is lost: &", "&; ohne Inhalt: &"),
        ("Answered *, at *", "* kam, bei *"),
        ("Answered *", "* kam"),
        ("It says: *", "Es sagt: *"),
        ("it broke off", "abgebrochen"),
    ];
    for (text, expected) in [
        ("Answered 200", Some("200 kam")),
        ("Answered 200; its body is lost: it broke off", Some("200 kam; ohne Inhalt: abgebrochen")),
        ("Answered 301, at https://a.example/", Some("301 kam, bei https://a.example/")),
        // What a provider says stays as it is, also where it is a sentence of ours.
        ("It says: it broke off", Some("Es sagt: it broke off")),
        ("&; its body is lost: é", Some("&; ohne Inhalt: é")),
        ("Broken: by me at home", Some("Kaputt bei home")),
        ("it broke off at last", None),
        ("Well: Answered 200", None),
        ("", None),
    ] {
        assert_eq!(translated(&SENTENCES, text).as_deref(), expected, "{text}");
    }
}

/// What says something that can reach a page: files, and folders without those below them.
const SOURCES: [&str; 26] = [
    "src/app/cancel.rs",
    "src/app/credentials.rs",
    "src/app/delivery/attempt.rs",
    "src/app/erasures.rs",
    "src/app/live_lists.rs",
    "src/app/missing.rs",
    "src/app/outgoing.rs",
    "src/app/retry.rs",
    "src/destinations",
    "src/destinations/webhook",
    "src/domain/base/names.rs",
    "src/domain/base/url_guard.rs",
    "src/domain/connection/rotation.rs",
    "src/domain/connection/signing.rs",
    "src/domain/delivery/answers.rs",
    "src/domain/delivery/attempt.rs",
    "src/domain/delivery/replay.rs",
    "src/domain/delivery/retry.rs",
    "src/domain/routing/event.rs",
    "src/domain/routing/filter.rs",
    "src/domain/routing/mapping.rs",
    "src/platform/outbound.rs",
    "src/store/connection_names.rs",
    "src/store/rule_patterns.rs",
    "src/store/rules.rs",
    "src/store/secrets.rs",
];

/// What they say to the log, to programs and to providers only, and parts that are tested whole.
const APART: [&str; 25] = [
    "is set in the embed only, as this organization decided (secrets_in_embed_only)",
    "{field} of {}: {e}",
    "connection {}: {e}",
    "too many requests",
    "an owed delivery has no row",
    "Test event {{$event.name}}",
    "settings of a connection: {e}",
    "an array of whole numbers of seconds",
    "is not a setting of a {} connection",
    "an array of {name, value} objects",
    "cannot be removed; use signing_algorithm none",
    "cannot stand beside signing_secret",
    "API key is invalid",
    "{key} is {:?}",
    "auth_scheme is {other:?}",
    "payload_mode is {other:?}",
    "no live signing secret",
    "a live signing secret gives no key bytes under this scheme",
    "the base64 behind whsec_ must be of",
    "the secret must have",
    "{what} {least} to {most} bytes; these are {}",
    "true or false",
    "{shown} is no {what}",
    "must be \"event\"",
    "{\"message\":\"This is a test event.\"}",
];

/// What [`SOURCES`] say. Fields and actions of destinations have a test of their own.
fn sentences() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = BTreeSet::new();
    for source in SOURCES.map(|source| root.join(source)) {
        let files: Vec<PathBuf> = match std::fs::read_dir(&source) {
            Ok(folder) => folder.map(|entry| entry.expect("a file").path()).collect(),
            Err(_) => vec![source],
        };
        let is_code = |file: &&PathBuf| file.is_file() && !file.ends_with("tests.rs");
        for file in files.iter().filter(is_code) {
            let text = std::fs::read_to_string(file).expect("a source");
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            found.extend(literals(code));
        }
    }
    found.retain(|text| !APART.contains(&text.as_str()));
    found.retain(|text| text.matches(' ').count() > 1 && !text.contains(" has no list {name}"));
    found
}

fn is_sql(text: &str) -> bool {
    ["?", "r.number"].iter().any(|part| text.contains(part))
}

/// The literals of code that are no SQL, no description of the API and no panic.
fn literals(code: &str) -> Vec<String> {
    let lines: Vec<&str> = code.lines().filter(|it| !it.trim_start().starts_with("//")).collect();
    let (code, mut found) = (lines.join("\n").replace("'\"'", ""), Vec::new());
    let mut rest = code.as_str();
    while let Some((before, behind)) = rest.split_once('"') {
        let is_said =
            ![".says(", "expect(", "concat!("].iter().any(|call| before.trim_end().ends_with(call));
        let (mut text, mut end, mut chars) = (String::new(), behind.len(), behind.char_indices());
        while let Some((at, c)) = chars.next() {
            match (c, behind[at..].find(|c: char| !c.is_whitespace() && c != '\\')) {
                ('"', _) => {
                    end = at + 1;
                    break;
                }
                ('\\', Some(next)) if behind[at..].starts_with("\\\n") => {
                    chars.by_ref().take(next - 1).for_each(drop);
                }
                ('\\', _) => text.extend(chars.next().map(|(_, escaped)| escaped)),
                (c, _) => text.push(c),
            }
        }
        rest = &behind[end..];
        found.extend(Some(text).filter(|text| is_said && !is_sql(text)));
    }
    found
}

#[test]
fn what_can_reach_a_page_is_said_in_each_language() {
    let sentences = sentences();
    assert!(sentences.len() > 120, "{}", sentences.len());
    for texts in &LANGUAGES[1..] {
        let is_unsaid = |text: &&String| {
            (texts.said)(text) == **text && (texts.form.registry)(text) == text.as_str()
        };
        let unsaid: Vec<&String> = sentences.iter().filter(is_unsaid).collect();
        assert_eq!(unsaid, Vec::<&String>::new(), "{}", texts.tag);
    }
}

#[test]
fn what_is_put_together_is_said_in_german() {
    for (english, german) in [
        (
            "the base64 behind whsec_ must be of 24 to 64 bytes; these are 3",
            "Das Base64 hinter whsec_ muss 24 bis 64 Bytes ergeben; es sind 3",
        ),
        (
            "the secret must have 8 to 256 bytes; these are 2",
            "Das Geheimnis muss 8 bis 256 Bytes haben; es sind 2",
        ),
        (
            "The mapping has no value for born: \"x\" is no date",
            "Die Feldzuordnung hat keinen Wert für born: \"x\" ist kein Datum",
        ),
        (
            "The mapping has no value for ok: 7 is no true or false",
            "Die Feldzuordnung hat keinen Wert für ok: 7 ist weder wahr noch falsch",
        ),
        ("The title is cut at 256 characters", "Der Titel wurde nach 256 Zeichen abgeschnitten"),
        (
            "No answer: the host name does not resolve",
            "Keine Antwort: Der Hostname lässt sich nicht auflösen",
        ),
        (
            "names below .lan exist only inside a network (RFC 6762); use a host name that can be \
             reached from the internet",
            "Namen unter .lan gibt es nur in einem Netz (RFC 6762); nehmen Sie einen Hostnamen, \
             der aus dem Internet erreichbar ist",
        ),
    ] {
        assert_eq!((LANGUAGES[1].said)(english), german);
    }
}
