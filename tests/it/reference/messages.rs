//! Every message that a caller of the API was told in the tests, held against `messages.txt`, which
//! a reviewer reads: has it a subject, names it the field and the limit, says it what to do? A
//! message that is new or changed is seen. `UPDATE=1 cargo test --test it` adds what is new; to
//! leave out what is gone, delete the file before.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

static KEPT: LazyLock<Mutex<BTreeSet<String>>> = LazyLock::new(|| {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    Mutex::new(text.lines().map(str::to_owned).collect())
});

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/messages.txt")
}

/// Holds what an answer tells against the file: the problem, or those of a bulk.
pub fn check(status: u16, answer: &Value) {
    // What these send is drawn at random, and messages repeat some of it.
    let at_random = ["fuzz::", "reference::checks", "bytes::", "simulation", "main"];
    let thread = std::thread::current();
    let name = thread.name().unwrap_or_default();
    if at_random.iter().any(|test| name.starts_with(test)) {
        return;
    }
    let records = answer["records"].as_array().into_iter().flatten();
    let refused = records.filter_map(|record| record.get("error"));
    let problem = (status >= 400).then(|| &answer["error"]);
    for error in problem.into_iter().chain(refused) {
        lines(error).into_iter().for_each(|line| hold(&line));
    }
}

fn lines(error: &Value) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (name, message) = (word(&error["name"]), word(&error["message"]));
    let code = error["code"].as_str().map_or_else(String::new, |code| format!("/{code}"));
    let field = |field: &Value| {
        format!("{name}{code} | {}: {}", word(&field["param"]), word(&field["msg"]))
    };
    match error["data"].as_array() {
        Some(fields) => fields.iter().map(|one| plain(&field(one))).collect(),
        None => vec![plain(&format!("{name}{code} | {message}"))],
    }
}

/// A message without what is another in each run: ids, keys, times; and any place of a list.
fn plain(line: &str) -> String {
    let mut words = Vec::new();
    for word in line.split(' ') {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_id = core.len() == 36 && core.matches('-').count() == 4;
        let is_time = core.len() > 20 && core.contains('T') && core.ends_with('Z');
        let is_key = core.starts_with("mk_") || core.starts_with("mesh_pub_");
        let stands = match (is_id, is_time, is_key) {
            (true, ..) => "{id}",
            (_, true, _) => "{time}",
            (_, _, true) => "{key}",
            _ => core,
        };
        words.push(word.replace(core, stands));
    }
    let mut line = words.join(" ");
    while let Some(start) = line
        .find('[')
        .filter(|at| line[at + 1..].split(']').next().is_some_and(|n| n.parse::<u32>().is_ok()))
    {
        let end = start + line[start..].find(']').unwrap_or(0);
        line.replace_range(start..=end, "{n}");
    }
    line.replace('\n', "\\n")
}

fn hold(line: &str) {
    let mut kept = KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if std::env::var_os("UPDATE").is_some() {
        if kept.insert(line.to_owned()) {
            let all: Vec<&str> = kept.iter().map(String::as_str).collect();
            std::fs::write(path(), format!("{}\n", all.join("\n"))).expect("a file");
        }
        return;
    }
    assert!(kept.contains(line), "not in tests/it/messages.txt (UPDATE=1 adds it): {line}");
}
