//! The reference: that it is about every row, that what is committed is what it renders, that its
//! examples are what it says, and, for all tests, that the handlers answer what it says.

mod checks;
pub mod conformance;
mod messages;
mod pattern;
mod schema;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use posthorn::reference::Reference;
use posthorn::reference::openapi::document;
use posthorn::reference::operation::Row;
use posthorn::reference::shape::example_text;
use posthorn::routes::routes;
use serde_json::Value;

use crate::edge::Edge;

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let routes = routes::<Edge>();
    let of_api = routes
        .iter()
        .map(Row::from)
        .filter(|row| !row.path.starts_with("/embed") && row.path != "/metrics");
    Reference::new(&of_api.collect::<Vec<_>>()).unwrap_or_else(|error| panic!("{error}"))
});

/// The OpenAPI document as it is rendered.
static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&REFERENCE));

fn public() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("public")
}

/// `UPDATE=1 cargo test --test it reference` writes what is rendered. Only the document is
/// committed: the pages are rendered by `npm run build`.
#[test]
fn what_is_committed_is_what_is_rendered() {
    const COMMITTED: &str = "api/v1/openapi.json";
    let files = REFERENCE.files();
    if std::env::var_os("UPDATE").is_some() {
        for (path, text) in &files {
            let path = public().join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder is made");
            std::fs::write(&path, text).expect("a file is written");
        }
    }
    let (_, rendered) = files.iter().find(|(path, _)| path == COMMITTED).expect("a document");
    let committed = std::fs::read_to_string(public().join(COMMITTED)).unwrap_or_default();
    let how = "UPDATE=1 cargo test --test it reference";
    assert!(committed == *rendered, "public/{COMMITTED} is not what is rendered; run `{how}`");
}

/// Whatever is rendered is ignored by git, so that no page can be committed and grow old.
#[test]
fn pages_are_not_committed() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ignored = std::fs::read_to_string(root.join(".gitignore")).expect("a .gitignore");
    for (path, _) in REFERENCE.files() {
        let first = path.split('/').next().unwrap_or_default();
        let is_ignored = ignored
            .lines()
            .any(|line| line == format!("public/{first}") || line == format!("public/{first}/"));
        assert_eq!(is_ignored, path != "api/v1/openapi.json", "public/{path}");
    }
}

#[test]
fn the_worker_is_described_as_the_tests_are() {
    assert_eq!(posthorn::api_reference().as_ref(), Ok(&*REFERENCE));
}

#[test]
fn rows_and_descriptions_belong_together() {
    let routes = routes::<Edge>();
    let rows: Vec<Row> = routes.iter().map(Row::from).collect();
    let of_api: Vec<Row> = rows
        .iter()
        .filter(|row| !row.path.starts_with("/embed") && row.path != "/metrics")
        .cloned()
        .collect();
    assert_eq!(REFERENCE.operations().count(), of_api.len());
    // A row that nothing describes, and a description without a row, are told of.
    let unknown = Reference::new(&rows).expect_err("the embed is not described");
    assert!(unknown.contains("GET /embed.js"), "{unknown}");
    let without = Reference::new(&of_api[1..]).expect_err("a description has no row");
    assert!(without.contains(of_api[0].path), "{without}");
}

#[test]
fn names_of_operations_are_words_and_their_own() {
    let ids: Vec<&str> = REFERENCE.operations().map(|(_, operation)| operation.id).collect();
    let distinct: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), distinct.len(), "two operations have one name");
    for (_, operation) in REFERENCE.operations() {
        let is_word = |c: char| c.is_ascii_lowercase() || c == '_';
        assert!(operation.id.chars().all(is_word), "{}", operation.id);
        assert!(!operation.answers.is_empty(), "{}", operation.id);
        let first = operation.summary.chars().next();
        assert!(first.is_some_and(char::is_uppercase), "{}", operation.summary);
    }
}

#[test]
fn examples_are_what_their_schemas_say() {
    let mut seen = 0;
    for (path, operations) in DOCUMENT["paths"].as_object().expect("paths") {
        for (method, operation) in operations.as_object().expect("operations") {
            let at = format!("{method} {path}");
            let responses = operation["responses"].as_object().expect("responses");
            let media = responses
                .values()
                .chain([&operation["requestBody"]])
                .map(|holder| &holder["content"]["application/json"]);
            for media in media.filter(|media| !media.is_null()) {
                let found = schema::errors(&DOCUMENT, &media["schema"], &media["example"]);
                assert!(found.is_empty(), "{at}: {found:?}\n{}", media["example"]);
                seen += 1;
            }
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                if let Some(example) = parameter.get("example") {
                    let found = schema::errors(&DOCUMENT, &parameter["schema"], example);
                    assert!(found.is_empty(), "{at} {}: {found:?}", parameter["name"]);
                }
            }
        }
    }
    assert!(seen > REFERENCE.operations().count());
}

/// The page shows the same examples in an order for people.
#[test]
fn examples_are_the_same_as_text() {
    for (_, operation) in REFERENCE.operations() {
        let bodies = operation.body.iter().map(|(shape, _)| shape);
        for shape in operation.answers.iter().map(|answer| &answer.shape).chain(bodies) {
            let text = example_text(shape, &REFERENCE.names);
            let read: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{text}"));
            assert_eq!(read, shape.example(&REFERENCE.names));
        }
    }
}

/// What we answer is closed: every object in a response says which fields it has.
#[test]
fn answers_are_closed() {
    #[derive(Default)]
    struct Found {
        open: BTreeSet<String>,
        seen: BTreeSet<String>,
    }
    fn open(schema: &Value, at: &str, found: &mut Found) {
        if let Some(name) = schema["$ref"].as_str() {
            // A filter holds filters.
            if found.seen.insert(name.to_owned()) {
                open(DOCUMENT.pointer(&name[1..]).expect("a schema"), name, found);
            }
            return;
        }
        let more = &schema["additionalProperties"];
        if more.is_object() {
            open(more, at, found);
        } else if schema["type"] == "object" && more != false {
            found.open.insert(at.to_owned());
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            open(field, &format!("{at}.{name}"), found);
        }
        open_parts(schema, at, found);
    }
    fn open_parts(schema: &Value, at: &str, found: &mut Found) {
        let any_of = schema["anyOf"].as_array().into_iter().flatten();
        let one_of = schema["oneOf"].as_array().into_iter().flatten();
        for part in one_of.chain(any_of).chain(schema.get("items")) {
            open(part, at, found);
        }
    }
    let mut found = Found::default();
    for (path, operations) in DOCUMENT["paths"].as_object().expect("paths") {
        for operation in operations.as_object().expect("operations").values() {
            for response in operation["responses"].as_object().expect("responses").values() {
                open(&response["content"]["application/json"]["schema"], path, &mut found);
            }
        }
    }
    open(&DOCUMENT["components"]["schemas"]["Problem"], "Problem", &mut found);
    // A payload is whatever the product emitted.
    let payloads = ["#/components/schemas/EventWithPayload.payload"];
    assert_eq!(found.open.into_iter().collect::<Vec<_>>(), payloads);
}

/// The curl lines of the page call what the document says, and every link of it leads somewhere.
#[test]
fn links_of_the_page_lead_somewhere() {
    let files = REFERENCE.files();
    let text = |path: &str| {
        let found = files.iter().find(|(name, _)| name == path);
        &found.unwrap_or_else(|| panic!("no {path}")).1
    };
    let page = text("docs.html");
    let served = |link: &str| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let file = match path {
            "" | "/docs" => "docs.html".to_owned(),
            // Written by hand where it is served.
            "/docs.css" | "/docs.js" => return public().join(&path[1..]).is_file(),
            path if path.starts_with("/problems/") => format!("{}.html", &path[1..]),
            path => path[1..].to_owned(),
        };
        let there = files.iter().find(|(name, _)| *name == file);
        there.is_some_and(|(_, text)| {
            anchor.is_empty() || text.contains(&format!("id=\"{anchor}\""))
        })
    };
    let mut links = 0;
    for (path, text) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        for part in text.split("href=\"").skip(1) {
            let link = part.split('"').next().unwrap_or_default();
            assert!(served(link), "{path} links to {link}");
            links += 1;
        }
        // One script, which is served beside it and which it can do without.
        let other = text.replace("<script src=\"/docs.js\" defer></script>", "");
        assert!(!other.contains("<script") && !text.contains("style=\""), "{path}");
    }
    assert!(links > 200, "{links}");
    for (_, operation) in REFERENCE.operations() {
        assert!(page.contains(&format!("id=\"{}\"", operation.id)), "{}", operation.id);
        assert!(text("llms.txt").contains(&format!("/docs#{})", operation.id)));
    }
}

/// In an answer a field is there with a value or not there. Typed clients refuse a `null` where a
/// field is optional; every answer of every test is held against these schemas.
#[test]
fn nothing_in_an_answer_is_null_but_two_fields() {
    fn nullable(schema: &Value, at: &str, found: &mut BTreeSet<String>) {
        let is_null = |kind: &Value| kind == "null";
        let kinds = schema["type"].as_array().into_iter().flatten();
        if kinds.chain([&schema["type"]]).any(is_null) {
            found.insert(at.to_owned());
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            nullable(field, &format!("{at}.{name}"), found);
        }
        let parts = ["oneOf", "anyOf"].iter().filter_map(|key| schema[key].as_array()).flatten();
        for part in parts.chain(schema.get("items")) {
            nullable(part, at, found);
        }
    }
    let mut found = BTreeSet::new();
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().expect("schemas") {
        if schema["additionalProperties"] == false {
            nullable(schema, name, &mut found);
        }
    }
    for operation in DOCUMENT["paths"].as_object().expect("paths").values() {
        for operation in operation.as_object().expect("operations").values() {
            for response in operation["responses"].as_object().expect("responses").values() {
                nullable(&response["content"]["application/json"]["schema"], "", &mut found);
            }
        }
    }
    let is_asked_for = |at: &str| {
        let of_connections = ["New", "Changed"].iter().any(|begin| at.starts_with(begin));
        at.starts_with("Condition") || (of_connections && at.contains("Metadata."))
    };
    found.retain(|at| !is_asked_for(at));
    let expected = [
        ".next_cursor",
        // A mapping can say that a field is to be cleared.
        "MappingField.source.value",
        "MappingField.transforms.value",
        "Workspace.description",
        "WorkspaceWithKey.description",
    ];
    assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}
