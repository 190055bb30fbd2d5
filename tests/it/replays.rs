//! Replaying what died or was delivered in a range of time.

use posthorn::domain::base::limits::{REPLAY_DELIVERIES_MAX, REPLAY_STEP, REPLAY_STEP_S};
use posthorn::domain::base::time::{DAY_MS, MINUTE_MS, rfc3339};
use posthorn::ports::Clock;
use serde_json::{Value, json};

use crate::edge::{Edge, Fault, Reply, START_MS};
use crate::tenant::{Answered, Tenant, text};

const HOOK: &str = "https://hooks.example.com/a";
const OTHER: &str = "https://hooks.example.com/b";
const STEP_MS: i64 = REPLAY_STEP_S as i64 * 1_000;

/// A tenant whose endpoint fails until it is mended, and gives up after one attempt more.
struct World {
    edge: Edge,
    tenant: Tenant,
    connection: String,
    rule: String,
}

fn world(more: Value) -> World {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let mut metadata = json!({"url": HOOK, "retry_schedule_seconds": [1]});
    for (name, value) in more.as_object().expect("an object") {
        metadata[name] = value.clone();
    }
    let (connection, rule) = tenant.route(&edge, "x", metadata);
    edge.receivers.script(HOOK, |_| Reply::status(500));
    World { edge, tenant, connection, rule }
}

impl World {
    fn mend(&self) {
        self.edge.receivers.script(HOOK, |_| Reply::status(200));
    }

    /// Emits this many events, one each millisecond; their ids.
    fn emit(&self, count: usize) -> Vec<String> {
        let one = |_| {
            self.edge.advance_to(self.edge.now_ms() + 1);
            self.tenant.emit(&self.edge, "x")
        };
        (0..count).map(one).collect()
    }

    /// Emits this many events that die; their ids. Who dies of what is for other tests to say.
    fn failed(&self, count: usize) -> Vec<String> {
        let ids = self.emit(count);
        let log = &self.edge.logs[0];
        self.edge.queue.clear();
        let died = log.execute(
            "update deliveries set state = 'failed', open = 0, due_at_ms = null, \
             sweep_at_ms = null, attempts = 2, reason = 'attempts_used_up' where open = 1",
        );
        assert_eq!(died, count);
        ids
    }

    /// The first hour of the test, with these fields more.
    fn range(&self, more: Value) -> Value {
        let mut body =
            json!({"since": rfc3339(START_MS), "until": rfc3339(START_MS + 60 * MINUTE_MS)});
        for (name, value) in more.as_object().expect("an object") {
            body[name] = value.clone();
        }
        body
    }

    fn ask(&self, more: Value) -> Answered {
        let path = format!("/api/v1/workspaces/{}/replays", self.tenant.workspace);
        self.tenant.call(&self.edge, "POST", &path, &self.range(more))
    }

    fn preview(&self, more: Value) -> Value {
        let mut more = more;
        more["dry_run"] = json!(true);
        let answer = self.ask(more);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["count"].clone()
    }

    /// Creates a replay; its id.
    fn replay(&self, more: Value) -> String {
        let answer = self.ask(more);
        assert_eq!(answer.status, 201, "{}", answer.text);
        text(&answer.json(), "/replay/id")
    }

    fn found(&self, replay: &str) -> Value {
        self.tenant.get(&self.edge, &format!("/api/v1/replays/{replay}"))
    }

    /// The events that the endpoint was sent, in the order in which it was.
    fn sent(&self) -> Vec<String> {
        let seen = self.edge.receivers.seen(HOOK);
        seen.iter().map(|seen| seen.header("posthorn-event-id").to_owned()).collect()
    }

    fn count(&self, state: &str) -> Value {
        let sql = format!("select count(*) from deliveries where state = '{state}'");
        self.edge.logs[0].ask(&sql)[0].clone()
    }
}

fn sorted(mut ids: Vec<String>) -> Vec<String> {
    ids.sort();
    ids
}

#[test]
fn the_preview_equals_what_is_sent_while_others_die() {
    let world = world(json!({}));
    let edge = &world.edge;
    let chosen = world.failed(REPLAY_STEP * 2 + 50);
    assert_eq!(world.preview(json!({})), json!(250));
    let replay = world.replay(json!({}));
    let shown = world.found(&replay);
    for (key, expected) in [
        ("status", json!("running")),
        ("replays", json!("failed")),
        ("count", json!(250)),
        ("replayed", json!(0)),
        ("workspace", json!(world.tenant.workspace)),
        ("since", json!(rfc3339(START_MS))),
        ("created_at", json!(rfc3339(edge.now_ms()))),
        ("connection", Value::Null),
    ] {
        assert_eq!(shown[key], expected, "{key}");
    }
    // These are in the range and failed before the replay came to its end.
    world.mend();
    edge.run_for(10);
    let others = world.failed_beside(30);
    edge.run_for(2 * MINUTE_MS);
    assert_eq!(sorted(world.sent()), sorted(chosen));
    assert_eq!(world.count("failed"), json!(others.len()));
    let done = world.found(&replay);
    assert_eq!([&done["status"], &done["replayed"]], [&json!("done"), &json!(250)]);
    assert!(done["completed_at"].is_string(), "{done}");
    assert_eq!(edge.logs[0].ask("select count(*) from replay_steps"), [json!(0)]);
}

impl World {
    /// Events that die while others are under way.
    fn failed_beside(&self, count: usize) -> Vec<String> {
        let ids = self.emit(count);
        let set: Vec<String> = ids.iter().map(|id| format!("'{id}'")).collect();
        self.edge.logs[0].execute(&format!(
            "update deliveries set state = 'failed', open = 0, due_at_ms = null, \
             sweep_at_ms = null, attempts = 2 where event in ({})",
            set.join(",")
        ));
        ids
    }
}

#[test]
fn it_goes_step_by_step_oldest_first_and_each_is_signed_afresh() {
    let world = world(json!({}));
    let edge = &world.edge;
    let mut chosen = Vec::new();
    for _ in 0..3 {
        chosen.extend(world.failed(REPLAY_STEP));
        edge.run_for(1_000);
    }
    world.mend();
    let begun_ms = edge.now_ms();
    world.replay(json!({}));
    edge.run_for(MINUTE_MS);
    let seen = edge.receivers.seen(HOOK);
    assert_eq!(seen.len(), chosen.len());
    for (step, of_step) in seen.chunks(REPLAY_STEP).enumerate() {
        let ids = of_step.iter().map(|seen| seen.header("posthorn-event-id").to_owned());
        let expected = &chosen[step * REPLAY_STEP..(step + 1) * REPLAY_STEP];
        assert_eq!(sorted(ids.collect()), expected, "step {step}");
        let due_ms = begun_ms + step as i64 * STEP_MS;
        assert!(of_step.iter().all(|seen| seen.at_ms >= due_ms), "step {step}");
    }
    // The schedule begins anew, the number of the attempt goes on, and so does who asked.
    assert_eq!(seen[0].header("posthorn-attempt"), "3");
    let attempts = world.tenant.attempts(edge, &chosen[0], &world.rule);
    let key = json!(format!("machine_key:{}", world.tenant.access_key));
    assert_eq!(attempts.last().expect("an attempt")["asked_by"], key);
}

#[test]
fn steps_go_through_all_connections_oldest_first() {
    let world = world(json!({}));
    let log = &world.edge.logs[0];
    world.tenant.route(&world.edge, "x", json!({"url": OTHER}));
    let events = world.emit(REPLAY_STEP + 1);
    let died = "update deliveries set state = 'failed', open = 0, due_at_ms = null, \
                sweep_at_ms = null, attempts = 2";
    assert_eq!(log.execute(died), events.len() * 2);
    world.replay(json!({}));
    let steps = "select j.value ->> 1 from replay_steps s, json_each(s.deliveries) j \
                 order by s.number, j.key";
    let twice: Vec<Value> = events.iter().flat_map(|id| [json!(id), json!(id)]).collect();
    assert_eq!(log.ask(steps), twice);
}

#[test]
fn only_what_fits_is_replayed() {
    let world = world(json!({}));
    let (edge, tenant) = (&world.edge, &world.tenant);
    let (second, _) = tenant.route(edge, "y", json!({"url": OTHER}));
    world.failed(3);
    edge.run_for(10 * MINUTE_MS);
    tenant.emit(edge, "y");
    edge.run_for(1_000);
    let since = rfc3339(START_MS + MINUTE_MS);
    for (more, expected) in [
        (json!({}), 3),
        (json!({"status": "completed"}), 1),
        (json!({"connection": world.connection}), 3),
        (json!({"connection": second}), 0),
        (json!({"connection": second, "status": "completed"}), 1),
        (json!({"event": "x"}), 3),
        (json!({"event": "y"}), 0),
        (json!({"event": "y", "status": "completed"}), 1),
        (json!({"since": since}), 0),
        (json!({"since": since, "status": "completed"}), 1),
        (json!({"until": since, "status": "completed"}), 0),
    ] {
        assert_eq!(world.preview(more.clone()), json!(expected), "{more}");
    }
    let replay = world.replay(json!({"connection": second, "event": "y", "status": "completed"}));
    let shown = world.found(&replay);
    assert_eq!([&shown["connection"], &shown["event"]], [&json!(second), &json!("y")]);
    edge.run_for(1_000);
    assert_eq!((edge.receivers.seen(OTHER).len(), world.sent().len()), (2, 0));
    // One of nothing is done at once.
    let nothing = world.replay(json!({"event": "z"}));
    assert_eq!(world.found(&nothing)["status"], "done");
    let list = format!("/api/v1/workspaces/{}/replays?limit=1", tenant.workspace);
    let page = tenant.get(edge, &list);
    assert_eq!(page["records"][0]["id"], json!(nothing), "the newest first");
    let next = format!("{list}&cursor={}", text(&page, "/next_cursor"));
    assert_eq!(tenant.get(edge, &next)["records"][0]["id"], json!(replay));
}

#[test]
fn what_was_canceled_is_sent_after_all() {
    let world = world(json!({}));
    let ids = world.emit(3);
    let path = format!("/api/v1/workspaces/{}/cancellations", world.tenant.workspace);
    let canceled = world.tenant.call(&world.edge, "POST", &path, &world.range(json!({})));
    assert_eq!((canceled.status, canceled.json()["count"].clone()), (200, json!(3)));
    world.edge.run_for(MINUTE_MS);
    assert_eq!(world.sent(), [""; 0]);
    world.mend();
    assert_eq!(world.preview(json!({})), 0, "what failed is another thing");
    assert_eq!(world.preview(json!({"status": "canceled"})), 3);
    let replay = world.replay(json!({"status": "canceled"}));
    world.edge.run_for(MINUTE_MS);
    assert_eq!((world.found(&replay)["replays"].clone(), world.sent()), (json!("canceled"), ids));
    assert_eq!(world.count("delivered"), 3);
}

#[test]
fn canceling_stops_it_where_it_is() {
    let world = world(json!({}));
    let edge = &world.edge;
    world.failed(REPLAY_STEP * 3);
    world.mend();
    let replay = world.replay(json!({}));
    edge.run_for(STEP_MS + 500);
    let path = format!("/api/v1/replays/{replay}");
    let canceled = world.tenant.call(edge, "DELETE", &path, &json!({})).json();
    let replayed = REPLAY_STEP * 2;
    assert_eq!(
        [&canceled["status"], &canceled["replayed"]],
        [&json!("canceled"), &json!(replayed)]
    );
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(world.sent().len(), replayed);
    assert_eq!(world.count("failed"), json!(REPLAY_STEP));
    // Once more changes nothing, not of one that is done either.
    let again = world.tenant.call(edge, "DELETE", &path, &json!({}));
    assert_eq!((again.status, again.json()), (200, canceled));
    assert_eq!(edge.logs[0].ask("select count(*) from replay_steps"), [json!(0)]);
    let rest = world.replay(json!({}));
    edge.run_for(MINUTE_MS);
    let path = format!("/api/v1/replays/{rest}");
    assert_eq!(world.tenant.call(edge, "DELETE", &path, &json!({})).json()["status"], "done");
}

#[test]
fn faults_of_the_database_lose_and_repeat_nothing() {
    for fault in [Fault::Before, Fault::After] {
        for calls_before in 0..4 {
            let world = world(json!({}));
            let edge = &world.edge;
            let chosen = world.failed(REPLAY_STEP + 20);
            world.mend();
            let replay = world.replay(json!({}));
            let mut faults = vec![None; calls_before];
            faults.push(Some(fault));
            edge.logs[0].fail_next(&faults);
            edge.run_for(10 * MINUTE_MS);
            let what = format!("{fault:?} after {calls_before} calls");
            // A fault while an attempt is recorded may repeat that attempt, and no other.
            let mut sent = sorted(world.sent());
            sent.dedup();
            assert_eq!(sent, sorted(chosen), "{what}");
            let found = world.found(&replay);
            assert_eq!([&found["status"], &found["replayed"]], [&json!("done"), &json!(120)]);
            assert_eq!(world.count("delivered"), json!(120), "{what}");
        }
    }
}

#[test]
fn a_step_that_was_done_and_not_answered_is_not_done_again() {
    let world = world(json!({}));
    let edge = &world.edge;
    let chosen = world.failed(20);
    world.mend();
    let replay = world.replay(json!({}));
    edge.logs[0].fail_next(&[Some(Fault::After)]);
    edge.run_for(1_000);
    assert_eq!(world.found(&replay)["replayed"], json!(20));
    assert_eq!(world.sent().len(), 0, "nobody knew that they were to be woken");
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(sorted(world.sent()), sorted(chosen), "the sweeper did, each once");
}

#[test]
fn a_creation_of_unknown_result_makes_one_replay() {
    for fault in [Fault::Before, Fault::After] {
        let world = world(json!({}));
        world.failed(3);
        // The choice is read, then the batch that stores it fails.
        world.edge.logs[0].fail_next(&[None, Some(fault)]);
        let replay = world.replay(json!({}));
        assert_eq!(world.found(&replay)["count"], json!(3));
        assert_eq!(world.edge.logs[0].ask("select count(*) from replays"), [json!(1)]);
        let steps = world.edge.logs[0].ask("select count(*) from replay_steps");
        assert_eq!(steps, [json!(1)], "{fault:?}");
    }
}

#[test]
fn a_step_of_a_replay_that_was_stopped_with_its_workspace_does_nothing() {
    let world = world(json!({}));
    world.failed(REPLAY_STEP);
    world.mend();
    world.replay(json!({}));
    // A deletion stops all replays of a workspace at once, and their steps go later.
    let log = &world.edge.logs[0];
    log.execute("update replays set status = 'canceled', completed_at_ms = 1");
    world.edge.run_for(5 * MINUTE_MS);
    assert_eq!(log.ask("select count(*) from deliveries where open = 1"), [json!(0)]);
    assert_eq!(world.sent(), [] as [String; 0]);
}

#[test]
fn lost_and_repeated_messages_are_made_good() {
    let lost = world(json!({}));
    let chosen = lost.failed(REPLAY_STEP * 2);
    lost.mend();
    lost.edge.queue.refuses.set(true);
    let replay = lost.replay(json!({}));
    lost.edge.queue.refuses.set(false);
    lost.edge.run_for(MINUTE_MS + 1_000);
    assert_eq!(lost.found(&replay)["replayed"], json!(REPLAY_STEP));
    lost.edge.queue.clear();
    lost.edge.run_for(5 * MINUTE_MS);
    assert_eq!(sorted(lost.sent()), sorted(chosen));

    let repeated = world(json!({}));
    let chosen = repeated.failed(REPLAY_STEP * 4);
    repeated.mend();
    repeated.edge.queue.repeats.set(true);
    let begun_ms = repeated.edge.now_ms();
    let replay = repeated.replay(json!({}));
    repeated.edge.run_for(MINUTE_MS);
    let found = repeated.found(&replay);
    assert_eq!(found["replayed"], json!(chosen.len()));
    let last_ms = begun_ms + 3 * STEP_MS;
    assert_eq!(found["completed_at"], json!(rfc3339(last_ms)), "one message goes on, not two");
    assert_eq!(sorted(repeated.sent()), sorted(chosen));
}

#[test]
fn what_somebody_retried_meanwhile_is_left_out() {
    let world = world(json!({}));
    let edge = &world.edge;
    let chosen = world.failed(REPLAY_STEP + 1);
    world.mend();
    let replay = world.replay(json!({}));
    let last = chosen.last().expect("one");
    let path = format!("/api/v1/events/{last}/rules/{}/retry", world.rule);
    assert_eq!(world.tenant.call(edge, "POST", &path, &Value::Null).status, 200);
    edge.run_for(MINUTE_MS);
    let found = world.found(&replay);
    let (count, replayed) = (json!(REPLAY_STEP + 1), json!(REPLAY_STEP));
    assert_eq!([&found["count"], &found["replayed"]], [&count, &replayed]);
    assert_eq!(world.sent().iter().filter(|sent| *sent == last).count(), 1);
}

#[test]
fn a_strict_line_takes_what_is_replayed_at_its_tail_in_order() {
    let world = world(json!({"ordering": "strict", "retry_schedule_seconds": [60]}));
    let edge = &world.edge;
    edge.run_for(6_000);
    let chosen = world.failed(5);
    let failing = world.emit(1);
    edge.run_for(1_000);
    assert_eq!(world.sent(), failing);
    world.replay(json!({}));
    edge.run_for(1_000);
    let after = world.emit(1);
    world.mend();
    edge.run_for(3 * MINUTE_MS);
    let expected: Vec<String> =
        [&failing, &failing, &chosen, &after].into_iter().flatten().cloned().collect();
    assert_eq!(world.sent(), expected);
    let numbers = edge.logs[0].ask("select seq from deliveries order by seq");
    assert_eq!(numbers, (6..=12).map(|n| json!(n)).collect::<Vec<_>>(), "without a gap");
    assert_eq!(edge.logs[0].ask("select n from strict_counters"), [json!(12)]);
}

#[test]
fn what_is_replayed_on_an_inactive_connection_is_held() {
    let world = world(json!({}));
    let edge = &world.edge;
    let chosen = world.failed(3);
    world.mend();
    let at = format!("/api/v1/connections/{}", world.connection);
    world.tenant.call(edge, "POST", &format!("{at}/deactivate"), &json!({}));
    let replay = world.replay(json!({}));
    edge.run_for(5 * MINUTE_MS);
    assert_eq!(world.found(&replay)["status"], "done");
    assert_eq!((world.sent().len(), world.count("held")), (0, json!(3)));
    world.tenant.call(edge, "POST", &format!("{at}/activate"), &json!({}));
    edge.run_for(MINUTE_MS);
    assert_eq!(sorted(world.sent()), chosen);
}

#[test]
fn too_much_is_refused_with_the_count() {
    let world = world(json!({}));
    let edge = &world.edge;
    let event = world.failed(1).remove(0);
    let copy = |count: usize| {
        edge.logs[0].execute(&format!(
            "insert into deliveries select workspace, connection, event, n, state, open, \
             due_at_ms, sweep_at_ms, attempts, sweeps, faults, \
             faulted_since_ms, payload_bytes, reason, last_error, \
             created_at_ms, started_at_ms, completed_at_ms, first_attempt, asked_by, \
             attempts_before, owed_since_ms, seq from deliveries d, (with recursive c(n) as \
             (select 1000 union all select n + 1 from c limit {count}) select n from c) \
             where d.event = '{event}' and d.rule < 1000"
        ))
    };
    copy(REPLAY_DELIVERIES_MAX);
    for dry_run in [true, false] {
        let answer = world.ask(json!({"dry_run": dry_run}));
        let error = answer.json()["error"].clone();
        assert_eq!((answer.status, &error["data"][0]["param"]), (422, &json!("until")));
        assert!(answer.text.contains("10001"), "{}", answer.text);
    }
    edge.logs[0].execute("delete from deliveries where rule = 1000");
    assert_eq!(world.preview(json!({})), json!(REPLAY_DELIVERIES_MAX));
    let replay = world.replay(json!({}));
    assert_eq!(world.found(&replay)["count"], json!(REPLAY_DELIVERIES_MAX));
}

#[test]
fn more_than_may_be_read_is_refused_however_little_of_it_fits() {
    let world = world(json!({}));
    let edge = &world.edge;
    let event = world.failed(1).remove(0);
    edge.logs[0].execute(&format!(
        "insert into deliveries (workspace, connection, event, rule, state, open, payload_bytes, \
         created_at_ms) select workspace, connection, event, n, state, open, payload_bytes, \
         created_at_ms from deliveries d, (with recursive c(n) as (select 1000 union all \
         select n + 1 from c limit 50000) select n from c) \
         where d.event = '{event}' and d.rule < 1000"
    ));
    let answer = world.ask(json!({"event": "y", "dry_run": true}));
    assert_eq!(answer.status, 422, "{}", answer.text);
    assert!(answer.text.contains("more than 50000"), "{}", answer.text);
}

#[test]
fn what_is_malformed_names_its_field() {
    let world = world(json!({}));
    let until = |ms: i64| json!({"until": rfc3339(START_MS + ms)});
    for (more, status, param) in [
        (until(14 * DAY_MS), 200, None),
        (until(14 * DAY_MS + 1), 422, Some("until")),
        (until(0), 400, Some("until")),
        (json!({"until": "yesterday"}), 400, Some("until")),
        (json!({"since": null}), 400, Some("since")),
        (json!({"since": 5}), 400, Some("since")),
        (json!({"status": "owed"}), 400, Some("status")),
        (json!({"status": "pending"}), 400, Some("status")),
        (json!({"event": ""}), 400, Some("event")),
        (json!({"connection": "x"}), 400, Some("connection")),
        (json!({"dry_run": "yes"}), 400, Some("dry_run")),
        (json!({"connection": world.tenant.workspace}), 404, None),
    ] {
        let mut more = more;
        if !more["dry_run"].is_string() {
            more["dry_run"] = json!(true);
        }
        let answer = world.ask(more.clone());
        let named = answer.json()["error"]["data"][0]["param"].clone();
        assert_eq!((answer.status, named), (status, json!(param)), "{more}: {}", answer.text);
    }
}

#[test]
fn another_workspaces_deliveries_and_connections_are_not_there() {
    let world = world(json!({}));
    let edge = &world.edge;
    let replay = {
        world.failed(2);
        world.replay(json!({}))
    };
    let mut sister = world.tenant.clone();
    let made = sister.post(edge, "/api/v1/workspaces", &json!({"name": "Sister"}));
    sister.workspace = text(&made, "/workspace/id");
    let path = format!("/api/v1/workspaces/{}/replays", sister.workspace);
    let ask = |more: Value| sister.call(edge, "POST", &path, &world.range(more));
    assert_eq!(ask(json!({"dry_run": true})).json()["count"], json!(0));
    assert_eq!(ask(json!({"connection": world.connection})).status, 404);
    assert_eq!(sister.get(edge, &path)["count"], json!(0));
    let stranger = Tenant::new(edge, "Stranger");
    for method in ["GET", "DELETE"] {
        let path = format!("/api/v1/replays/{replay}");
        assert_eq!(stranger.call(edge, method, &path, &Value::Null).status, 404);
    }
    assert_eq!(world.found(&replay)["status"], "running");
}
