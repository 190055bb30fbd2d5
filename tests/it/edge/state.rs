//! The state of an installation as text: what a release leaves to the next one.

use std::fmt::Write as _;
use std::path::Path;

use posthorn::domain::lane::queue::ConnectionQueue;
use posthorn::ports::Clock;
use rusqlite::Connection;
use serde::{Deserialize, Serialize};

use super::Edge;
use super::sqlite::Sqlite;

/// All that a release left. The databases are SQL, without triggers until the rows are in.
pub struct State {
    pub control: String,
    pub log: String,
    pub rest: Rest,
    /// The statements that it ran: (database, SQL).
    pub statements: Vec<(String, String)>,
}

/// What is not in a database.
#[derive(Serialize, Deserialize)]
pub struct Rest {
    /// When it was left.
    pub at_ms: i64,
    /// The migrations that had been applied.
    pub control_migrations: Vec<String>,
    pub log_migrations: Vec<String>,
    /// Messages of the queue.
    pub messages: Vec<String>,
    pub lanes: Vec<StoredLane>,
}

/// A lane as its object keeps it.
#[derive(Serialize, Deserialize)]
pub struct StoredLane {
    pub line: ConnectionQueue,
    pub stored: String,
    pub alarm_at_ms: Option<i64>,
}

/// The names of the migrations of a folder, in order.
pub fn migrations(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations").join(folder);
    let files = folder.read_dir().expect("a folder");
    let name = |file: std::fs::DirEntry| file.file_name().to_string_lossy().into_owned();
    let mut names: Vec<String> = files.map(|file| name(file.expect("a file"))).collect();
    names.sort();
    names
}

impl Sqlite {
    /// Schema and rows.
    fn dump(&self) -> String {
        let text = |sql: &str| {
            let values = self.ask(sql);
            values.iter().map(|v| v.as_str().expect("a text").to_owned()).collect::<Vec<_>>()
        };
        let made =
            "select sql from sqlite_master where sql is not null and name not like 'sqlite_%'";
        let mut dump = String::new();
        let mut put = |sql: &str| writeln!(dump, "{sql};").expect("a text");
        text(&format!("{made} and type = 'table' order by rowid")).iter().for_each(|s| put(s));
        for table in text("select name from sqlite_master where type = 'table' order by name") {
            let columns = text(&format!("select name from pragma_table_info('{table}')"));
            let quoted: Vec<String> = columns.iter().map(|c| format!("quote({c})")).collect();
            let rows = format!("select {} from {table}", quoted.join(" || ',' || "));
            let names = columns.join(", ");
            for row in text(&rows) {
                put(&format!("insert into {table} ({names}) values ({row})"));
            }
        }
        text(&format!("{made} and type <> 'table' order by rowid")).iter().for_each(|s| put(s));
        dump
    }

    /// Replaces all by what was dumped, and applies the migrations that came since.
    fn restore(&self, dump: &str, folder: &str, applied: &[String]) {
        let db = Connection::open_in_memory().expect("SQLite opens");
        db.execute_batch(dump).expect("a dump");
        for name in migrations(folder).into_iter().filter(|name| !applied.contains(name)) {
            let path = format!("{}/migrations/{folder}/{name}", env!("CARGO_MANIFEST_DIR"));
            let sql = std::fs::read_to_string(&path).expect("a migration");
            db.execute_batch(&sql).unwrap_or_else(|e| panic!("{path}: {e}"));
        }
        *self.db.borrow_mut() = db;
    }

    /// Whether the schema takes a statement.
    pub fn takes(&self, sql: &str) -> Result<(), String> {
        self.db.borrow().prepare(sql).map(drop).map_err(|e| e.to_string())
    }
}

impl Edge {
    /// All that is left when the installation stops now.
    pub fn state(&self) -> State {
        let (mut messages, now_ms) = (Vec::new(), self.now_ms());
        while let Some(some) = Some(self.queue.take_due(i64::MAX)).filter(|some| !some.is_empty()) {
            messages.extend(some);
        }
        let objects = self.lanes.objects.borrow();
        let lane = |(line, object): (&ConnectionQueue, &super::lanes::Object)| {
            let (line, alarm_at_ms) = (line.clone(), object.alarm_at_ms);
            object.stored.clone().map(|stored| StoredLane { line, stored, alarm_at_ms })
        };
        let ran = |of: &str, database: &Sqlite| {
            let ran = database.ran.borrow();
            ran.iter().map(|sql| (of.to_owned(), (*sql).to_owned())).collect::<Vec<_>>()
        };
        State {
            statements: [ran("control", &self.control), ran("log", &self.logs[0])].concat(),
            control: self.control.dump(),
            log: self.logs[0].dump(),
            rest: Rest {
                at_ms: now_ms,
                control_migrations: migrations("control"),
                log_migrations: migrations("log"),
                messages,
                lanes: objects.iter().filter_map(lane).collect(),
            },
        }
    }

    /// An installation that starts on what was left.
    pub fn on(state: &State) -> Self {
        let edge = Self::new();
        edge.advance_to(state.rest.at_ms);
        edge.control.restore(&state.control, "control", &state.rest.control_migrations);
        edge.logs[0].restore(&state.log, "log", &state.rest.log_migrations);
        for StoredLane { line, stored, alarm_at_ms } in &state.rest.lanes {
            let object = super::lanes::Object {
                stored: Some(stored.clone()),
                alarm_at_ms: *alarm_at_ms,
                ..super::lanes::Object::default()
            };
            edge.lanes.objects.borrow_mut().insert(line.clone(), object);
        }
        state.rest.messages.iter().for_each(|message| edge.queue.put(message.clone(), 0));
        edge
    }
}
