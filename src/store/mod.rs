//! SQL, one noun per file, and nowhere else. Each statement is a constant in lower case beside the
//! function that runs it. Every function takes the tenant first (workspace, or organization where
//! a whole organization is asked) and every statement names it in its `where`.
//!
//! Sets go in as one JSON text that the statement reads with `json_each`, since a statement takes
//! at most 100 parameters.

pub mod attempts;
pub mod canceled_by_hand;
pub mod cancellations;
pub mod catalogues;
pub mod changes;
pub mod connection_deliveries;
mod connection_names;
pub mod connection_pages;
pub mod connection_states;
pub mod connections;
pub mod deleted_connections;
pub mod deleted_rules;
pub mod deleted_workspaces;
pub mod deliveries;
pub mod delivery_history;
pub mod emit;
pub mod erasures;
pub mod event_counts;
pub mod event_types;
pub mod events;
pub mod failed;
pub mod failure_counts;
pub mod held;
pub mod hidden_connections;
pub mod idempotency;
pub mod intake;
pub mod lanes;
pub mod lines;
pub mod machine_keys;
pub mod mappings;
pub mod missing;
pub mod names;
pub mod notices;
pub mod organizations;
pub mod publishable_keys;
pub mod recent_payloads;
pub mod replay_steps;
pub mod replays;
pub mod reseal;
pub mod retention;
pub mod retries;
pub mod rollups;
pub mod routing;
mod row;
pub mod rule_patterns;
pub mod rules;
pub mod secrets;
pub mod sessions;
pub mod shards;
pub mod sweeps;
pub mod targets;
pub mod transfers;
pub mod vitals;
pub mod workspace_history;
pub mod workspaces;
pub mod write_check;

use crate::domain::base::error::{Error, Result};
use crate::ports::{Database, Param, Rows, Statement};
use crate::store::row::Row;

/// A statement with its parameters.
fn statement<const N: usize>(sql: &'static str, params: [Param; N]) -> Statement {
    Statement { sql, params: params.into() }
}

/// A set of rows as the one text that a statement reads with `json_each`.
fn set(rows: &impl serde::Serialize) -> Param {
    Param::Text(serde_json::to_string(rows).expect("rows are JSON"))
}

/// Runs one batch. The cause is for the log; the caller is asked to try again.
async fn run(db: &impl Database, statements: Vec<Statement>) -> Result<Vec<Rows>> {
    if statements.is_empty() {
        // D1 refuses a batch of nothing.
        return Ok(Vec::new());
    }
    let first = statements.first().map_or("", |statement| statement.sql);
    let told = |e: crate::ports::PortError| {
        let detail = format!("{e}; {}", head(first));
        if e.is_refused_data() { Error::refused_data(detail) } else { Error::unavailable(detail) }
    };
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

/// A read that can share a round trip with others of the same database.
pub struct Query<T> {
    statement: Statement,
    read: fn(&Rows) -> Result<T>,
}

impl<T> Query<T> {
    fn new<const N: usize>(
        sql: &'static str,
        params: [Param; N],
        read: fn(&Rows) -> Result<T>,
    ) -> Self {
        Self { statement: statement(sql, params), read }
    }

    /// Runs it by itself.
    ///
    /// # Errors
    /// When the database does not answer, and as the query says.
    pub async fn run(self, db: &impl Database) -> Result<T> {
        let results = run(db, vec![self.statement]).await?;
        (self.read)(&results[0])
    }
}

/// Queries of one database that share a round trip.
pub trait Queries {
    /// What they read, in their order.
    type Answers;

    /// Their statements, and what reads the results of these.
    fn split(self) -> (Vec<Statement>, impl FnOnce(&[Rows]) -> Result<Self::Answers>);
}

macro_rules! queries {
    ($($query:ident $answer:ident),+) => {
        impl<$($answer),+> Queries for ($(Query<$answer>,)+) {
            type Answers = ($($answer,)+);

            fn split(self) -> (Vec<Statement>, impl FnOnce(&[Rows]) -> Result<Self::Answers>) {
                let ($($query,)+) = self;
                let readers = ($($query.read,)+);
                let read = move |results: &[Rows]| {
                    let ($($query,)+) = readers;
                    let mut rows = results.iter();
                    Ok(($($query(rows.next().expect("each statement has a result"))?,)+))
                };
                (vec![$($query.statement),+], read)
            }
        }
    };
}
queries!(a A, b B);
queries!(a A, b B, c C);
queries!(a A, b B, c C, d D);
queries!(a A, b B, c C, d D, e E);
queries!(a A, b B, c C, d D, e E, f F);
queries!(a A, b B, c C, d D, e E, f F, g G);
queries!(a A, b B, c C, d D, e E, f F, g G, h H);

/// Runs queries in one round trip.
///
/// # Errors
/// When the database does not answer, and as the queries say.
pub async fn together<Q: Queries>(db: &impl Database, queries: Q) -> Result<Q::Answers> {
    let (statements, read) = queries.split();
    read(&run(db, statements).await?)
}

/// The same with two, where it is for the caller to say what comes of the second one's answer: who
/// asks for a record together with who he is must not be told of it before that is known.
///
/// # Errors
/// When the database does not answer, and as the first one says.
pub async fn two_apart<A, B>(
    db: &impl Database,
    (a, b): (Query<A>, Query<B>),
) -> Result<(A, Result<B>)> {
    let results = run(db, vec![a.statement, b.statement]).await?;
    Ok(((a.read)(&results[0])?, (b.read)(&results[1])))
}

/// Reads all rows of a query's answer.
fn all_rows<T: row::FromRow>(rows: &Rows) -> Result<Vec<T>> {
    row::all(row::rows(rows)?)
}

/// The start of a statement, to find it by in a log.
fn head(sql: &str) -> String {
    sql.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}
