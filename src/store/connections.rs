//! Connections in CONTROL, each with what is known of its current signing secret.

use serde_json::json;

use crate::domain::base::error::{Code, Error, Kind, Result};
use crate::domain::base::limits::CONNECTIONS_SHOWN_MAX;
use crate::domain::base::secret::Sealed;
use crate::domain::base::version;
use crate::domain::connection::model::{InactiveReason, SealedCredentials, SetBy};
use crate::domain::connection::options::DeliveryOptions;
use crate::domain::tenants::actor::Scope;
use crate::domain::tenants::change::NewChange;
use crate::ports::{Database, Param, Statement};
use crate::store::row::{self, FromRow, Row};
use crate::store::{Query, all_rows, changes, connection_names, notices, run, select, statement};

/// A connection as it is stored, with what is known of its signing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Id.
    pub id: String,
    /// Workspace.
    pub workspace: String,
    /// Name of the workspace, by which lists are ordered.
    pub workspace_name: String,
    /// LOG shard of the workspace.
    pub shard: u16,
    /// Its type, which names its destination.
    pub kind: String,
    /// Name.
    pub name: String,
    /// Settings of its destination, JSON text.
    pub settings: String,
    /// Its delivery options.
    pub options: DeliveryOptions,
    /// Receiver credentials.
    pub credentials: SealedCredentials,
    /// Whether it takes deliveries; if not, they are held.
    pub active: bool,
    /// Why it does not, if it does not.
    pub inactive_reason: Option<InactiveReason>,
    /// The last warning that nothing succeeds: since when, and how much of the time until it is
    /// given up had passed, in percent.
    pub warning: Option<(i64, u32)>,
    /// Whether pages leave it out.
    pub hidden: bool,
    /// The key that created it.
    pub created_by: String,
    /// When it was created.
    pub created_at_ms: i64,
    /// When it was last changed.
    pub updated_at_ms: i64,
    /// Its version.
    pub version: i64,
    /// The newest signing secret: its number, when and by whom it was set, and the sealed text.
    pub secret: Option<SecretRow>,
}

impl Connection {
    /// The tag of its version.
    pub fn tag(&self) -> String {
        version::tag(self.created_at_ms, self.version)
    }
}

/// The newest signing secret of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRow {
    /// Number in its connection.
    pub number: u32,
    /// Who set it.
    pub set_by: SetBy,
    /// When it was set.
    pub created_at_ms: i64,
    /// The secret.
    pub sealed: Sealed,
}

impl FromRow for Connection {
    fn from_row(row: &mut Row) -> Self {
        Self {
            id: row.text("id"),
            workspace: row.text("workspace"),
            workspace_name: row.text("workspace_name"),
            shard: row.int("shard"),
            kind: row.text("kind"),
            name: row.text("name"),
            settings: row.json_text("settings"),
            options: DeliveryOptions::from_row(row),
            credentials: row.json("credentials"),
            active: row.flag("active"),
            inactive_reason: row.maybe_word("inactive_reason"),
            warning: row.maybe_int("failing_since_ms").map(|at| (at, row.int("warned_percent"))),
            hidden: row.flag("hidden"),
            created_by: row.text("created_by"),
            created_at_ms: row.int("created_at_ms"),
            updated_at_ms: row.int("updated_at_ms"),
            version: row.int("version"),
            secret: row.rows("newest_secret").pop(),
        }
    }
}

impl FromRow for DeliveryOptions {
    fn from_row(row: &mut Row) -> Self {
        Self {
            timeout_seconds: row.int("timeout_seconds"),
            retry_schedule_seconds: row.json("retry_schedule"),
            ordering: row.word("ordering"),
            max_per_second: row.maybe_int("max_per_second"),
            max_in_flight: row.maybe_int("max_in_flight"),
        }
    }
}

/// The columns of delivery options, as parameters.
fn option_params(options: &DeliveryOptions) -> [Param; 5] {
    [
        options.timeout_seconds.into(),
        json!(options.retry_schedule_seconds).to_string().into(),
        options.ordering.as_str().into(),
        options.max_per_second.into(),
        options.max_in_flight.into(),
    ]
}

impl FromRow for SecretRow {
    fn from_row(row: &mut Row) -> Self {
        Self {
            number: row.int("number"),
            set_by: row.word("set_by"),
            created_at_ms: row.int("created_at_ms"),
            sealed: Sealed::from_text(row.text("sealed")),
        }
    }
}

/// A signing secret to be stored.
pub struct NewSecret {
    /// Number in its connection.
    pub number: u32,
    /// The secret.
    pub sealed: Sealed,
    /// Who set it.
    pub set_by: SetBy,
}

const INSERT: &str = "\
    insert or ignore into connections (id, workspace, type, name, settings, credentials, hidden, \
      created_by, created_at_ms, updated_at_ms, timeout_seconds, retry_schedule, ordering, \
      max_per_second, max_in_flight, name_key) \
    select ?2, ?1, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12, ?13, ?14, ?15, ?16, ?17 \
    where (select count(*) from connections where workspace = ?1) < coalesce( \
      (select limit_connections from workspaces where id = ?1), ?11, 9007199254740991) \
    returning id";
const IS_KNOWN: &str = "select id from connections where id = ?1";
const INSERT_FIRST_SECRET: &str = "\
    insert or ignore into connection_secrets (connection, number, sealed, set_by, created_at_ms) \
    select c.id, ?3, ?4, ?5, ?6 from connections c \
    where c.id = ?2 and c.workspace = ?1 and c.version = ?7";
const INSERT_SECRET: &str = "\
    insert into connection_secrets (connection, number, sealed, set_by, created_at_ms) \
    select c.id, ?3, ?4, ?5, ?6 from connections c \
    where c.id = ?2 and c.workspace = ?1 and c.version = ?7";

const MOST: &str = "select limit_connections from workspaces where id = ?1";

/// How many connections a workspace may have, as far as it says so itself.
struct Most(Option<u32>);

impl FromRow for Most {
    fn from_row(row: &mut Row) -> Self {
        Self(row.maybe_int("limit_connections"))
    }
}

/// Creates a connection, with its first signing secret if it has one, while its workspace has fewer
/// than it may have: `quota`, unless it says so itself.
///
/// # Errors
/// `Conflict` when there is a connection with its id or with its name; `Refused` when the quota is
/// used up.
pub async fn insert(
    control: &impl Database,
    connection: &Connection,
    secret: Option<&NewSecret>,
    quota: Option<u32>,
    change: &NewChange,
) -> Result<()> {
    let [timeout, schedule, ordering, per_second, in_flight] = option_params(&connection.options);
    let row = statement(
        INSERT,
        [
            (&connection.workspace).into(),
            (&connection.id).into(),
            (&connection.kind).into(),
            (&connection.name).into(),
            (&connection.settings).into(),
            credentials_text(&connection.credentials).into(),
            connection.hidden.into(),
            (&connection.created_by).into(),
            connection.created_at_ms.into(),
            connection.updated_at_ms.into(),
            quota.into(),
            timeout,
            schedule,
            ordering,
            per_second,
            in_flight,
            connection_names::key(&connection.name).into(),
        ],
    );
    let mut statements = vec![
        row,
        changes::recorded(change),
        statement(IS_KNOWN, [(&connection.id).into()]),
        connection_names::is_taken(&connection.workspace, &connection.id, &connection.name),
        statement(MOST, [(&connection.workspace).into()]),
        notices::raised_of_connections(&connection.workspace, quota, connection.created_at_ms),
    ];
    statements.extend(secret.map(|secret| Statement {
        sql: INSERT_FIRST_SECRET,
        ..insert_secret(connection, secret, connection.created_at_ms)
    }));
    let results = run(control, statements).await?;
    match [0, 2, 3].map(|at| results[at].is_empty()) {
        [false, _, _] => Ok(()),
        [true, false, _] => {
            let msg = "There is a connection with this id";
            Err(Error::new(Kind::Conflict, msg).with_code(Code::Duplicate))
        }
        [true, true, false] => Err(connection_names::taken()),
        [true, true, true] => {
            let most: Option<Most> = row::first(row::rows(&results[4])?)?;
            Err(Error::quota(
                "workspace",
                "connections",
                most.and_then(|Most(most)| most).or(quota),
            ))
        }
    }
}

fn credentials_text(credentials: &SealedCredentials) -> String {
    serde_json::to_string(credentials).expect("a map of texts is JSON")
}

fn insert_secret(connection: &Connection, secret: &NewSecret, now_ms: i64) -> Statement {
    statement(
        INSERT_SECRET,
        [
            (&connection.workspace).into(),
            (&connection.id).into(),
            secret.number.into(),
            secret.sealed.as_text().into(),
            secret.set_by.as_str().into(),
            now_ms.into(),
            connection.version.into(),
        ],
    )
}

const UPDATE: &str = "\
    update connections set name = ?3, settings = ?4, credentials = ?5, hidden = ?6, \
      updated_at_ms = ?7, timeout_seconds = ?9, retry_schedule = ?10, ordering = ?11, \
      max_per_second = ?12, max_in_flight = ?13, name_key = ?14, version = version + 1 \
    where id = ?2 and workspace = ?1 and version = ?8 returning id";
const EXPIRE_SECRETS: &str = "\
    update connection_secrets set expires_at_ms = ?3 \
    where connection = \
        (select id from connections where id = ?2 and workspace = ?1 and version = ?4) \
      and (expires_at_ms is null or expires_at_ms > ?3)";

/// Stores a changed connection if it is still of its version; whether it was. A new signing secret
/// takes the place of the old ones at once. The version is changed last: all statements ask for it.
///
/// # Errors
/// `Conflict` when another connection of the workspace has its name: the index refuses the batch as
/// a whole then, secrets included. Else when CONTROL's answer is not known.
pub async fn update(
    control: &impl Database,
    connection: &Connection,
    secret: Option<&NewSecret>,
    change: Option<&NewChange>,
) -> Result<bool> {
    let [timeout, schedule, ordering, per_second, in_flight] = option_params(&connection.options);
    let mut statements = Vec::new();
    if let Some(secret) = secret {
        let now_ms = connection.updated_at_ms;
        let (workspace, id) = (&connection.workspace, &connection.id);
        let expire = [workspace.into(), id.into(), now_ms.into(), connection.version.into()];
        statements.push(statement(EXPIRE_SECRETS, expire));
        statements.push(insert_secret(connection, secret, now_ms));
    }
    statements.push(statement(
        UPDATE,
        [
            (&connection.workspace).into(),
            (&connection.id).into(),
            (&connection.name).into(),
            (&connection.settings).into(),
            credentials_text(&connection.credentials).into(),
            connection.hidden.into(),
            connection.updated_at_ms.into(),
            connection.version.into(),
            timeout,
            schedule,
            ordering,
            per_second,
            in_flight,
            connection_names::key(&connection.name).into(),
        ],
    ));
    let update = statements.len() - 1;
    statements.extend(change.map(changes::recorded));
    let results = match run(control, statements).await {
        Err(error) if error.is_refused_data() => {
            let named = run(
                control,
                vec![connection_names::is_taken(
                    &connection.workspace,
                    &connection.id,
                    &connection.name,
                )],
            )
            .await?;
            return Err(if named[0].is_empty() { error } else { connection_names::taken() });
        }
        results => results?,
    };
    Ok(!results[update].is_empty())
}

/// What a [`Connection`] is read from: `c` is the connection, `w` its workspace.
macro_rules! columns {
    () => {
        "select c.id, c.workspace, c.type as kind, c.name, c.settings, c.timeout_seconds, \
           c.retry_schedule, c.ordering, c.max_per_second, c.max_in_flight, c.credentials, \
           c.active, c.inactive_reason, c.failing_since_ms, c.warned_percent, c.hidden, \
           c.created_by, c.created_at_ms, c.updated_at_ms, c.version, \
           w.name as workspace_name, w.shard, \
           (select json_array(json_object('number', s.number, 'set_by', s.set_by, \
              'created_at_ms', s.created_at_ms, 'sealed', s.sealed)) \
            from connection_secrets s where s.connection = c.id order by s.number desc limit 1) \
              as newest_secret "
    };
}
pub(in crate::store) use columns;

const FIND: &str = concat!(
    columns!(),
    "from connections c join workspaces w on w.id = c.workspace \
     where c.id = ?2 and w.organization = ?1 and (?3 is null or w.id = ?3) \
       and (?4 = 0 or c.hidden = 0)"
);

/// A connection in this scope.
///
/// # Errors
/// `NotFound` when the scope has none with this id.
pub async fn find(control: &impl Database, scope: &Scope, connection: &str) -> Result<Connection> {
    let params = [
        (&scope.organization).into(),
        connection.into(),
        scope.workspace.clone().into(),
        scope.shown_only.into(),
    ];
    row::one(select(control, statement(FIND, params)).await?, "connection")
}

const SHOWN: &str = concat!(
    columns!(),
    "from workspaces w cross join connections c on c.workspace = w.id \
     where w.organization = ?1 and w.id = ?2 and c.hidden = 0 \
     order by c.workspace, c.created_at_ms, c.id limit ?3"
);
const ONE_SHOWN: &str = concat!(
    columns!(),
    "from connections c join workspaces w on w.id = c.workspace \
     where c.id = ?3 and w.organization = ?1 and w.id = ?2 and c.hidden = 0"
);

/// The connections of a workspace that pages show, oldest first.
pub fn shown(scope: &Scope) -> Query<Vec<Connection>> {
    let [organization, workspace] = workspace_params(scope);
    Query::new(SHOWN, [organization, workspace, CONNECTIONS_SHOWN_MAX.into()], all_rows)
}

/// A connection that pages show; `NotFound` when the scope's workspace has none with this id.
pub fn one_shown(scope: &Scope, connection: &str) -> Query<Connection> {
    let [organization, workspace] = workspace_params(scope);
    Query::new(ONE_SHOWN, [organization, workspace, connection.into()], |rows| {
        row::one(row::rows(rows)?, "connection")
    })
}

/// Organization and workspace of a scope.
pub fn workspace_params(scope: &Scope) -> [Param; 2] {
    [(&scope.organization).into(), scope.workspace.clone().into()]
}
