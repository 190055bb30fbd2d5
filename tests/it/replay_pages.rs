//! Replays as customers see them: counting, agreeing, watching, stopping.

use posthorn::domain::base::limits::{REPLAY_DELIVERIES_MAX, REPLAY_STEP};
use posthorn::domain::base::time::{DAY_MS, MINUTE_MS, rfc3339};
use posthorn::ports::Clock;
use serde_json::json;

use crate::failed::{HOOK, location, send, with, world};
use crate::tenant::Answered;

/// The hidden fields of the form that confirms a replay.
fn confirmation(page: &Answered) -> Vec<(&'static str, String)> {
    let form =
        page.text.split("<form method=\"post\"").find(|form| form.contains("name=\"count\""));
    let form = form.unwrap_or_else(|| panic!("nothing to confirm: {}", page.text));
    let value = |name: &str| {
        let rest = form.split_once(&format!("name=\"{name}\" value=\"")).expect(name).1;
        rest.split('"').next().expect("its end").to_owned()
    };
    ["connection", "event", "since", "until", "id", "count"].map(|name| (name, value(name))).into()
}

#[test]
fn what_died_is_shown_counted_sent_again_and_watched() {
    let world = world();
    let edge = &world.edge;
    let ids = world.failed("x", REPLAY_STEP + 5);
    let visitor = world.visitor(json!({"role": "member"}));
    let page = visitor.get(edge, "failed");
    for word in ["abort-message", "Answered 500", "class=\"wide\">1<", "Send again", "Send many"] {
        assert!(page.text.contains(word), "{word}: {}", page.text);
    }

    world.mend();
    let preview = send(&world, &visitor, "replays/new", &world.range());
    assert_eq!(preview.status, 200, "{}", preview.text);
    assert!(!preview.text.contains("are held until it is resumed"), "{}", preview.text);
    assert!(preview.text.contains("105 deliveries") && preview.text.contains("about 2 s"));
    assert_eq!(edge.logs[0].ask("select count(*) from replays"), [json!(0)]);
    let agreed = confirmation(&preview);
    let first = location(&send(&world, &visitor, "replays", &agreed), &visitor);
    edge.run_for(1_000);
    let again = location(&send(&world, &visitor, "replays", &agreed), &visitor);
    assert_eq!(first, again, "a form that is sent twice makes one replay");
    assert_eq!(edge.logs[0].ask("select count(*) from replays"), [json!(1)]);

    let page = visitor.get(edge, &first);
    assert!(page.text.contains("100 of 105 sent again") && page.text.contains(">Stop<"));
    edge.run_for(MINUTE_MS);
    let page = visitor.get(edge, &first);
    assert!(page.text.contains("105 of 105 sent again") && !page.text.contains(">Stop<"));
    assert!(page.text.contains("All of them were sent again"), "{}", page.text);
    assert_eq!([world.count("delivered"), world.count("failed")], [json!(105), json!(0)]);
    let seen = edge.receivers.seen(HOOK);
    assert_eq!(seen.len(), ids.len() * 2);
    let listed = visitor.get(edge, "replays");
    assert!(listed.text.contains("105 deliveries") && listed.text.contains("Completed"));
    assert!(visitor.get(edge, "failed").text.contains("No failed deliveries"));
}

#[test]
fn a_replay_is_stopped_and_what_it_had_not_come_to_stays_failed() {
    let world = world();
    let edge = &world.edge;
    world.failed("x", REPLAY_STEP + 5);
    world.mend();
    let visitor = world.visitor(json!({}));
    let preview = send(&world, &visitor, "replays/new", &world.range());
    let page = location(&send(&world, &visitor, "replays", &confirmation(&preview)), &visitor);
    edge.run_for(1_000);
    let poll = visitor.poll(edge, &page).expect("a page that is kept up to date");
    assert_eq!(visitor.get(edge, &poll).json()["busy"], json!(true));
    let stopped = location(&visitor.post(edge, &format!("{page}/stop"), &[]), &visitor);
    edge.run_for(MINUTE_MS);
    let page = visitor.get(edge, &stopped).text;
    assert!(
        page.contains("Deliveries not yet reached were not changed") && page.contains("100 of 105"),
        "{page}"
    );
    assert_eq!(visitor.get(edge, &poll).json()["busy"], json!(false));
    assert_eq!([world.count("delivered"), world.count("failed")], [json!(100), json!(5)]);
}

#[test]
fn another_count_is_shown_before_anything_is_sent() {
    let world = world();
    let edge = &world.edge;
    world.failed("x", 3);
    let visitor = world.visitor(json!({}));
    let preview = send(&world, &visitor, "replays/new", &world.range());
    let agreed = confirmation(&preview);
    world.failed("y", 2);
    world.mend();
    let asked = send(&world, &visitor, "replays", &agreed);
    assert_eq!(asked.status, 409, "{}", asked.text);
    assert!(asked.text.contains("The number has changed") && asked.text.contains("5 deliveries"));
    assert_eq!(edge.logs[0].ask("select count(*) from replays"), [json!(0)]);
    let made = send(&world, &visitor, "replays", &confirmation(&asked));
    assert!(visitor.get(edge, &location(&made, &visitor)).text.contains("0 of 5 sent again"));

    // A form without a count was agreed to by nobody; without its id it is none of ours.
    let other = with(agreed, &[("count", ""), ("id", &world.connection)]);
    assert_eq!(send(&world, &visitor, "replays", &other).status, 409);
    assert_eq!(send(&world, &visitor, "replays", &with(other, &[("id", "")])).status, 404);
    assert_eq!(edge.logs[0].ask("select count(*) from replays"), [json!(1)]);
    // Once all of it is sent again, there is nothing to agree to.
    edge.run_for(MINUTE_MS);
    world.mend();
    let late = with(confirmation(&asked), &[("id", &world.connection)]);
    let late = send(&world, &visitor, "replays", &late);
    assert!(late.status == 409 && late.text.contains("2 deliveries"), "{}", late.text);
}

#[test]
fn the_form_says_what_is_wrong_and_keeps_what_was_entered() {
    let world = world();
    let (edge, visitor) = (&world.edge, world.visitor(json!({})));
    let id = world.failed("x", 1).remove(0);
    let minute = |ms: i64| rfc3339(edge.now_ms() + ms)[..16].to_owned();
    let (early, late) = (minute(-15 * DAY_MS), minute(-2 * 60 * MINUTE_MS));
    for (others, status, param, told) in [
        (vec![("since", early.as_str())], 422, "until", "at most 14 days"),
        (vec![("until", &late)], 400, "until", "must be later than the start"),
        (vec![("since", "soon")], 400, "since", "must be a date and a time"),
        (vec![("until", "")], 400, "until", "must be a date and a time"),
        (vec![("event", "no*name")], 400, "event", ""),
        (vec![("connection", "x")], 400, "connection", "choose one"),
    ] {
        let fields = with(world.range(), &others);
        for below in ["replays/new", "replays"] {
            let fields = with(fields.clone(), &[("id", &id), ("count", "1")]);
            let page = send(&world, &visitor, below, &fields);
            assert_eq!(page.status, status, "{others:?}: {}", page.text);
            let bad = page.text.split("data-bad").nth(1).expect("a bad field");
            let bad = bad.split("class=\"field\"").next().expect("its end");
            assert!(bad.contains(&format!("id=\"{param}\"")) && bad.contains(told), "{bad}");
            assert_eq!(page.text.matches("data-bad").count(), 1, "{others:?}");
            let kept = format!("value=\"{}\"", others[0].1);
            assert!(others[0].0 == "connection" || page.text.contains(&kept), "{kept}");
        }
    }
    let none = send(&world, &visitor, "replays/new", &with(world.range(), &[("event", "z")]));
    assert_eq!(none.status, 200);
    assert!(
        none.text.contains("There are no such deliveries in this")
            && none.text.contains("value=\"z\"")
    );
    world.copies(&id, REPLAY_DELIVERIES_MAX);
    let page = send(&world, &visitor, "replays/new", &world.range());
    assert_eq!(page.status, 422, "{}", page.text);
    assert!(page.text.contains("10001 deliveries are in this range"), "{}", page.text);
}

#[test]
fn a_session_of_the_overview_sees_and_sends_none() {
    let world = world();
    let edge = &world.edge;
    world.failed("x", 1);
    let reader = world.visitor(json!({"session_type": "dashboard", "role": "owner"}));
    let visitor = world.visitor(json!({}));
    let preview = send(&world, &visitor, "replays/new", &world.range());
    let agreed = confirmation(&preview);
    assert_eq!(send(&world, &reader, "replays", &agreed).status, 404);
    let made = location(&send(&world, &visitor, "replays", &agreed), &visitor);
    for below in ["failed", "replays", &made] {
        assert_eq!(reader.get(edge, below).status, 404, "{below}");
    }
}

#[test]
fn the_count_says_what_will_be_held() {
    let world = world();
    let (edge, visitor) = (&world.edge, world.visitor(json!({})));
    world.failed("x", 1);
    world.failed("y", 1);
    let at = format!("/api/v1/connections/{}/deactivate", world.other);
    assert_eq!(world.tenant.call(edge, "POST", &at, &json!({})).status, 200);
    let shown = |connection: &str| {
        let fields = with(world.range(), &[("connection", connection)]);
        send(&world, &visitor, "replays/new", &fields).text.contains("are held until it is resumed")
    };
    assert_eq!(["", &world.connection, &world.other].map(shown), [true, false, true]);
}

/// Page finding: recover since a moment, also what was canceled, delivered or is missing.
#[test]
fn what_was_canceled_delivered_or_is_missing_can_be_sent_again_too() {
    let world = world();
    let (edge, visitor) = (&world.edge, world.visitor(json!({"role": "admin"})));
    world.mend();
    world.tenant.emit(edge, "x");
    edge.run_for(2_000);
    edge.receivers.script(HOOK, |_| crate::edge::Reply::status(500));
    let canceled = world.tenant.emit(edge, "x");
    edge.run_for(2_000);
    let cancel = format!("events/{canceled}/rules/{}/cancel", world.rule);
    assert_eq!(visitor.post(edge, &cancel, &[]).status, 303);
    world.tenant.emit(edge, "z");
    world.tenant.rule(edge, "z", &world.connection);
    world.mend();
    for (status, told) in [
        ("canceled", "that were canceled"),
        ("completed", "that were delivered"),
        ("missing", "that are missing"),
    ] {
        let fields = with(world.range(), &[("status", status)]);
        let preview = send(&world, &visitor, "replays/new", &fields);
        assert!(preview.text.contains("1 delivery") && preview.text.contains(told), "{status}");
        let agreed = with(confirmation(&preview), &[("status", status)]);
        assert!(preview.text.contains(&format!("name=\"status\" value=\"{status}\"")));
        let made = send(&world, &visitor, "replays", &agreed);
        assert_eq!(made.status, 303, "{status}: {}", made.text);
    }
    edge.run_for(MINUTE_MS);
    assert_eq!([world.count("delivered"), world.count("canceled")], [json!(3), json!(0)]);
    assert_eq!(edge.receivers.seen(HOOK).len(), 5, "two, one of them failed, and each once more");
    let wrong = with(world.range(), &[("status", "held")]);
    let page = send(&world, &visitor, "replays/new", &wrong);
    assert!(page.status == 400 && page.text.contains("href=\"#status\""), "{}", page.text);
    let at = format!("replays/new?connection={}&status=canceled", world.connection);
    let page = visitor.get(edge, &at).text;
    for chosen in [world.connection.as_str(), "canceled"] {
        assert!(page.contains(&format!("value=\"{chosen}\" selected")), "{chosen}: {page}");
    }
}
