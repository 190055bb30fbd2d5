//! The catalogue of event types, and what workspaces have emitted.

use crate::reference::leaves::{
    description, flag, id, label, name, only, text, time, truth, words,
};
use crate::reference::operation::{Operation, delete, get, patch, put};
use crate::reference::shape::{Names, Shape, closed, list_of, may, need, open};

const EXAMPLE: &str = "{\"order_id\":\"1001\",\"total\":49.90}";

/// The shapes of event types.
pub fn shapes() -> Names {
    let event_type = closed([
        need("id", id("event-type")),
        need("key", name("order.completed")).says("The name of its events."),
        need("label", words("Order completed")),
        may("description", description()),
        may("group", words("Orders")).shown(),
        may("example", text(EXAMPLE))
            .shown()
            .says("A payload as JSON text. Lists leave it out: read one event type for it."),
        need("visible", flag(true)).says("Whether customers see it in the embed."),
        need("active", truth()),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        need("updated_at", time()),
    ]);
    let emitted = closed([
        need("id", id("emitted-name")),
        need("key", name("order.refunded")),
        need("label", name("order.refunded")),
        need("active", truth()),
        need("created_by", only("events")),
        need("created_at", time()).says("When it was first seen."),
        need("updated_at", time()),
    ]);
    vec![("EventType", event_type), ("EmittedName", emitted)]
}

/// What the reference says of the rows of event types.
pub fn operations() -> Vec<Operation> {
    let event_type = || Shape::Named("EventType");
    vec![
        get("/api/v1/event-types", "list_event_types", "List the catalogue")
            .says(
                "What your customers can subscribe to. The catalogue describes and does not \
                 restrict: events that are not listed can be emitted and routed.",
            )
            .lists("By key.", event_type()),
        get("/api/v1/event-types/:key", "get_event_type", "Get an event type").answers(
            200,
            "The event type.",
            event_type(),
        ),
        put("/api/v1/event-types/:key", "put_event_type", "Put an event type")
            .if_match()
            .says("Creates it, or takes the place of the one that is there. At most 500.")
            .takes(open([
                may("label", label("Order completed")).says("By default the key.").shown(),
                may("description", description()),
                may("group", label("Orders")).shown(),
                may("example", text(EXAMPLE)).says(
                    "A payload as JSON text, in a string. Test events without a payload carry \
                     exactly this text.",
                ),
                may("visible", flag(true)).or(true),
            ]))
            .answers(200, "The event type as it is now.", event_type())
            .problems(&[422]),
        patch("/api/v1/event-types/:key", "update_event_type", "Change an event type in part")
            .if_match()
            .says("What is left out is kept; `null` takes away what may be missing.")
            .takes(open([
                may("label", label("Order completed")).shown(),
                may("description", description()),
                may("group", label("Orders")),
                may("example", text(EXAMPLE)).says("A payload as JSON text, in a string."),
                may("visible", flag(true)),
            ]))
            .answers(200, "The event type as it is now.", event_type())
            .problems(&[422]),
        delete("/api/v1/event-types/:key", "delete_event_type", "Delete an event type")
            .if_match()
            .says("What was emitted under this name stays.")
            .answers(200, "It is gone.", closed([need("key", name("order.completed"))])),
        get(
            "/api/v1/workspaces/:id/event-types",
            "list_workspace_event_types",
            "List a workspace's event types",
        )
        .answers(
            200,
            "A bare array: the catalogue, and what the workspace has emitted besides.",
            list_of(Shape::OneOf(vec![event_type(), Shape::Named("EmittedName")])),
        ),
        get(
            "/api/v1/workspaces/:id/resources",
            "list_workspace_resources",
            "List a workspace's resources",
        )
        .answers(
            200,
            "A bare array of what the workspace has emitted; the first 1,000.",
            list_of(Shape::Named("EmittedName")),
        ),
    ]
}
