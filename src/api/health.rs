//! Whether the installation answers.

use serde_json::json;

use crate::domain::base::error::Result;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// `GET /health`: the Worker runs and CONTROL answers.
pub async fn get<P: Platform>(_: &P, _: &Call) -> Result<Reply> {
    Ok(Reply::ok(&json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")})))
}
