//! Lists of events while LOG is behind the intake.

use serde_json::{Value, json};

use crate::edge::{Edge, Fault, Weather};
use crate::intakes::{FLUSHED_WITHIN_MS, MINUTE_MS, URL, world};
use crate::tenant::{Tenant, text};
use crate::visit::Visitor;

/// Lists that begin with the newest have what waits flushed first; pages say where that failed.
#[test]
fn a_list_begins_with_what_was_accepted_just_now_or_says_that_it_lags() {
    let (edge, tenant) = world();
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "owner"}));
    let connections =
        tenant.get(&edge, &format!("/api/v1/workspaces/{}/connections", tenant.workspace));
    let connection = text(&connections, "/records/0/id");
    let lists = [
        format!("/api/v1/workspaces/{}/events", tenant.workspace),
        "/api/v1/events".to_owned(),
        format!("/api/v1/connections/{connection}/deliveries"),
        format!("/api/v1/workspaces/{}/history", tenant.workspace),
    ];
    let pages = ["dashboard", "events", "failed", &format!("connections/{connection}")];
    let lag = "Some of the newest events may not be shown yet";
    let not_flushed = || {
        edge.run_for(1_000);
        edge.logs[0].fail_next(&[Some(Fault::Before), Some(Fault::Before)]);
        let event = tenant.emit(&edge, "order.completed");
        edge.run_for(FLUSHED_WITHIN_MS);
        assert_eq!(edge.intakes.waiting(), 1);
        event
    };
    for list in &lists {
        let event = not_flushed();
        let found = tenant.get(&edge, list).to_string();
        assert!(found.contains(&event), "{list}: {found}");
    }
    for below in pages.into_iter().chain(["events/export"]) {
        let event = not_flushed();
        let page = visitor.get(&edge, below).text;
        assert!(!page.contains(lag) && edge.intakes.waiting() == 0, "{below}: {page}");
        assert!(page.contains(&event) || below == "failed", "{below}: {page}");
    }
    // LOG takes nothing, and can be read; or the intake cannot be reached.
    edge.logs[0].set_weather(Weather::ReadOnly);
    tenant.emit(&edge, "order.completed");
    for below in pages {
        let page = visitor.get(&edge, below);
        assert!(page.status == 200 && page.text.contains(lag), "{below}: {}", page.text);
    }
    assert_eq!(tenant.call(&edge, "GET", &lists[0], &Value::Null).status, 200);
    assert_eq!(tenant.call(&edge, "GET", &lists[3], &Value::Null).status, 503, "it is to be whole");
    edge.logs[0].set_weather(Weather::Up);
    edge.run_for(MINUTE_MS);
    edge.intakes.is_unreachable.set(true);
    assert!(visitor.get(&edge, "events").text.contains(lag));
    let german = Visitor::launched(&edge, &tenant, json!({"role": "owner"}), "&locale=de");
    assert!(german.get(&edge, "events").text.contains("Einige der neuesten Ereignisse"));
    edge.intakes.is_unreachable.set(false);
    assert!(!visitor.get(&edge, "events").text.contains(lag));
}

#[test]
fn a_page_asks_its_intake_once_and_the_databases_no_more_than_three_times() {
    for intakes in [0, 2] {
        let edge = Edge::with_settings(|settings| settings.intakes = intakes);
        let tenant = Tenant::new(&edge, "Acme");
        let (connection, _) = tenant.route(&edge, "order.completed", json!({"url": URL}));
        tenant.emit(&edge, "order.completed");
        edge.run_for(5_000);
        let visitor = Visitor::new(&edge, &tenant, json!({"role": "owner"}));
        let counts = || {
            let reads = edge.control.round_trips.get() + edge.logs[0].round_trips.get();
            (reads, edge.intakes.requests.get())
        };
        for below in ["dashboard", "events", "failed", &format!("connections/{connection}")] {
            let before = counts();
            assert_eq!(visitor.get(&edge, below).status, 200);
            let (reads, asked) = (counts().0 - before.0, counts().1 - before.1);
            assert!(reads <= 3, "{below}: {reads}");
            assert_eq!(asked, usize::from(intakes > 0), "{below}");
        }
    }
}
