//! A D1 database as the [`Database`] port.

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;

use futures_util::future::{Either, select};
use worker::wasm_bindgen::JsValue;
use worker::{D1Database, D1PreparedStatement, D1Result};

use crate::domain::connection::target_cache::TargetCache;
use crate::platform::meter::Meter;
use crate::platform::sql::{Raw, js_value, rows};
use crate::platform::timers::Timers;
use crate::ports::{Database, Param, PortError, Rows, Statement};

/// A bound D1 database.
pub struct D1 {
    db: Rc<D1Database>,
    meter: Meter,
    timers: Timers,
    /// The last result, which tells the size of the database. It is read when somebody asks.
    last: RefCell<Option<D1Result>>,
    /// Statements of this invocation, over all databases.
    statements: Rc<Cell<usize>>,
    /// What is emptied by every write.
    emptied: Option<Rc<RefCell<TargetCache>>>,
}

/// Bytes of a text that D1 takes.
const TEXT_BYTES_MAX: usize = 2_000_000;
/// Statements that D1 answers to one invocation.
const STATEMENTS_MAX: usize = 1_000;

impl D1 {
    /// Wraps a binding.
    pub fn new(
        db: Rc<D1Database>,
        meter: Meter,
        timers: Timers,
        statements: Rc<Cell<usize>>,
    ) -> Self {
        Self { db, meter, timers, statements, last: RefCell::default(), emptied: None }
    }

    /// Empties the cache whenever something is written, whether that is known to have succeeded or
    /// not.
    pub fn emptying(self, cache: Rc<RefCell<TargetCache>>) -> Self {
        Self { emptied: Some(cache), ..self }
    }

    /// Refuses what D1 refuses, local runs included, which do not know its limits.
    fn check(&self, statements: &[Statement]) -> Result<(), PortError> {
        self.statements.set(self.statements.get() + statements.len());
        if self.statements.get() > STATEMENTS_MAX {
            return Err(PortError(format!("D1: more than {STATEMENTS_MAX} statements")));
        }
        let params = statements.iter().flat_map(|statement| &statement.params);
        let is_long = |param: &Param| matches!(param, Param::Text(t) if t.len() > TEXT_BYTES_MAX);
        match params.into_iter().any(is_long) {
            true => Err(PortError("D1: string or blob too big: SQLITE_TOOBIG".to_owned())),
            false => Ok(()),
        }
    }

    fn prepare(&self, statement: Statement) -> worker::Result<D1PreparedStatement> {
        let params: Vec<JsValue> = statement.params.into_iter().map(js_value).collect();
        self.db.prepare(statement.sql).bind(&params)
    }

    async fn run(&self, statements: Vec<Statement>) -> worker::Result<Vec<Rows>> {
        self.meter.round_trip();
        let prepared: worker::Result<Vec<_>> =
            statements.into_iter().map(|statement| self.prepare(statement)).collect();
        let mut results = self.db.batch(prepared?).await?;
        let rows = results.iter().map(|result| self.rows(result)).collect();
        self.last.replace(results.pop());
        rows
    }

    fn rows(&self, result: &D1Result) -> worker::Result<Rows> {
        if self.meter.is_on() {
            self.meter.rows(result.meta()?);
        }
        rows(result.results::<Raw>()?)
    }
}

impl Database for D1 {
    async fn batch(&self, statements: Vec<Statement>) -> Result<Vec<Rows>, PortError> {
        self.check(&statements)?;
        let ms = Statement::deadline_ms(&statements);
        let emptied = self.emptied.as_ref().filter(|_| !statements.iter().all(Statement::is_read));
        let done = match select(pin!(self.run(statements)), self.timers.sleep(ms)).await {
            Either::Left((done, _)) => done.map_err(|e| PortError(format!("D1: {e}"))),
            Either::Right(_) => Err(PortError(format!("D1: no answer within {ms} ms"))),
        };
        if let Some(cache) = emptied {
            cache.borrow_mut().changed();
        }
        done
    }

    fn size_bytes(&self) -> Option<i64> {
        let meta = self.last.borrow().as_ref().and_then(|result| result.meta().ok().flatten());
        meta?.size_after.and_then(|bytes| i64::try_from(bytes).ok())
    }
}
