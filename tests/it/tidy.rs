//! The rules of the house that a compiler does not check: who may import whom, where SQL, platform
//! and statuses may stand, how long lines and files are, that every module says what it is, and
//! that the patches of `tests/mutants` still apply.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

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

/// What a file names of this crate, each as its path: `crate::a::b` as `["a", "b"]`, and every name
/// of `use crate::{a::b, c::{d, e}}` by itself. `super::` is read in the same way.
fn named(path: &Path, text: &str) -> Vec<Vec<String>> {
    let mut own = below_src(path);
    own.pop();
    let code = code(text);
    let mut found = Vec::new();
    for (keyword, prefix) in [("crate::", Vec::new()), ("super::", own)] {
        for (at, _) in code.match_indices(keyword) {
            let before = code[..at].chars().next_back();
            if !before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                read_tree(&code[at + keyword.len()..], &prefix, &mut found);
            }
        }
    }
    found
}

/// Reads the rest of a path, with all names in its braces; returns what stands behind it.
fn read_tree<'a>(text: &'a str, prefix: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let mut path = prefix.to_vec();
    let mut rest = text.trim_start();
    loop {
        if let Some(mut inside) = rest.strip_prefix('{') {
            loop {
                inside = read_tree(inside, &path, found).trim_start();
                match inside.strip_prefix(',') {
                    Some(next) => inside = next,
                    None => return inside.strip_prefix('}').unwrap_or(inside),
                }
            }
        }
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let end = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
        if end > 0 {
            path.push(rest[..end].to_owned());
        }
        rest = &rest[end..];
        if let Some(renamed) = rest.strip_prefix(" as ") {
            rest = renamed.trim_start_matches(is_name);
        }
        match rest.strip_prefix("::") {
            Some(next) if end > 0 => rest = next.trim_start(),
            _ => {
                found.push(path);
                return rest;
            }
        }
    }
}

/// The path of a module: `src/a/b.rs` and `src/a/b/mod.rs` are `["a", "b"]`.
fn below_src(path: &Path) -> Vec<String> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let below = path.strip_prefix(src).expect("a file of src").with_extension("");
    let mut parts: Vec<String> =
        below.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    parts
}

#[test]
fn names_in_braces_are_read_as_if_written_out() {
    let text = "use crate::{app::{emit, quota::{self, Quota as Q}}, ports};\n\
        fn a(b: &crate::store::Row) { super::c::d() } // my_crate::x\n";
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/e/f.rs");
    let read: Vec<String> = named(&path, text).iter().map(|path| path.join("/")).collect();
    let expected = ["app/emit", "app/quota/self", "app/quota/Quota", "ports", "store/Row", "e/c/d"];
    assert_eq!(read, expected);
}

#[test]
fn imports_go_down_only() {
    for (path, text) in product() {
        let Some(own) = floor(&path) else { continue };
        for named in named(&path, &text) {
            let Some(room) = named.first() else { continue };
            let floor = FLOORS.iter().position(|floor| floor.contains(&room.as_str()));
            let above = floor.map_or(0, |floor| floor.saturating_sub(own));
            assert!(above == 0, "{} imports {room}, {above} floors above", path.display());
        }
    }
}

/// A folder's own `mod.rs` may use its parts by their short names; all other ways are looked at.
#[test]
fn no_files_use_each_other() {
    let files = product();
    let modules: BTreeMap<Vec<String>, &Path> =
        files.iter().map(|(path, _)| (below_src(path), path.as_path())).collect();
    let file_of = |named: &[String]| {
        let mut prefixes = (1..=named.len()).rev().map(|length| &named[..length]);
        prefixes.find_map(|prefix| modules.get(prefix).copied())
    };
    let mut uses: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for (path, text) in &files {
        let used = named(path, text).into_iter().filter_map(|named| file_of(&named));
        uses.insert(path, used.filter(|used| used != path).collect());
    }
    // What uses nothing that is left is in no circle.
    loop {
        let free: Vec<&Path> =
            uses.iter().filter(|(_, used)| used.is_empty()).map(|(path, _)| *path).collect();
        if free.is_empty() {
            break;
        }
        for path in free {
            uses.remove(path);
            for used in uses.values_mut() {
                used.remove(path);
            }
        }
    }
    assert!(uses.is_empty(), "these files use one another, or what does: {uses:#?}");
}

#[test]
fn files_have_at_most_400_lines() {
    for (path, text) in product() {
        // A table of data, one row a line; a language is one file.
        let is_language = ["en", "de"].iter().any(|tag| path.ends_with(format!("text/{tag}.rs")));
        let is_table = path.ends_with("src/routes.rs") || is_language;
        let lines = text.lines().count();
        assert!(is_table || lines <= 400, "{} has {lines} lines", path.display());
    }
}

/// Fix the context of a patch that does not apply; `npm run mutants` shows that it still breaks
/// what it says.
#[test]
fn every_mutant_applies() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let patches = root.join("tests/mutants").read_dir().expect("a folder");
    for patch in patches.map(|entry| entry.expect("an entry").path()) {
        let text = std::fs::read_to_string(&patch).expect("UTF-8");
        assert!(text.starts_with("Promise "), "{} breaks no promise", patch.display());
        let mut git = Command::new("git");
        git.current_dir(root).args(["apply", "--check", "-C1"]).arg(&patch);
        let checked = git.output().expect("git");
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
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

/// What a destination is called is known to its own file, to the pages' texts and to nobody else:
/// all others go by the registry, so that another destination is one file and one line.
#[test]
fn no_file_outside_the_destinations_names_one() {
    for (path, text) in product() {
        let name = path.display().to_string();
        if name.contains("/src/destinations/") || name.contains("/src/embed/text/") {
            continue;
        }
        let code = code(&text);
        for destination in posthorn::destinations::ALL {
            let about = destination.about();
            // `http` is the name of a protocol and of a room as well.
            let mut words = match about.key {
                "http" => Vec::new(),
                key => vec![format!("\"{key}\""), format!("{key}::")],
            };
            words.extend(about.actions.iter().map(|action| action.key.to_owned()));
            for word in words {
                assert!(!code.contains(&word), "{name} names {word}");
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
