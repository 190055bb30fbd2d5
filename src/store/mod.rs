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

/// Runs two queries in one round trip.
///
/// # Errors
/// When the database does not answer, and as the queries say. So in the next.
pub async fn two<A, B>(db: &impl Database, (a, b): (Query<A>, Query<B>)) -> Result<(A, B)> {
    let results = run(db, vec![a.statement, b.statement]).await?;
    Ok(((a.read)(&results[0])?, (b.read)(&results[1])?))
}

/// The same where it is for the caller to say what comes of the second one's answer: who asks for
/// a record together with who he is must not be told of it before that is known.
pub async fn two_apart<A, B>(
    db: &impl Database,
    (a, b): (Query<A>, Query<B>),
) -> Result<(A, Result<B>)> {
    let results = run(db, vec![a.statement, b.statement]).await?;
    Ok(((a.read)(&results[0])?, (b.read)(&results[1])))
}

/// Runs three queries in one round trip.
pub async fn three<A, B, C>(
    db: &impl Database,
    (a, b, c): (Query<A>, Query<B>, Query<C>),
) -> Result<(A, B, C)> {
    let results = run(db, vec![a.statement, b.statement, c.statement]).await?;
    Ok(((a.read)(&results[0])?, (b.read)(&results[1])?, (c.read)(&results[2])?))
}

/// Runs four queries in one round trip.
pub async fn four<A, B, C, D>(
    db: &impl Database,
    (a, b, c, d): (Query<A>, Query<B>, Query<C>, Query<D>),
) -> Result<(A, B, C, D)> {
    let results = run(db, vec![a.statement, b.statement, c.statement, d.statement]).await?;
    let (a, b) = ((a.read)(&results[0])?, (b.read)(&results[1])?);
    Ok((a, b, (c.read)(&results[2])?, (d.read)(&results[3])?))
}

/// Runs five queries in one round trip.
#[expect(clippy::type_complexity, reason = "a list of queries, as in the ones above")]
pub async fn five<A, B, C, D, E>(
    db: &impl Database,
    (a, b, c, d, e): (Query<A>, Query<B>, Query<C>, Query<D>, Query<E>),
) -> Result<(A, B, C, D, E)> {
    let statements = vec![a.statement, b.statement, c.statement, d.statement, e.statement];
    let results = run(db, statements).await?;
    let (a, b) = ((a.read)(&results[0])?, (b.read)(&results[1])?);
    Ok((a, b, (c.read)(&results[2])?, (d.read)(&results[3])?, (e.read)(&results[4])?))
}

/// Runs six queries in one round trip.
#[expect(clippy::type_complexity, reason = "a list of queries, as in the ones above")]
pub async fn six<A, B, C, D, E, F>(
    db: &impl Database,
    (a, b, c, d, e, f): (Query<A>, Query<B>, Query<C>, Query<D>, Query<E>, Query<F>),
) -> Result<(A, B, C, D, E, F)> {
    let statements =
        vec![a.statement, b.statement, c.statement, d.statement, e.statement, f.statement];
    let results = run(db, statements).await?;
    let (a, b, c) = ((a.read)(&results[0])?, (b.read)(&results[1])?, (c.read)(&results[2])?);
    Ok((a, b, c, (d.read)(&results[3])?, (e.read)(&results[4])?, (f.read)(&results[5])?))
}

/// Runs seven queries in one round trip.
#[expect(clippy::type_complexity, reason = "a list of queries, as in the ones above")]
pub async fn seven<A, B, C, D, E, F, G>(
    db: &impl Database,
    (a, b, c, d, e, f, g): (Query<A>, Query<B>, Query<C>, Query<D>, Query<E>, Query<F>, Query<G>),
) -> Result<(A, B, C, D, E, F, G)> {
    let statements = vec![
        a.statement,
        b.statement,
        c.statement,
        d.statement,
        e.statement,
        f.statement,
        g.statement,
    ];
    let results = run(db, statements).await?;
    let (a, b, c) = ((a.read)(&results[0])?, (b.read)(&results[1])?, (c.read)(&results[2])?);
    let (d, e, f) = ((d.read)(&results[3])?, (e.read)(&results[4])?, (f.read)(&results[5])?);
    Ok((a, b, c, d, e, f, (g.read)(&results[6])?))
}

/// Runs eight queries in one round trip.
#[expect(clippy::type_complexity, reason = "a list of queries, as in the ones above")]
pub async fn eight<A, B, C, D, E, F, G, H>(
    db: &impl Database,
    (a, b, c, d, e, f, g, h): (
        Query<A>,
        Query<B>,
        Query<C>,
        Query<D>,
        Query<E>,
        Query<F>,
        Query<G>,
        Query<H>,
    ),
) -> Result<(A, B, C, D, E, F, G, H)> {
    let statements = vec![
        a.statement,
        b.statement,
        c.statement,
        d.statement,
        e.statement,
        f.statement,
        g.statement,
        h.statement,
    ];
    let results = run(db, statements).await?;
    let (a, b, c) = ((a.read)(&results[0])?, (b.read)(&results[1])?, (c.read)(&results[2])?);
    let (d, e, f) = ((d.read)(&results[3])?, (e.read)(&results[4])?, (f.read)(&results[5])?);
    Ok((a, b, c, d, e, f, (g.read)(&results[6])?, (h.read)(&results[7])?))
}

/// Reads all rows of a query's answer.
fn all_rows<T: row::FromRow>(rows: &Rows) -> Result<Vec<T>> {
    row::all(row::rows(rows)?)
}

/// The start of a statement, to find it by in a log.
fn head(sql: &str) -> String {
    sql.split_whitespace().take(8).collect::<Vec<_>>().join(" ")
}
