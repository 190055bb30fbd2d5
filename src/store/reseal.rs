//! Sealed values in CONTROL: how many each master key has sealed, and sealing them anew.
//!
//! A value is replaced only if it is still the one that was read, so nothing that is saved at the
//! same time is lost. The record's version stays: what it shows is the same.

use serde_json::{Value, json};
use strum::{EnumString, IntoStaticStr, VariantArray};

use crate::domain::base::error::Result;
use crate::domain::base::limits::RESEALED_AT_ONCE;
use crate::ports::Database;
use crate::store::row::{self, FromRow, Row};
use crate::store::{run, select, statement};

/// Master keys of which the values are counted: an installation has two for a while.
const KEYS_COUNTED: usize = 10;

/// What holds a sealed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub enum Holder {
    /// A machine key: its secret.
    MachineKey,
    /// A connection: one of its signing secrets.
    SigningSecret,
    /// A connection: its credentials, a JSON object of sealed values.
    Credentials,
}

/// A record with a sealed value, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub holder: Holder,
    /// Whose it is: an organization of a machine key, else a workspace.
    pub owner: String,
    /// Its id.
    pub id: String,
    /// The number of a signing secret.
    pub number: u32,
    /// What is stored.
    pub text: String,
}

impl FromRow for Record {
    fn from_row(row: &mut Row) -> Self {
        Self {
            holder: row.word("holder"),
            owner: row.text("owner"),
            id: row.text("id"),
            number: row.int("number"),
            text: row.text("text"),
        }
    }
}

/// How many values a master key has sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyCount {
    /// The id of the key.
    pub key: String,
    /// So many values.
    pub values: i64,
}

/// The id of the master key in a sealed text (`s1.<key id>.<rest>`).
macro_rules! key_of {
    ($text:literal) => {
        concat!("substr(", $text, ", 4, instr(substr(", $text, ", 4), '.') - 1)")
    };
}

/// Of what can be opened: revoked machine keys and signing secrets that sign no more are not. It
/// goes through each table along its key.
const COUNT: &str = concat!(
    "with lines(key) as ( \
       select ",
    key_of!("secret_sealed"),
    " from machine_keys where access_key > '' and revoked_at_ms is null \
       union all \
       select ",
    key_of!("s.sealed"),
    " from connection_secrets s cross join connections c on c.id = s.connection \
       where s.connection > '' and (s.expires_at_ms is null or s.expires_at_ms > ?1) \
       union all \
       select ",
    key_of!("j.value"),
    " from connections c cross join json_each(c.credentials) j where c.id > '') \
     select (select count(*) from lines where key = ?2) as n, \
       (select min(key) from lines where key > ?2) as next"
);

/// How many values each master key has sealed, by the ids of the keys.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn counts(control: &impl Database, now_ms: i64) -> Result<Vec<KeyCount>> {
    struct One(i64, Option<String>);
    impl FromRow for One {
        fn from_row(row: &mut Row) -> Self {
            Self(row.int("n"), row.maybe_text("next"))
        }
    }
    let (mut counts, mut key) = (Vec::new(), String::new());
    loop {
        let params = [now_ms.into(), (&key).into()];
        let One(values, next) =
            row::one(select(control, statement(COUNT, params)).await?, "count")?;
        if !key.is_empty() {
            counts.push(KeyCount { key, values });
        }
        match next.filter(|_| counts.len() < KEYS_COUNTED) {
            Some(next) => key = next,
            None => return Ok(counts),
        }
    }
}

const FIND: &str = concat!(
    "select 'machine_key' as holder, organization as owner, access_key as id, 0 as number, \
       secret_sealed as text \
     from machine_keys where access_key > '' and revoked_at_ms is null and ",
    key_of!("secret_sealed"),
    " in (select value from json_each(?1)) \
     union all \
     select 'signing_secret', c.workspace, c.id, s.number, s.sealed \
     from connection_secrets s cross join connections c on c.id = s.connection \
     where s.connection > '' and (s.expires_at_ms is null or s.expires_at_ms > ?2) and ",
    key_of!("s.sealed"),
    " in (select value from json_each(?1)) \
     union all \
     select 'credentials', c.workspace, c.id, 0, c.credentials from connections c \
     where c.id > '' and exists (select 1 from json_each(c.credentials) j where ",
    key_of!("j.value"),
    " in (select value from json_each(?1))) \
     limit ?3"
);

/// Some of the records with values that these master keys have sealed.
///
/// # Errors
/// When CONTROL does not answer.
pub async fn find(control: &impl Database, keys: &[&str], now_ms: i64) -> Result<Vec<Record>> {
    let params = [json!(keys).to_string().into(), now_ms.into(), RESEALED_AT_ONCE.into()];
    row::all(select(control, statement(FIND, params)).await?)
}

const PUT_MACHINE_KEYS: &str = "\
    update machine_keys set secret_sealed = j.value ->> 4 from json_each(?1) j \
    where access_key = j.value ->> 1 and organization = j.value ->> 0 \
      and secret_sealed = j.value ->> 3 returning access_key";
const PUT_SIGNING_SECRETS: &str = "\
    update connection_secrets set sealed = j.value ->> 4 from json_each(?1) j \
    where connection = j.value ->> 1 and number = j.value ->> 2 and sealed = j.value ->> 3 \
      and exists (select 1 from connections c \
        where c.id = j.value ->> 1 and c.workspace = j.value ->> 0) returning connection";
const PUT_CREDENTIALS: &str = "\
    update connections set credentials = j.value ->> 4 from json_each(?1) j \
    where connections.id = j.value ->> 1 and workspace = j.value ->> 0 \
      and credentials = j.value ->> 3 returning connections.id";

/// Stores what was sealed anew, beside each record as it was read; how many records took it.
///
/// # Errors
/// When CONTROL's answer is not known.
pub async fn put(control: &impl Database, resealed: &[(Record, String)]) -> Result<usize> {
    let rows_of = |holder: Holder| -> Vec<Value> {
        let of_it = resealed.iter().filter(|(record, _)| record.holder == holder);
        let row = |(Record { owner, id, number, text, .. }, new): &(Record, String)| {
            json!([owner, id, number, text, new])
        };
        of_it.map(row).collect()
    };
    let holders = [
        (Holder::MachineKey, PUT_MACHINE_KEYS),
        (Holder::SigningSecret, PUT_SIGNING_SECRETS),
        (Holder::Credentials, PUT_CREDENTIALS),
    ];
    let statements = holders.into_iter().filter_map(|(holder, sql)| {
        let rows = rows_of(holder);
        (!rows.is_empty()).then(|| statement(sql, [Value::from(rows).to_string().into()]))
    });
    let results = run(control, statements.collect()).await?;
    let counted = results.iter().map(|rows| row::rows(rows).map(|rows| rows.len()));
    counted.sum()
}
