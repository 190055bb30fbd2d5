//! What releases before this one left behind, in queues and lanes: it is read as it was meant.
//! Each release adds a file to `golden/`; none is ever changed.

use posthorn::domain::delivery::job::Message;
use posthorn::domain::lane::machine::Lane;
use posthorn::domain::lane::messages::Command;
use serde_json::Value;

const RELEASES: [(&str, &str); 1] = [("0.1.0", include_str!("golden/0.1.0.json"))];

#[test]
fn messages_of_every_release_are_read() {
    for (release, text) in RELEASES {
        let golden: Value = serde_json::from_str(text).expect("JSON");
        for message in golden["messages"].as_array().expect("a list") {
            let read = Message::parse(&message.to_string());
            assert!(read.is_ok(), "{release}: {message}: {read:?}");
        }
    }
}

#[test]
fn lanes_of_every_release_go_on() {
    for (release, text) in RELEASES {
        let golden: Value = serde_json::from_str(text).expect("JSON");
        for stored in golden["lanes"].as_array().expect("a list") {
            let mut lane: Lane = serde_json::from_value(stored.clone()).expect(release);
            let line = lane.line().cloned().expect("its line");
            assert_eq!(line.connection, "11111111-1111-4111-8111-111111111111");
            assert!(lane.alarm_at_ms(0).is_some(), "it has something to do");
            lane.step(Command::Alarm, 1_800_000_000_000);
        }
    }
}

#[test]
fn a_lane_of_a_newer_release_is_read_for_what_is_known() {
    let golden: Value = serde_json::from_str(RELEASES[0].1).expect("JSON");
    let mut stored = golden["lanes"][0].clone();
    stored["added_later"] = Value::from(7);
    let lane: Lane = serde_json::from_value(stored).expect("a lane");
    assert!(lane.line().is_some());
    let lane: Result<Lane, _> = serde_json::from_str("{}");
    assert!(lane.is_ok(), "what is not there has its default");
}
