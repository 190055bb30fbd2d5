//! The languages of the embed: which one a session has, that a page in German has no English left,
//! and all texts of both side by side, to be read (`languages.txt`).

use std::collections::BTreeSet;
use std::fmt::Write;

use http::header::LOCATION;
use posthorn::destinations::ALL;
use posthorn::destinations::model::{InputKind, Kind};
use serde_json::json;

use crate::edge::{Edge, Reply};
use crate::tenant::{Answered, Tenant, call};
use crate::visit::{Visitor, cookie_of, create, launch_target};

const ENGLISH: &str = include_str!("../../src/embed/text/en.rs");
const GERMAN: &str = include_str!("../../src/embed/text/de.rs");

/// A text and where it stands: the field or function, and the how manieth there it is.
type Text = (String, String);

/// All texts of a language's file.
fn texts(source: &str) -> Vec<Text> {
    let (mut found, mut place, mut module) = (Vec::new(), String::new(), String::new());
    let mut rest = source;
    while let Some(at) = rest.find(['"', '\n', '\'']) {
        let (before, behind) = rest.split_at(at);
        note_place(before, &mut module, &mut place);
        rest = &behind[1..];
        if let Some(after) = behind.strip_prefix("'\"'") {
            rest = after;
        } else if behind.starts_with('"') {
            let (text, after) = literal(rest);
            found.push((place.clone(), text));
            rest = after;
        } else if rest.trim_start_matches(' ').starts_with("//") {
            rest = rest.split_once('\n').map_or("", |(line, _)| &rest[line.len()..]);
        }
    }
    found
}

/// Remembers the field or function that a piece of code begins.
fn note_place(code: &str, module: &mut String, place: &mut String) {
    if code == "};" {
        module.clear();
    }
    let code = code.trim();
    if let Some(name) = code.strip_prefix("mod ") {
        *module = name.trim_end_matches(" {").to_owned();
    }
    let name = match code.split_once("fn ") {
        Some((_, function)) => function.split(['(', '<']).next(),
        None => code.split_once(':').map(|(name, _)| name).filter(|name| {
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
        }),
    };
    match (name, code.ends_with('{')) {
        (Some(name), true) if !code.contains("fn ") => *module = name.to_owned(),
        (Some(name), _) if !name.is_empty() => *place = format!("{module}.{name}"),
        _ => {}
    }
}

/// The literal that begins here, and what stands behind it.
fn literal(source: &str) -> (String, &str) {
    let (mut text, mut chars) = (String::new(), source.char_indices());
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return (text, &source[at + 1..]),
            '\\' => match chars.next() {
                Some((_, '\n')) => {
                    let skipped = chars.clone().take_while(|(_, c)| *c == ' ').count();
                    chars.nth(skipped - 1);
                }
                Some((_, escaped)) => text.push(escaped),
                None => {}
            },
            c => text.push(c),
        }
    }
    panic!("a text without an end: {source:.60}")
}

/// What a person reads on a page: texts, and the labels of controls and pictures.
pub fn read(page: &str) -> BTreeSet<String> {
    let body = page.split_once("<body>").map_or(page, |(_, body)| body);
    let mut found = BTreeSet::new();
    let mut note = |text: &str| {
        let text = text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">");
        let text = text.replace("&quot;", "\"").trim().to_owned();
        found.insert(text);
    };
    for (index, piece) in body.split(['<', '>']).enumerate() {
        if index % 2 == 0 {
            note(piece);
            continue;
        }
        for name in ["aria-label", "placeholder", "title", "data-copied", "data-unsent"] {
            let value = piece.split_once(&format!(" {name}=\""));
            value.into_iter().for_each(|(_, value)| note(value.split('"').next().unwrap_or("")));
        }
    }
    found
}

/// A workspace with all that pages show: failures, a paused connection, replays, settings.
fn world() -> (Edge, Tenant) {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    for (url, status) in [("good", 200), ("bad", 500), ("gone", 410)] {
        let url = format!("https://hooks.example.com/{url}");
        edge.receivers.script(&url, move |_| Reply::status(status));
        let connection = tenant.connection(&edge, json!({"url": url, "max_per_second": 5}));
        tenant.rule(&edge, "order.paid", &connection);
    }
    for _ in 0..3 {
        let event = json!({"event": "order.paid", "resource": "order", "resource_id": "7",
            "payload": {"total": 1}});
        assert_eq!(tenant.emit_text(&edge, &event.to_string()).status, 201);
        edge.run_for(120_000);
    }
    (edge, tenant)
}

fn pages(edge: &Edge, tenant: &Tenant, role: &str, tag: &str) -> Vec<(String, Answered)> {
    let visitor = Visitor::launched(edge, tenant, json!({"role": role}), &format!("&locale={tag}"));
    let mut pages = visitor.crawl(edge);
    let more = ["nothing", "events?status=failed&event=x.*", "rules?done=saved", "failed?done=x"];
    for below in more {
        pages.push((visitor.path(below), visitor.get(edge, below)));
    }
    let id = |text: &str, before: &str| {
        let rest = text.split_once(before).map_or("", |(_, rest)| rest);
        rest.split(['"', '/', '?']).next().unwrap_or_default().to_owned()
    };
    let list = visitor.get(edge, "connections").text;
    let connection = id(&list, &visitor.path("connections/"));
    let bad = vec![("type", "webhook"), ("url", "x"), ("timeout_seconds", "99")];
    for (below, fields) in [
        ("connections/new".to_owned(), bad),
        (format!("connections/{connection}/test"), vec![("event", "é"), ("payload", "[]")]),
        ("replays/new".to_owned(), vec![("since", "x"), ("status", "failed")]),
        ("rules".to_owned(), vec![("connection", connection.as_str()), ("event", "")]),
    ] {
        pages.push((visitor.path(&below), visitor.post(edge, &below, &fields)));
    }
    let home = visitor.path("");
    pages.retain(|(_, page)| page.text.contains("<body>"));
    pages.into_iter().map(|(path, page)| (path.replace(&home, ""), page)).collect()
}

#[test]
fn a_page_in_german_has_no_english_left() {
    let (edge, tenant) = world();
    let german: BTreeSet<String> = texts(GERMAN).into_iter().map(|(_, text)| text).collect();
    let registry: Vec<Text> =
        texts(GERMAN).into_iter().filter(|(place, _)| place.ends_with(".registry")).collect();
    assert!(registry.len() > 200, "{}", registry.len());
    let mut english: Vec<String> = texts(ENGLISH).into_iter().map(|(_, text)| text).collect();
    english.retain(|text| !german.contains(text) && text.chars().count() > 1);
    english.extend(registry.chunks(2).map(|pair| pair[0].1.clone()));
    assert!(english.len() > 400, "{}", english.len());
    for role in ["owner", "member"] {
        let pages = pages(&edge, &tenant, role, "de");
        assert!(pages.len() > 20, "{}", pages.len());
        for (path, page) in pages {
            assert!(page.text.contains("<html lang=\"de\""), "{path}");
            let shown = read(&page.text);
            for text in &english {
                assert!(!shown.contains(text), "{path} as {role} says {text:?}");
                // What is put together stands there in part.
                for part in text.split(['{', '}']).filter(|part| part.matches(' ').count() > 2) {
                    let found = shown.iter().find(|one| one.contains(part.trim()));
                    assert_eq!(found, None, "{path} as {role} says {part:?}");
                }
            }
        }
    }
}

#[test]
fn the_same_words_in_both_languages_are_data_or_names() {
    let (edge, tenant) = world();
    let said = |tag: &str| -> BTreeSet<String> {
        let pages = pages(&edge, &tenant, "owner", tag);
        // Code is the same in all languages.
        let pages = pages.iter().filter(|(path, _)| !path.contains("verification"));
        pages.flat_map(|(_, page)| read(&page.text)).collect()
    };
    let is_word = |word: &&str| word.len() > 1 && word.bytes().all(|b| b.is_ascii_lowercase());
    let is_sentence = |text: &&String| text.split(' ').filter(is_word).count() > 1;
    let (english, german) = (said("en"), said("de"));
    let same = english.intersection(&german).filter(is_sentence);
    // Payloads, and times to come, which are said alike.
    let same = same.filter(|text| !text.starts_with('{') && !text.starts_with("in "));
    let same: Vec<&String> = same.collect();
    assert_eq!(same, Vec::<&String>::new());
}

/// Texts of destinations that are the same in German.
const SAME: [&str; 21] = [
    "",
    "URL",
    "POST",
    "PUT",
    "PATCH",
    "EU",
    "Header",
    "HMAC-SHA-256",
    "HMAC-SHA-512",
    "Base64",
    "Name",
    "Token",
    "Token (Bearer)",
    "Segment",
    "Tag",
    "Label",
    "Region",
    "Global",
    "Text (HTML)",
    "JSON",
    "Text",
];

#[test]
fn every_text_of_a_destination_has_its_german() {
    let registry: Vec<Text> =
        texts(GERMAN).into_iter().filter(|(place, _)| place.ends_with(".registry")).collect();
    let known: BTreeSet<&str> = registry.chunks(2).map(|pair| pair[0].1.as_str()).collect();
    let mut missing = BTreeSet::new();
    let mut note = |text: &'static str| {
        if !known.contains(text) && !SAME.contains(&text) {
            missing.insert(text);
        }
    };
    for destination in ALL {
        destination.person().iter().for_each(|field| note(field.label));
        let about = destination.about();
        for field in about.fields {
            note(field.label);
            note(field.hint);
            match &field.kind {
                Kind::Words(words) => words.iter().for_each(|(_, label)| note(label)),
                Kind::Matching(pattern) | Kind::Endpoint(pattern) => note(pattern.told),
                _ => {}
            }
        }
        for action in about.actions {
            note(action.label);
            note(action.description);
            for input in action.inputs {
                note(input.label);
                note(input.hint);
                if let InputKind::Words(words) = input.kind {
                    words.iter().for_each(|(_, label)| note(label));
                }
            }
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn the_query_chooses_the_language_else_the_browser() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let language = |query: &str, accepted: Option<&str>| {
        let created = create(&edge, &tenant, json!({"role": "admin"}));
        let headers: Vec<(&str, &str)> =
            accepted.map(|accepted| ("accept-language", accepted)).into_iter().collect();
        let path = format!("{}{query}", launch_target(&created));
        let answer = call(&edge, "GET", &path, &headers, b"");
        let to = answer.headers[LOCATION].to_str().expect("text").to_owned();
        let page = call(&edge, "GET", &to, &[("cookie", &cookie_of(&answer))], b"").text;
        let tag = page.split_once("<html lang=\"").expect("a language").1;
        tag.split('"').next().expect("its end").to_owned()
    };
    for (query, accepted, expected) in [
        ("", None, "en"),
        ("&locale=de", None, "de"),
        ("&locale=de-AT", Some("en"), "de"),
        ("&locale=DE", None, "de"),
        ("&locale=en", Some("de"), "en"),
        ("", Some("de-CH, de;q=0.9, en;q=0.8"), "de"),
        ("", Some("fr, en;q=0.5, de;q=0.7"), "de"),
        ("", Some("fr, ja"), "en"),
        ("", Some("de;q=0"), "en"),
        ("", Some("de;q=x,,;;q=,*"), "en"),
        ("&locale=fr", Some("de"), "de"),
        ("&locale=%22%3E", None, "en"),
    ] {
        assert_eq!(language(query, accepted), expected, "{query} {accepted:?}");
    }
}

#[test]
fn who_has_no_session_reads_it_in_the_browsers_language() {
    let edge = Edge::new();
    let path = "/embed/s/0198c0de-0000-7000-8000-000000000000/dashboard";
    let page = call(&edge, "GET", path, &[("accept-language", "de")], b"");
    assert!(page.text.contains("Diese Sitzung ist beendet"), "{}", page.text);
    let page = call(&edge, "GET", path, &[], b"");
    assert!(page.text.contains("This session has ended"), "{}", page.text);
}

/// `UPDATE=1 cargo test --test it languages` writes the file; read it.
#[test]
fn all_texts_were_printed_to_be_read() {
    let (english, german) = (texts(ENGLISH), texts(GERMAN));
    let mut places: Vec<&String> = english.iter().map(|(place, _)| place).collect();
    places.extend(german.iter().map(|(place, _)| place));
    let mut printed = String::new();
    let mut seen = BTreeSet::new();
    for place in places.into_iter().filter(|place| seen.insert(place.as_str())) {
        let _ = writeln!(printed, "{place}");
        for (tag, texts) in [("en", &english), ("de", &german)] {
            for (_, text) in texts.iter().filter(|(at, _)| at == place) {
                let _ = writeln!(printed, "  {tag}  {text}");
            }
        }
    }
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/languages.txt");
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(file, &printed).expect("a file");
    }
    let kept = std::fs::read_to_string(file).unwrap_or_default();
    assert!(kept == printed, "UPDATE=1 cargo test --test it languages, and read languages.txt");
}
