//! Statistics.

use serde_json::json;

use crate::api::stats::DAYS;
use crate::reference::leaves::{count, external_id, id, leaf, matching, time, whole, words};
use crate::reference::operation::{Operation, get};
use crate::reference::retention::kept;
use crate::reference::shape::{Field, Names, Shape, closed, list_of, may, need};

fn tally() -> Vec<Field> {
    let rate = leaf(json!({"type": "number", "minimum": 0, "maximum": 1}), 0.9975);
    vec![
        need("pending", count(2)).says("Deliveries that are still owed, whatever their state."),
        need("completed", count(399)),
        need("failed", count(1)),
        need("canceled", count(0)),
        may("success_rate", rate)
            .shown()
            .says("The part of `completed` in `completed` and `failed`."),
        may("receiver_latency_ms", Shape::Named("Percentiles"))
            .shown()
            .says("Of the answers that delivered."),
        may("delivery_time_ms", Shape::Named("Percentiles"))
            .shown()
            .says("From the acceptance of the event, or its last replay, to its delivery."),
    ]
}

fn day() -> Field {
    need("day", matching("^\\d{4}-\\d{2}-\\d{2}$", "2026-10-01")).says("UTC.")
}

fn month() -> Shape {
    matching("^\\d{4}-\\d{2}$", "2026-10")
}

fn with(more: Vec<Field>) -> Shape {
    closed(more.into_iter().chain(tally()))
}

/// The shapes of statistics.
pub fn shapes() -> Names {
    let percentiles =
        closed([need("p50", count(70)), need("p95", count(200)), need("p99", count(300))]);
    let days = need("days", list_of(Shape::Named("DayCounts")));
    let usage = closed([
        need("workspace", id("workspace")),
        need("name", words("Acme Corp")),
        may("external_id", external_id("customer-1001")).shown(),
        need("month", month()),
        need("events", count(48_210)).says("Events that were emitted, test events among them."),
        need("deliveries", count(51_377)).says("Deliveries that they owed, whatever came of them."),
    ]);
    vec![
        ("Usage", usage),
        ("Counts", closed(tally())),
        ("DayCounts", with(vec![day()])),
        ("ConnectionCounts", with(vec![need("connection", id("connection")), days])),
        ("WorkspaceCounts", with(vec![need("workspace", id("workspace"))])),
        ("Percentiles", percentiles),
    ]
}

fn stats(key: &'static str, of: &'static str) -> Vec<Field> {
    vec![
        may("as_of", time())
            .shown()
            .says("All that happened before is counted; not there before the first counting."),
        need("since", time()).says("The beginning of the first day."),
        need("total", Shape::Named("Counts")),
        need("days", list_of(Shape::Named("DayCounts"))),
        need(key, list_of(Shape::Named(of))),
    ]
}

/// What the reference says of the rows of statistics.
pub fn operations() -> Vec<Operation> {
    let days = || {
        let Shape::Leaf(mut schema, example) = whole(1, DAYS.1, DAYS.0) else { return count(7) };
        schema["default"] = DAYS.0.into();
        Shape::Leaf(schema, example)
    };
    let about = "How many days, today included.";
    vec![
        get("/api/v1/workspaces/:id/stats", "get_workspace_stats", "Get a workspace's statistics")
            .says(
                "A delivery counts for the day on which its event was accepted. The counting runs \
                 beside the deliveries, every 15 minutes and longer where there is much to count.",
            )
            .query("days", days(), about)
            .answers(
                200,
                "In total, by day, and by connection and day.",
                closed(stats("connections", "ConnectionCounts").into_iter().chain(kept())),
            )
            .problems(&[422]),
        get("/api/v1/stats", "get_stats", "Get the organization's statistics")
            .says("Over an organization of at most 100 workspaces; of more it is 422.")
            .query("days", days(), about)
            .answers(
                200,
                "In total, by day, and by workspace.",
                closed(stats("workspaces", "WorkspaceCounts")),
            )
            .problems(&[422]),
        get("/api/v1/usage", "list_usage", "List what each workspace used in a month")
            .says(
                "For billing. Months are those of UTC; counted are events after a quarter of an \
                 hour, deliveries as in the statistics.",
            )
            .lists("By name of the workspace.", Shape::Named("Usage"))
            .query("month", month(), "The month; without it the present one."),
    ]
}
