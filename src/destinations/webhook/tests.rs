//! Tests of the webhook's requests.

use super::*;

const PAYLOAD: &str = "{ \"z\":1.0,\"a\":1e400 }";

fn values() -> Values {
    let mut values = Values::new(fields::ABOUT.fields);
    values.set("url", Some("https://example.com/h"));
    values
}

fn built(values: &Values, credentials: &Credentials) -> OutboundRequest {
    let secrets = [Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")];
    let call = Call {
        account: Account { values, credentials },
        action: "send_webhook",
        metadata: &Default::default(),
        mapped: &Default::default(),
        external_id: None,
        secrets: &secrets,
        timeout_ms: 15_000,
        event: "0193f6a0-0000-7000-8000-000000000001",
        name: "order.completed",
        resource: Some("order"),
        resource_id: None,
        payload: PAYLOAD,
        created_at_ms: 1_000,
        hops: 2,
        message_id: "msg_1",
        is_test: false,
        attempt: 2,
        now_ms: 2_500,
    };
    match Webhook.step(&call, &[]) {
        Ok(Step::Send(request)) => request,
        other => panic!("{other:?}"),
    }
}

fn text(request: OutboundRequest) -> String {
    String::from_utf8(request.body).expect("UTF-8")
}

fn header<'a>(request: &'a OutboundRequest, name: &str) -> Option<&'a OutboundHeader> {
    request.headers.iter().find(|header| header.name == name)
}

fn credentials(values: &[(&str, &str)]) -> Credentials {
    values.iter().map(|(field, value)| ((*field).to_owned(), Secret::new(*value))).collect()
}

#[test]
fn the_body_holds_the_payload_untouched() {
    let mut values = values();
    assert_eq!(text(built(&values, &Credentials::new())), PAYLOAD);
    values.set("payload_mode", Some("wrapped"));
    let expected = format!(
        "{{\"uuid\":\"0193f6a0-0000-7000-8000-000000000001\",\"event\":\"order.completed\",\
         \"resource\":\"order\",\"resource_id\":null,\"payload\":{PAYLOAD},\
         \"time_created\":1000,\"time_sent\":2500}}"
    );
    assert_eq!(text(built(&values, &Credentials::new())), expected);
}

#[test]
fn headers_say_what_the_event_is_about() {
    let request = built(&values(), &Credentials::new());
    let value = |name| header(&request, name).map(|header| header.value.as_str());
    assert_eq!(value("posthorn-event-time"), Some("1970-01-01T00:00:01.000Z"));
    assert_eq!(value("posthorn-resource"), Some("order"));
    assert_eq!(value("posthorn-resource-id"), None);
    for (name, expected) in [
        ("order.completed", "order.completed"),
        ("Bestellung bezahlt", "Bestellung bezahlt"),
        ("größe 100%", "gr%C3%B6%C3%9Fe 100%25"),
        ("日本", "%E6%97%A5%E6%9C%AC"),
    ] {
        assert_eq!(in_header(name), expected);
    }
}

#[test]
fn credentials_become_headers_marked_as_secret() {
    let mut values = values();
    values.set("auth_header_name", Some("X-Api-Key"));
    values.set_names("custom_headers", vec!["X-Team".to_owned()]);
    let given = credentials(&[
        ("auth_username", "ann"),
        ("auth_password", "pa:ss"),
        ("auth_token", "t0k"),
        ("auth_header_value", "k3y"),
        ("custom_header:x-team", "blue"),
    ]);
    for (scheme, name, value) in [
        ("basic", "authorization", "Basic YW5uOnBhOnNz"),
        ("bearer", "authorization", "Bearer t0k"),
        ("header", "X-Api-Key", "k3y"),
    ] {
        values.set("auth_scheme", Some(scheme));
        let request = built(&values, &given);
        assert_eq!(header(&request, name), Some(&OutboundHeader::secret(name, value)));
        assert_eq!(header(&request, "X-Team"), Some(&OutboundHeader::secret("X-Team", "blue")));
    }
    values.set("auth_scheme", Some("none"));
    assert_eq!(header(&built(&values, &given), "authorization"), None);
    assert_eq!(header(&built(&values, &given), "posthorn-attempt").expect("set").value, "2");
    assert_eq!(header(&built(&values, &given), "posthorn-hops").expect("set").value, "3");
}

#[test]
fn every_word_of_a_field_makes_a_request() {
    for field in fields::ABOUT.fields {
        let crate::destinations::model::Kind::Words(words) = field.kind else { continue };
        for (word, _) in words {
            let mut values = values();
            values.set(field.key, Some(word));
            built(&values, &Credentials::new());
        }
    }
}

#[test]
fn settings_survive_storage() {
    let mut values = values();
    values.set_names("custom_headers", vec!["X-Team".to_owned()]);
    assert_eq!(Values::stored(&values.to_stored()), Ok(values));
}
