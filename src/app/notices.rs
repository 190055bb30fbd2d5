//! Notices to the operator of a product that no change in CONTROL goes with. The cron emits them,
//! see `upkeep/notices.rs`.

use serde_json::json;

use crate::domain::tenants::notice::Notice;
use crate::ports::Platform;
use crate::store::notices;

/// Keeps a notice. A failure is logged: what causes it comes again.
pub async fn raise<P: Platform>(platform: &P, notice: Notice) {
    let raised = notices::raise(platform.control(), &[notice], platform.now_ms()).await;
    if let Err(error) = raised {
        platform.log_event(&json!({"at": "notices", "error": error.to_string()}));
    }
}
