//! Connections.

use serde_json::json;

use crate::domain::connection::model::InactiveReason;
use crate::domain::connection::rotation::OVERLAP_S_MAX;
use crate::reference::destinations::{Use, kinds, metadata};
use crate::reference::leaves::{
    any_object, flag, given_id, given_time, id, label, name, one_of, text, time, whole, words,
};
use crate::reference::operation::{Operation, delete, get, patch, post, put};
use crate::reference::shape::{Names, Shape, closed, given, list_of, may, need, open};

const REASONS: [InactiveReason; 6] = [
    InactiveReason::Paused,
    InactiveReason::EndpointGone,
    InactiveReason::DisabledByReceiver,
    InactiveReason::DeliveryFailing,
    InactiveReason::AuthenticationInvalid,
    InactiveReason::SecretsMissing,
];

/// The words of the contract, which clients have in their types.
const CONTRACT_REASONS: [&str; 4] = [
    "manually_inactivated",
    "authentication_invalid",
    "oauth_authorization_revoked",
    "oauth_reauthorization_required",
];

/// The shapes of connections.
pub fn shapes() -> Names {
    let connection = closed([
        need("id", id("connection")),
        need("workspace", id("workspace")),
        need("type", kinds()),
        need("name", words("Orders")),
        need("metadata", metadata(Use::Read)),
        need("active", flag(true)).says("Whether deliveries are sent; if not, they are held."),
        may("inactive_reason", one_of(&CONTRACT_REASONS))
            .says("Why it is not active, where the contract has a word for it."),
        may("inactive_detail", one_of(&REASONS.map(InactiveReason::as_str)))
            .says("Why it is not active."),
        need("hidden", flag(false)).says("Whether the embed leaves it out."),
        may("credentials_checked", flag(true)).says(
            "Only where new credentials were saved: whether the provider said that they hold.",
        ),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        need("updated_at", time()),
        may("warnings", list_of(words("signing_secret: it has fewer than 24 bytes")))
            .says("Only in an answer to a change: what was taken and should be looked at."),
        may("failing_since", time())
            .says("Only in lists with `health=failing`: since when nothing succeeded."),
    ]);
    let mut all = vec![("Connection", connection)];
    all.extend(crate::reference::destinations::shapes());
    all
}

/// What the reference says of the rows of connections.
pub fn operations() -> Vec<Operation> {
    let connection = || Shape::Named("Connection");
    let mut all = kept(&connection);
    all.extend(acted_on(&connection));
    all
}

fn kept(connection: &impl Fn() -> Shape) -> Vec<Operation> {
    let changed = || {
        given("metadata", metadata(Use::Changed))
            .says("What is left out is kept, `null` goes back to the default.")
    };
    let hidden = || may("hidden", flag(false));
    let skip = || {
        may("skip_test", flag(true))
            .says("New credentials are saved without asking the provider whether they hold.")
    };
    vec![
        healthy(
            get("/api/v1/connections", "list_connections", "List connections")
                .lists_widely("Of all workspaces of the organization.", connection()),
        ),
        healthy(
            get(
                "/api/v1/workspaces/:id/connections",
                "list_workspace_connections",
                "List a workspace's connections",
            )
            .lists_widely("Oldest first.", connection()),
        ),
        post("/api/v1/connections", "create_connection", "Create a connection")
            .says(
                "Where a workspace's deliveries go. Without `signing_secret` and `generate_secret` \
                 a secret is generated and shown to nobody; the customer sets one in the embed.",
            )
            .takes(open([
                need("workspace", given_id("workspace")),
                need("type", kinds()),
                need("name", label("Orders")),
                need("metadata", metadata(Use::New)),
                hidden().or(false),
                skip(),
            ]))
            .answers(201, "The new connection.", closed([need("connection", connection())]))
            .problems(&[404, 409, 422]),
        get("/api/v1/connections/:id", "get_connection", "Get a connection")
            .says("Without its secrets: they go in and never come out.")
            .answers(200, "The connection.", connection()),
        put("/api/v1/connections/:id", "replace_connection", "Change a connection")
            .if_match()
            .takes(open([need("name", label("Orders")), changed().shown(), hidden(), skip()]))
            .answers(200, "The connection as it is now.", connection())
            .problems(&[409, 422]),
        patch("/api/v1/connections/:id", "update_connection", "Change a connection in part")
            .if_match()
            .says("What is left out is kept.")
            .takes(open([may("name", label("Orders")).shown(), changed(), hidden(), skip()]))
            .answers(200, "The connection as it is now.", connection())
            .problems(&[409, 422]),
        delete("/api/v1/connections/:id", "delete_connection", "Delete a connection")
            .if_match()
            .says("Open deliveries are canceled.")
            .may_take(open([may("force_delete", flag(true))
                .shown()
                .says("Deletes its rules too; without it, rules that use it make this 409.")]))
            .answers(200, "It is gone.", closed([need("id", id("connection")), type_field()]))
            .problems(&[409]),
    ]
}

/// A list of connections takes this, too.
fn healthy(list: Operation) -> Operation {
    let about = "Only those of which nothing succeeds, or that were switched off for it.";
    list.query("health", one_of(&["failing"]), about)
}

fn type_field() -> super::shape::Field {
    need("type", kinds())
}

fn acted_on(connection: &impl Fn() -> Shape) -> Vec<Operation> {
    let held = one_of(&["deliver", "cancel"]);
    let event = closed([need("event", Shape::Named("Event"))]);
    let states = ["pending", "held", "retrying", "completed", "failed", "canceled"];
    vec![
        get(
            "/api/v1/connections/:id/deliveries",
            "list_connection_deliveries",
            "List a connection's deliveries",
        )
        .lists("Newest first.", Shape::Named("RuleEvent"))
        .query(
            "status",
            one_of(&states),
            "Only deliveries with this status; `held` are those of the pending ones that are held.",
        )
        .query("event", text("order.completed"), "Only of events of this name or pattern.")
        .query("since", given_time(0), "Only of events that were accepted from then on.")
        .query(
            "until",
            given_time(3_600_000),
            "Only of events that were accepted before then.",
        ),
        post("/api/v1/connections/:id/probe", "probe_connection", "Try a connection now")
            .says(
                "Attempts the oldest open delivery at once, also while the breaker is open: to see \
                 whether a repaired endpoint answers. 409 when nothing is open or the connection \
                 is inactive, 425 while an attempt is on its way.",
            )
            .answers(200, "The delivery as it is now.", Shape::Named("RuleEvent"))
            .problems(&[409, 425]),
        post("/api/v1/connections/:id/activate", "activate_connection", "Activate a connection")
            .may_take(open([may("held", held).shown().or("deliver").says(
                "What becomes of what was held: `deliver` sends it, oldest first; `cancel` \
                 cancels it.",
            )]))
            .answers(200, "The connection as it is now.", connection()),
        post(
            "/api/v1/connections/:id/deactivate",
            "deactivate_connection",
            "Deactivate a connection",
        )
        .says(
            "What it owes, and what comes, is held. The reason `secrets_missing` says on the page \
             that secrets are to be entered, as after an import.",
        )
        .may_take(open([may("reason", one_of(&["paused", "secrets_missing"])).or("paused")]))
        .answers(200, "The connection as it is now.", connection()),
        post("/api/v1/connections/:id/test", "test_connection", "Send a test event")
            .says(
                "Is attempted at once and once, whatever the connection's rules, its order and \
                 its breaker; `max_per_second` holds. What comes of it counts for nothing else.",
            )
            .may_take(open([
                given("event", name("posthorn.test")).or("posthorn.test").shown(),
                given("payload", any_object(json!({"order_id": "1001"})))
                    .says("By default the example of the event's type, else a short message."),
            ]))
            .answers(201, "The test event.", event),
        post(
            "/api/v1/connections/:id/secret/rotate",
            "rotate_connection_secret",
            "Rotate a connection's signing secret",
        )
        .says("The former secrets sign beside the new one until the overlap ends.")
        .may_take(open([
            may("secret", text("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
                .says("Left out, one is generated and shown in this answer only."),
            may("overlap_seconds", whole(0, OVERLAP_S_MAX, 3_600))
                .shown()
                .says("By default a day; with `signing_scheme: \"body\"` always 0."),
        ]))
        .answers(200, "The connection as it is now.", connection())
        .problems(&[409, 422]),
    ]
}
