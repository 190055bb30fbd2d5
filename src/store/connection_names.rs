//! Names of connections in CONTROL: no two of a workspace have the same one.

use crate::domain::base::error::{Code, Error, Kind};
use crate::ports::Statement;
use crate::store::statement;

/// What of a connection's name no other one of its workspace may have: all but case and white
/// space.
pub fn key(name: &str) -> String {
    name.split_whitespace().collect::<String>().to_lowercase()
}

const IS_TAKEN: &str = "\
    select id from connections where workspace = ?1 and name_key = ?2 and id <> ?3";

/// Whether another connection of the workspace has this name: a row if so.
pub fn is_taken(workspace: &str, but: &str, name: &str) -> Statement {
    statement(IS_TAKEN, [workspace.into(), key(name).into(), but.into()])
}

/// The error then.
pub fn taken() -> Error {
    let msg = "is taken by another connection of this workspace, case and white space ignored";
    Error::field("name", msg).of_kind(Kind::Conflict).with_code(Code::NameTaken)
}
