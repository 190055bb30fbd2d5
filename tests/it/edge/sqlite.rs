//! SQLite as a database port that behaves like D1: whole numbers are bound as floating-point
//! numbers, a batch is one transaction, and D1's limits hold: a text or row of 2 MB, 100 KB of
//! SQL, 100 parameters, 1,000 statements in an invocation. It can fail before or after it took
//! effect. The plan of every statement is held against `plans.txt`.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::rc::Rc;

use posthorn::ports::{Database, Param, PortError, Rows, Statement};
use rusqlite::limits::Limit;
use rusqlite::types::{ToSqlOutput, Value as SqlValue, ValueRef};
use rusqlite::{Connection, StatementStatus, ToSql, params_from_iter};
use serde_json::{Map, Value, json};

use super::chaos::Chaos;
use super::plans;
use super::tasks::Tasks;

/// Bytes of a text or a row that D1 takes.
const TEXT_BYTES_MAX: i32 = 2_000_000;
/// Bytes of a statement's text.
const SQL_BYTES_MAX: i32 = 100_000;
/// Statements that D1 answers to one invocation.
const STATEMENTS_MAX: usize = 1_000;

/// How the next call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing took effect.
    Before,
    /// All took effect, and the answer was lost.
    After,
}

/// How a database is for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weather {
    #[default]
    Up,
    /// Every call takes so many milliseconds.
    Slow(i64),
    /// It can be read, and nothing can be written.
    ReadOnly,
    /// No call succeeds.
    Down,
}

/// Looks at statements that failed, or whose result is not known.
type Witness = Box<dyn Fn(&[Statement])>;

/// A database in memory.
pub struct Sqlite {
    pub(super) db: RefCell<Connection>,
    /// Whether its statements count as those of D1.
    is_counted: bool,
    /// The statements that ran.
    pub(super) ran: RefCell<BTreeSet<&'static str>>,
    faults: RefCell<Vec<Option<Fault>>>,
    chaos: Rc<Chaos>,
    trusts_plans: Cell<bool>,
    weather: Cell<Weather>,
    on_failure: RefCell<Option<Witness>>,
    /// Batches with writes by isolate, whatever became of them.
    writes: RefCell<BTreeMap<usize, usize>>,
    tasks: Tasks,
    /// Calls so far.
    pub round_trips: Cell<u32>,
    /// The size that it pretends to have instead of its own.
    pub pretended_bytes: Cell<Option<i64>>,
    /// The most steps of SQLite's machine that one statement took.
    pub steps_max: Cell<i32>,
    /// The steps of SQLite's machine that all statements took: what is read costs some.
    pub steps: Cell<i64>,
    /// The same by statement, since this was taken last.
    pub steps_by_statement: RefCell<BTreeMap<&'static str, i64>>,
}

impl Sqlite {
    /// The database of an object: it is no D1.
    pub fn own(tasks: Tasks, chaos: Rc<Chaos>) -> Self {
        let db = Connection::open_in_memory().expect("SQLite opens");
        db.set_limit(Limit::SQLITE_LIMIT_LENGTH, TEXT_BYTES_MAX).expect("a limit");
        Self { is_counted: false, ..Self::on(db, tasks, chaos) }
    }

    /// What is written from now on is not safe before it is committed.
    pub fn hold(&self) {
        let db = self.db.borrow();
        if db.is_autocommit() {
            db.execute_batch("begin").expect("a transaction");
        }
    }

    /// What was written is safe.
    pub fn commit(&self) {
        let db = self.db.borrow();
        if !db.is_autocommit() {
            db.execute_batch("commit").expect("a transaction");
        }
    }

    /// What is not safe is lost.
    pub fn roll_back(&self) {
        let db = self.db.borrow();
        if !db.is_autocommit() {
            db.execute_batch("rollback").expect("a transaction");
        }
    }

    /// A database to which all migrations of a folder were applied.
    pub fn migrated(folder: &str, tasks: Tasks, chaos: Rc<Chaos>) -> Self {
        let db = Connection::open_in_memory().expect("SQLite opens");
        db.set_limit(Limit::SQLITE_LIMIT_LENGTH, TEXT_BYTES_MAX).expect("a limit");
        db.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX).expect("a limit");
        db.set_prepared_statement_cache_capacity(200);
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut files: Vec<_> =
            folder.read_dir().expect("a folder").map(|file| file.expect("a file").path()).collect();
        files.sort();
        for file in files {
            let sql = std::fs::read_to_string(&file).expect("a migration");
            db.execute_batch(&sql).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
        }
        Self::on(db, tasks, chaos)
    }

    fn on(db: Connection, tasks: Tasks, chaos: Rc<Chaos>) -> Self {
        Self {
            db: RefCell::new(db),
            is_counted: true,
            ran: RefCell::default(),
            faults: RefCell::default(),
            round_trips: Cell::new(0),
            chaos,
            trusts_plans: Cell::new(false),
            weather: Cell::default(),
            on_failure: RefCell::default(),
            writes: RefCell::default(),
            tasks,
            steps_max: Cell::new(0),
            pretended_bytes: Cell::new(None),
            steps: Cell::new(0),
            steps_by_statement: RefCell::default(),
        }
    }

    /// Changes the weather.
    pub fn set_weather(&self, weather: Weather) {
        let db = self.db.borrow();
        db.pragma_update(None, "query_only", weather == Weather::ReadOnly).expect("a pragma");
        self.weather.set(weather);
    }

    /// Has every batch looked at that failed, or whose result is not known.
    pub fn on_failure(&self, witness: impl Fn(&[Statement]) + 'static) {
        *self.on_failure.borrow_mut() = Some(Box::new(witness));
    }

    /// Statements' plans are not looked at any more: other tests do that.
    pub fn trust_plans(&self) {
        self.trusts_plans.set(true);
    }

    /// Makes the next calls fail, one after the other; `None` is a call that succeeds.
    pub fn fail_next(&self, faults: &[Option<Fault>]) {
        *self.faults.borrow_mut() = faults.iter().rev().copied().collect();
    }

    /// Asks the database directly; the first column of each row.
    pub fn ask(&self, sql: &str) -> Vec<Value> {
        let db = self.db.borrow();
        let mut statement = db.prepare(sql).expect("a statement");
        let rows = statement.query_map([], |row| Ok(json_value(row.get_ref(0)?)));
        rows.expect("rows").map(|value| value.expect("a value")).collect()
    }

    /// Changes the database directly.
    pub fn execute(&self, sql: &str) -> usize {
        self.wrote();
        self.db.borrow().execute(sql, []).expect("a change")
    }

    /// How often an isolate has written, or tried to.
    pub fn writes_of(&self, isolate: usize) -> usize {
        self.writes.borrow().get(&isolate).copied().unwrap_or_default()
    }

    fn wrote(&self) {
        *self.writes.borrow_mut().entry(self.chaos.doer.get().isolate).or_default() += 1;
    }

    fn transaction(&self, statements: &[Statement]) -> rusqlite::Result<Vec<Rows>> {
        let mut db = self.db.borrow_mut();
        let transaction = db.savepoint()?;
        let mut results = Vec::new();
        // Before all of them: to SQLite an explained change is one that changed nothing.
        for statement in statements {
            if !self.trusts_plans.get() && plans::is_new(statement.sql) {
                plans::check(statement.sql, plan(&transaction, statement));
            }
        }
        for statement in statements {
            assert!(statement.params.len() <= 100, "D1 takes 100 parameters");
            self.ran.borrow_mut().insert(statement.sql);
            let counted = if self.is_counted { self.tasks.count_statement() } else { 0 };
            assert!(counted <= STATEMENTS_MAX, "D1 answers {STATEMENTS_MAX} statements");
            let (rows, steps) = run(&transaction, statement)?;
            self.steps.set(self.steps.get() + i64::from(steps));
            *self.steps_by_statement.borrow_mut().entry(statement.sql).or_default() +=
                i64::from(steps);
            self.steps_max.set(self.steps_max.get().max(steps));
            results.push(rows);
        }
        transaction.commit()?;
        Ok(results)
    }
}

struct Bound<'a>(&'a Param);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Param::Null => ToSqlOutput::Owned(SqlValue::Null),
            Param::Int(value) => ToSqlOutput::Owned(SqlValue::Real(*value as f64)),
            Param::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
        })
    }
}

fn run(db: &Connection, statement: &Statement) -> rusqlite::Result<(Rows, i32)> {
    let mut prepared = db.prepare_cached(statement.sql)?;
    let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
    let mut rows = prepared.query(params_from_iter(statement.params.iter().map(Bound)))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let mut object = Map::new();
        for (index, name) in columns.iter().enumerate() {
            object.insert(name.clone(), json_value(row.get_ref(index)?));
        }
        found.push(Value::Object(object));
    }
    drop(rows);
    let steps = prepared.reset_status(StatementStatus::VmStep);
    Ok((Rows(Value::Array(found).to_string()), steps))
}

/// JavaScript has one kind of number, so a whole floating-point number arrives as a whole number.
fn json_value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => json!(number),
        ValueRef::Real(number) if number.fract() == 0.0 => json!(number as i64),
        ValueRef::Real(number) => json!(number),
        ValueRef::Text(text) => json!(String::from_utf8(text.to_vec()).expect("UTF-8")),
        ValueRef::Blob(_) => panic!("no column holds a blob"),
    }
}

/// How SQLite goes about a statement, step by step.
fn plan(db: &Connection, statement: &Statement) -> Vec<String> {
    let mut plan = db.prepare(&format!("explain query plan {}", statement.sql)).expect("a plan");
    let params = params_from_iter(statement.params.iter().map(Bound));
    let steps = plan.query_map(params, |row| row.get::<_, String>(3)).expect("steps");
    steps.map(|step| step.expect("a step")).collect()
}

impl Database for Sqlite {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError> {
        let done = self.attempt(&statements).await;
        if !statements.iter().all(Statement::is_read) {
            self.wrote();
        }
        if let (Err(_), Some(witness)) = (&done, &*self.on_failure.borrow()) {
            witness(&statements);
        }
        done
    }

    fn size_bytes(&self) -> Option<i64> {
        let pages = "select page_count * page_size from pragma_page_count, pragma_page_size";
        self.pretended_bytes.get().or_else(|| self.ask(pages)[0].as_i64())
    }
}

impl Sqlite {
    async fn attempt(&self, statements: &[Statement]) -> Result<Vec<Rows>, PortError> {
        self.round_trips.set(self.round_trips.get() + 1);
        let fate = self.chaos.begin(["database before", "database after", "cut at database"]).await;
        let fault = self.faults.borrow_mut().pop().flatten().or(fate.fault);
        let deadline_ms = Statement::deadline_ms(statements);
        if let Weather::Slow(ms) = self.weather.get() {
            self.tasks.sleep_ms(ms.min(deadline_ms)).await;
            if ms > deadline_ms {
                // What ran out of time may take effect all the same.
                if self.chaos.draw(2) == 0 {
                    drop(self.transaction(statements));
                }
                return Err(PortError(format!("no answer within {deadline_ms} ms")));
            }
        }
        if self.weather.get() == Weather::Down {
            return Err(PortError("the database is down".into()));
        }
        if fault == Some(Fault::Before) {
            return Err(PortError("failed before".into()));
        }
        let results = self.transaction(statements).map_err(|e| PortError(e.to_string()))?;
        self.chaos.end(fate).await;
        if fault == Some(Fault::After) {
            return Err(PortError("failed after".into()));
        }
        Ok(results)
    }
}
