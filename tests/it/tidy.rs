//! The rules of the house that a compiler does not check: who may import whom, where SQL, platform
//! and statuses may stand, how long lines are, and that every module says what it is.

use std::path::{Path, PathBuf};

/// Floors from the ground up; a module may use its own floor and those below.
const FLOORS: [&[&str]; 10] = [
    &["domain"],
    &["destinations"],
    &["ports"],
    &["store"],
    &["app"],
    &["http"],
    &["api", "embed"],
    &["routes"],
    &["reference"],
    &["platform"],
];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).expect("UTF-8");
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The files below `src` without those that hold only tests.
fn product() -> Vec<(PathBuf, String)> {
    let mut files = sources("src");
    files.retain(|(path, _)| !path.ends_with("tests.rs"));
    files
}

/// The code of a file: without its tests and comments.
fn code(text: &str) -> String {
    let without_tests = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines = without_tests.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The floor of a file below `src`, if it stands on one.
fn floor(path: &Path) -> Option<usize> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let first = path.strip_prefix(src).ok()?.components().next()?;
    let name = Path::new(first.as_os_str()).with_extension("");
    FLOORS.iter().position(|floor| floor.iter().any(|room| name == Path::new(room)))
}

#[test]
fn imports_go_down_only() {
    for (path, text) in product() {
        let Some(own) = floor(&path) else { continue };
        for (above, rooms) in FLOORS.iter().enumerate().skip(own + 1) {
            for room in *rooms {
                let import = format!("crate::{room}");
                assert!(
                    !code(&text).contains(&import),
                    "{} imports {room}, which is {} floors above",
                    path.display(),
                    above - own
                );
            }
        }
    }
}

#[test]
fn sql_stands_in_the_store_and_the_platform_under_the_roof() {
    for (path, text) in product() {
        let (code, name) = (code(&text), path.display());
        let room = floor(&path).map(|floor| FLOORS[floor][0]);
        let forbid = |words: &[&str], only: &str| {
            for word in words {
                assert!(room == Some(only) || !code.contains(word), "{name} says {word}");
            }
        };
        forbid(&["select ", "insert into", "insert or", "delete from", "json_each"], "store");
        forbid(&["worker::", "wasm_bindgen", "js_sys", "web_sys", "console_log!"], "platform");
        if room != Some("platform") {
            assert!(!code.contains("SystemTime") && !code.contains("Instant::now"), "{name}");
            assert!(!code.contains("getrandom"), "{name} draws randomness");
        }
        if !path.ends_with("http/problem.rs") {
            for word in ["BAD_REQUEST", "NOT_FOUND", "UNAUTHORIZED", "CONFLICT", "FORBIDDEN"] {
                assert!(!code.contains(&format!("StatusCode::{word}")), "{name} says {word}");
            }
        }
    }
}

#[test]
fn statements_are_in_lower_case() {
    for (path, text) in sources("src/store") {
        for keyword in ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", " WHERE ", " FROM "] {
            assert!(!text.contains(keyword), "{}: {keyword}", path.display());
        }
    }
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in sources("src").into_iter().chain(sources("tests")) {
        assert!(text.starts_with("//!"), "{} has no module doc", path.display());
        for (number, line) in text.lines().enumerate() {
            let at = format!("{}:{}", path.display(), number + 1);
            let is_row = path.ends_with("src/routes.rs");
            assert!(is_row || line.chars().count() <= 100, "{at} is longer than 100 characters");
            for word in ["todo!", "unimplemented!", "dbg!", "FIXME", "#[ignore"] {
                let here = path.ends_with("tidy.rs");
                assert!(here || !line.contains(word), "{at} says {word}");
            }
        }
    }
}
