//! Signing presets: signatures as receivers of other senders check them already.

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::edge::Edge;
use crate::tenant::{Tenant, params, text};
use crate::visit::Visitor;

const URL: &str = "https://hooks.example.com/a";
const SECRET: &str = "a secret that the customer has already";

fn hex_hmac(body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).expect("a key");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn the_meshes_preset_signs_as_its_receivers_expect() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let metadata = json!({"url": URL, "signing_preset": "meshes", "signing_secret": SECRET});
    let (connection, _) = tenant.route(&edge, "order.paid", metadata);
    let path = format!("/api/v1/connections/{connection}");
    let shown = tenant.get(&edge, &path)["metadata"].clone();
    for (key, value) in [
        ("signing_preset", "meshes"),
        ("signing_algorithm", "hmac-sha256"),
        ("signing_scheme", "body"),
        ("signature_header", "X-Meshes-Signature"),
        ("signature_encoding", "hex"),
        ("signature_prefix", ""),
    ] {
        assert_eq!(shown[key], value, "{key}");
    }
    let payload = "{ \"b\":1.0 ,\"a\" : 1e400 }";
    let body = format!("{{\"event\":\"order.paid\",\"payload\":{payload}}}");
    assert_eq!(tenant.emit_text(&edge, &body).status, 201);
    edge.run_for(1_000);
    let seen = edge.receivers.seen(URL);
    assert_eq!(seen[0].header("X-Meshes-Signature"), hex_hmac(payload.as_bytes()));

    // It stands for as long as its fields do.
    let patch = |metadata: Value| {
        tenant.call(&edge, "PATCH", &path, &json!({"metadata": metadata})).json()["metadata"]
            .clone()
    };
    assert_eq!(patch(json!({"timeout_seconds": 3}))["signing_preset"], "meshes");
    let other = patch(json!({"signature_encoding": "base64"}));
    assert_eq!((other.get("signing_preset"), &other["signing_scheme"]), (None, &json!("body")));
    assert_eq!(patch(json!({"signing_preset": "meshes"}))["signature_encoding"], "hex");
    assert_eq!(patch(json!({"signing_preset": null})).get("signing_preset"), None);
}

#[test]
fn a_preset_takes_nothing_else_beside_it() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let try_it = |more: Value| {
        let mut metadata = json!({"url": URL, "signing_preset": "meshes"});
        metadata.as_object_mut().expect("an object").extend(more.as_object().expect("one").clone());
        let body = json!({"workspace": tenant.workspace, "type": "webhook",
            "name": more.to_string(), "metadata": metadata});
        tenant.call(&edge, "POST", "/api/v1/connections", &body)
    };
    let same = json!({"signing_scheme": "body", "signature_header": "X-Meshes-Signature"});
    assert_eq!(try_it(same).status, 201);
    for (key, value) in [
        ("signing_scheme", "standard"),
        ("signing_algorithm", "none"),
        ("signature_header", "X-Signature"),
        ("signature_encoding", "base64"),
        ("signature_prefix", "sha256="),
        ("signing_preset", "hookdeck"),
    ] {
        let refused = try_it(json!({key: value}));
        let named = format!("metadata.{key}");
        assert_eq!((refused.status, params(&refused.json())), (400, vec![named.as_str()]));
    }
}

#[test]
fn the_form_of_a_connection_has_the_preset() {
    let edge = Edge::new();
    let tenant = Tenant::new(&edge, "Acme");
    let visitor = Visitor::new(&edge, &tenant, json!({"role": "admin"}));
    let form = visitor.get(&edge, "connections/new?type=webhook").text;
    assert!(form.contains("name=\"signing_preset\""), "{form}");
    let fields = [
        ("type", "webhook"),
        ("name", "Theirs"),
        ("url", URL),
        ("http_method", "POST"),
        ("payload_mode", "raw"),
        ("auth_scheme", "none"),
        ("signing_preset", "meshes"),
        ("signing_algorithm", "none"),
        ("signing_scheme", "standard"),
        ("signature_header", "X-Signature"),
        ("secret", "own"),
        ("signing_secret", SECRET),
    ];
    let made = visitor.post(&edge, "connections/new", &fields);
    assert!([200, 303].contains(&made.status), "{}", made.text);
    let shown = tenant.get(&edge, "/api/v1/connections")["records"][0]["metadata"].clone();
    assert_eq!(text(&shown, "/signing_preset"), "meshes");
    assert_eq!(text(&shown, "/signature_header"), "X-Meshes-Signature");
    assert_eq!(text(&shown, "/secret_set_by"), "given");
}
