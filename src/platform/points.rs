//! Points for Workers Analytics Engine, where the binding `ATTEMPTS` is there: one for each
//! attempt, made of its log line.

use serde_json::Value;
use worker::{AnalyticsEngineDataPointBuilder, AnalyticsEngineDataset, Env};

/// The data set, if there is one.
pub struct Points(Option<AnalyticsEngineDataset>);

impl Points {
    /// Opens the binding.
    pub fn open(env: &Env) -> Self {
        Self(env.analytics_engine("ATTEMPTS").ok())
    }

    /// Writes the point of a log line about an attempt; others have none. A point that is lost is
    /// one point.
    pub fn write(&self, line: &Value) {
        let Some(set) = self.0.as_ref().filter(|_| line["at"] == "attempt") else { return };
        let word = |key: &str| line[key].as_str().unwrap_or_default();
        let number = |key: &str| line[key].as_f64().unwrap_or_default();
        let words = ["workspace", "connection", "outcome", "state"].map(word);
        let numbers = ["duration_ms", "status", "attempt"].map(number);
        let point = AnalyticsEngineDataPointBuilder::new()
            .indexes([word("workspace")])
            .blobs(words)
            .doubles(numbers);
        let _ = point.write_to(set);
    }
}
