//! Upgrades: the build of today starts on the state that each release left, and the schema of today
//! takes the statements of each release, so that the release before can come back.
//!
//! `npm run release` writes the state of the release that it makes into `tests/fixtures` (it runs
//! the first test with `RELEASE=1`); none is changed after that. 0.1.0 is not released: there is
//! nothing older yet, and until then these tests prove that the mechanism works, on a state of
//! today's build. So nobody has seen an upgrade from another schema yet.

use std::fs;
use std::path::{Path, PathBuf};

use posthorn::domain::base::time::{HOUR_MS, MINUTE_MS};
use serde_json::{Value, json};

use crate::edge::state::State;
use crate::edge::{Edge, Reply};
use crate::tenant::Tenant;

const FINE: &str = "https://hooks.example.com/fine";
const FAILING: &str = "https://hooks.example.com/failing";
const STRICT: &str = "https://hooks.example.com/strict";
const PAUSED: &str = "https://hooks.example.com/paused";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// What there is when an installation is stopped in the midst of its work: deliveries that are
/// done, open, failing, in a strict line, held; lanes with an open breaker; jobs in the queue.
fn left_behind() -> State {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    tenant.route(&edge, "fine", json!({"url": FINE}));
    tenant.route(&edge, "failing", json!({"url": FAILING}));
    tenant.route(&edge, "strict", json!({"url": STRICT, "ordering": "strict"}));
    let (paused, _) = tenant.route(&edge, "paused", json!({"url": PAUSED}));
    for url in [FAILING, STRICT] {
        edge.receivers.script(url, |_| Reply::status(500));
    }
    let path = format!("/api/v1/connections/{paused}/deactivate");
    assert_eq!(tenant.call(&edge, "POST", &path, &json!({})).status, 200);
    for event in ["fine", "failing", "strict", "paused"] {
        for _ in 0..6 {
            tenant.emit(&edge, event);
            edge.run_for(1_000);
        }
    }
    edge.run_for(10 * MINUTE_MS);
    // Its jobs are still in the queue.
    for event in ["fine", "failing"] {
        tenant.emit(&edge, event);
    }
    edge.state()
}

fn write(version: &str, state: &State) {
    let folder = fixtures().join(version);
    fs::create_dir_all(&folder).expect("a folder");
    let put = |name: &str, text: &str| fs::write(folder.join(name), text).expect("a file");
    put("control.sql", &state.control);
    put("log.sql", &state.log);
    put("rest.json", &serde_json::to_string_pretty(&state.rest).expect("JSON"));
    put("statements.json", &serde_json::to_string_pretty(&state.statements).expect("JSON"));
}

fn read(folder: &Path) -> State {
    let text = |name: &str| {
        let path = folder.join(name);
        fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    };
    State {
        control: text("control.sql"),
        log: text("log.sql"),
        rest: serde_json::from_str(&text("rest.json")).expect("JSON"),
        statements: serde_json::from_str(&text("statements.json")).expect("JSON"),
    }
}

/// While a version is not released its schema may change, and a state of it is of no use then:
/// `RELEASE=1` writes it anew.
fn is_released(version: &str) -> bool {
    include_str!("../../CHANGELOG.md").contains(&format!("\n## {version} - "))
}

fn schema(state: &State) -> Vec<String> {
    let tables = |dump: &str| dump.split("insert into ").next().map(str::to_owned);
    [&state.control, &state.log].into_iter().filter_map(|dump| tables(dump)).collect()
}

/// The states of all releases, the one that is being made included.
fn releases() -> Vec<(String, State)> {
    let mut all = vec![("today's build".to_owned(), left_behind())];
    let Ok(folders) = fixtures().read_dir() else { return all };
    for folder in folders {
        let folder = folder.expect("a folder");
        let (version, state) = (folder.file_name(), read(&folder.path()));
        let version = version.to_string_lossy().into_owned();
        if is_released(&version) || schema(&state) == schema(&all[0].1) {
            all.push((version, state));
        }
    }
    all
}

/// Else the tests of upgrades would pass by leaving it out.
#[test]
fn the_state_of_each_version_is_of_use() {
    let today = schema(&left_behind());
    for folder in fixtures().read_dir().expect("the states") {
        let folder = folder.expect("a folder");
        let version = folder.file_name().to_string_lossy().into_owned();
        let is_of_use = is_released(&version) || schema(&read(&folder.path())) == today;
        assert!(
            is_of_use,
            "the schema has changed since the state of {version} was written: \
            RELEASE=1 cargo test --test it the_state_of_a_release_is_written"
        );
    }
}

#[test]
fn the_state_of_a_release_is_written_and_read_again() {
    let state = left_behind();
    if std::env::var_os("RELEASE").is_some() {
        write(env!("CARGO_PKG_VERSION"), &state);
    }
    let again = Edge::on(&state).state();
    assert!(state.control == again.control && state.log == again.log, "the same rows");
    assert_eq!(state.rest.messages.len(), 2);
    assert!(state.rest.lanes.len() >= 2, "the failing and the strict one have a lane");
}

#[test]
fn the_current_build_starts_on_the_state_of_each_release_and_keeps_delivering() {
    for (release, state) in releases() {
        let edge = Edge::on(&state);
        let ask = |sql: &str| edge.logs[0].ask(sql);
        let of = |url: &str| {
            edge.control.ask(&format!("select id from connections where settings like '%{url}%'"))
                [0]
            .as_str()
            .expect("an id")
            .to_owned()
        };
        let open = ask("select event from deliveries where open = 1");
        assert!(open.len() >= 13, "{release}: {}", open.len());
        let (strict, paused) = (of(STRICT), of(PAUSED));
        let line = format!(
            "select event from deliveries where connection = '{strict}' and open = 1 order by seq"
        );
        let in_order: Vec<Value> = ask(&line);
        edge.run_for(8 * HOUR_MS);
        assert!(ask("select event from deliveries where open = 1").is_empty(), "{release}");
        let events_at = |url: &str| -> Vec<Value> {
            let seen = edge.receivers.seen(url);
            seen.iter().map(|seen| json!(seen.header("posthorn-event-id"))).collect()
        };
        let delivered: Vec<Value> =
            [FINE, FAILING, STRICT].into_iter().flat_map(events_at).collect();
        assert_eq!(delivered.len(), open.len(), "{release}: each once");
        assert!(open.iter().all(|event| delivered.contains(event)), "{release}");
        assert_eq!(events_at(STRICT), in_order, "{release}: the strict line in its order");
        // What was held still is, and goes on when somebody asks for it.
        let held = format!(
            "select count(*) from deliveries where connection = '{paused}' \
            and state = 'held'"
        );
        assert_eq!(ask(&held), [json!(6)], "{release}");
        let key = &edge.control.ask("select public_key from publishable_keys")[0];
        let key = [("x-meshes-publishable-key", key.as_str().expect("a key"))];
        let body = br#"{"event":"fine","payload":{}}"#;
        let answer = crate::tenant::call(&edge, "POST", "/api/v1/events", &key, body);
        assert_eq!(answer.status, 201, "{release}: {}", answer.text);
        let resumed = format!("update connections set active = 1 where id = '{paused}'");
        edge.control.execute(&resumed);
        edge.run_for(5 * MINUTE_MS);
        assert_eq!(events_at(PAUSED).len(), 6, "{release}");
    }
}

/// Columns without which a row does not go in.
const NEEDED: &str = "select t.name || '.' || c.name from sqlite_master t, \
    pragma_table_info(t.name) c where t.type = 'table' and c.\"notnull\" = 1 \
    and c.dflt_value is null";

/// The columns of a database as it was left, before today's migrations.
fn columns_of(dump: &str) -> Vec<String> {
    let db = rusqlite::Connection::open_in_memory().expect("SQLite opens");
    db.execute_batch(dump).expect("a dump");
    let sql = "select t.name || '.' || c.name from sqlite_master t, pragma_table_info(t.name) c \
        where t.type = 'table'";
    let mut columns = db.prepare(sql).expect("a statement");
    let found = columns.query_map([], |row| row.get(0)).expect("rows");
    found.map(|name| name.expect("a name")).collect()
}

#[test]
fn the_schema_of_today_takes_what_each_release_runs_on_it() {
    let today = Edge::new();
    for (release, state) in releases() {
        assert!(state.statements.len() > 50, "{release}: {}", state.statements.len());
        for (database, sql) in &state.statements {
            let database = if database == "control" { &today.control } else { &today.logs[0] };
            database.takes(sql).unwrap_or_else(|e| panic!("{release} runs: {sql}\n{e}"));
        }
        // What it does not know has a value without it: its rows go in.
        for (dump, new) in [(&state.control, &today.control), (&state.log, &today.logs[0])] {
            let known = columns_of(dump);
            let is_known = |name: &str| known.iter().any(|one| one == name);
            for column in new.ask(NEEDED) {
                let name = column.as_str().expect("a name");
                let table = name.split('.').next().unwrap_or_default();
                let is_new = !known.iter().any(|one| one.starts_with(&format!("{table}.")));
                let fine = is_known(name) || is_new;
                assert!(fine, "{release} does not know {name}, which must have a value");
            }
        }
    }
}
