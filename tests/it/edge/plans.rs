//! How SQLite goes about the statements that the tests run. Every plan is held against the rules
//! below, and against `tests/it/plans.txt`, which a reviewer reads: a plan that changes is seen.
//! `UPDATE=1 cargo test --test it` writes the file: it adds what is new and leaves out what is
//! gone.

use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex};

/// Plans by statement.
type Plans = BTreeMap<String, Vec<String>>;

static KEPT: LazyLock<Mutex<Plans>> = LazyLock::new(|| {
    let mut kept = read();
    if is_updating() {
        let sources = sources();
        kept.retain(|sql, _| is_in(&sources, sql));
    }
    Mutex::new(kept)
});
static SEEN: LazyLock<Mutex<HashSet<&'static str>>> = LazyLock::new(Mutex::default);

/// Whether a statement is run for the first time.
pub fn is_new(sql: &'static str) -> bool {
    SEEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).insert(sql)
}

/// Refuses a plan that reads what it is not asked for, and one that is not the one that is kept.
pub fn check(sql: &str, steps: Vec<String>) {
    if let Some(step) = steps.iter().find(|step| is_scan(step) || reads_history(sql, step)) {
        panic!("{step}: {sql}");
    }
    let sql = words(sql);
    let mut kept = KEPT.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if is_updating() {
        if kept.insert(sql, steps.clone()).is_none_or(|before| before != steps) {
            std::fs::write(path(), written(&kept)).expect("a file that can be written");
        }
        return;
    }
    if let Some(before) = kept.get(&sql) {
        assert_eq!(before, &steps, "not as in tests/it/plans.txt (UPDATE=1 writes it): {sql}");
    }
}

/// Every statement finds its rows by a key or an index. `counters` has a row or two.
fn is_scan(step: &str) -> bool {
    let fine = ["json_each", "lines", "CONSTANT ROW", "(subquery", "counters", " j ", " f "];
    let scans =
        step.starts_with("SCAN") && !fine.iter().any(|name| format!("{step} ").contains(name));
    scans || step.contains("TEMP B-TREE")
}

/// Whether a statement that asks for open, held or failed deliveries goes through all of a
/// connection: the primary key without an event is its whole history.
fn reads_history(sql: &str, step: &str) -> bool {
    let some = ["open = 1", "state = 'held'", "state = 'failed'", "state in ('failed'"];
    let deliveries = [" deliveries ", " d ", " b "];
    some.iter().any(|condition| sql.contains(condition))
        && deliveries.iter().any(|name| step.contains(name))
        && step.contains("PRIMARY KEY")
        && !step.contains("event=?")
}

fn is_updating() -> bool {
    std::env::var("UPDATE").is_ok()
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/plans.txt")
}

/// A statement in one line.
fn words(sql: &str) -> String {
    sql.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The file: a statement, and below it its steps.
fn read() -> Plans {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    let mut plans = Plans::new();
    let mut last = String::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("    ") {
            Some(step) => plans.entry(last.clone()).or_default().push(step.to_owned()),
            None => {
                last = line.to_owned();
                plans.entry(last.clone()).or_default();
            }
        }
    }
    plans
}

fn written(plans: &Plans) -> String {
    let mut text = String::new();
    for (sql, steps) in plans {
        let _ = writeln!(text, "{sql}");
        for step in steps {
            let _ = writeln!(text, "    {step}");
        }
        text.push('\n');
    }
    text
}

/// All of `src/store`, in words.
fn sources() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let files = folder.read_dir().expect("a folder").map(|file| file.expect("a file").path());
    let files = files.filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let text = |file: PathBuf| std::fs::read_to_string(file).expect("UTF-8");
    words(&files.map(text).collect::<String>().replace('\\', " "))
}

/// Whether the sources have all words of a statement.
fn is_in(sources: &str, sql: &str) -> bool {
    let is_in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    sql.split(|c| !is_in_word(c)).all(|word| sources.contains(word))
}
