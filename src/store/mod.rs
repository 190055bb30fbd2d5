//! SQL, one noun per file, and nowhere else. Each statement is a constant in lower case beside the
//! function that runs it. Every function takes the tenant first (workspace, or organization where
//! a whole organization is asked) and every statement names it in its `where`.
//!
//! Sets go in as one JSON text that the statement reads with `json_each`, since a statement takes
//! at most 100 parameters.

pub mod attempts;
pub mod connections;
pub mod deliveries;
pub mod event_types;
pub mod events;
pub mod held;
pub mod lanes;
pub mod lines;
pub mod machine_keys;
pub mod names;
pub mod organizations;
pub mod routing;
mod row;
pub mod rules;
pub mod sweeps;
pub mod targets;
pub mod workspaces;

use self::row::Row;
use crate::domain::error::{Error, Result};
use crate::ports::{Database, Param, Rows, Statement};

/// A statement with its parameters.
fn statement<const N: usize>(sql: &'static str, params: [Param; N]) -> Statement {
    Statement { sql, params: params.into() }
}

/// Runs one batch. What went wrong is for the log; the caller is told to try again.
async fn run(db: &impl Database, statements: Vec<Statement>) -> Result<Vec<Rows>> {
    let first = statements.first().map_or("", |statement| statement.sql);
    let told = |e: crate::ports::PortError| Error::unavailable(format!("{e}; {}", head(first)));
    let count = statements.len();
    let results = db.batch(statements).await.map_err(told)?;
    if results.len() != count {
        return Err(Error::internal(format!("{} results of {count}", results.len())));
    }
    Ok(results)
}

/// Runs one statement; its rows.
async fn select(db: &impl Database, statement: Statement) -> Result<Vec<Row>> {
    let results = run(db, vec![statement]).await?;
    results.first().map_or(Ok(Vec::new()), row::rows)
}

/// The start of a statement, to find it by in a log.
fn head(sql: &str) -> String {
    sql.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}
