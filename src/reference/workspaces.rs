//! Workspaces.

use crate::api::publishable_keys::{GRACE_S, GRACE_S_MAX};
use crate::domain::tenants::key_limits::PATTERNS_MAX;
use crate::domain::tenants::origins::ORIGINS_MAX;
use crate::domain::tenants::workspace::LIMIT_MAX;
use crate::reference::leaves::{
    description, environment, external_id, flag, id, label, pattern, publishable_key, time, whole,
    words, workspace_name,
};
use crate::reference::operation::{Operation, delete, get, patch, post, put};
use crate::reference::organizations::origin;
use crate::reference::retention::{kept, retention};
use crate::reference::shape::{
    Field, Names, Shape, closed, list_of, may, need, nullable, open, some_of,
};

fn fields() -> Vec<Field> {
    [
        need("id", id("workspace")),
        need("name", words("Acme Corp")),
        need("description", nullable(description())),
        may("environment", environment()).shown().says("A label that the embed shows."),
        may("external_id", external_id("customer-1001"))
            .shown()
            .says("What you call the customer; unique in the organization."),
        need("created_at", time()),
        need("updated_at", time()),
        may("limits", closed(limits())).says("Where it has limits of its own."),
    ]
    .into_iter()
    .chain(kept())
    .collect()
}

/// The shapes of workspaces.
pub fn shapes() -> Names {
    let key = closed([
        need("public_key", publishable_key()).says("Emits this workspace's events."),
        need("name", words("default")),
        may("events", list_of(pattern("order.*"))).shown().says("Events that it may emit."),
        may("origins", list_of(words("https://shop.example.com")))
            .says("Origins of the pages from which it may emit."),
    ]);
    let key_field = may("publishable_key", Shape::Named("PublishableKey")).shown();
    vec![
        ("Workspace", closed(fields())),
        ("WorkspaceWithKey", closed(fields().into_iter().chain([key_field]))),
        ("PublishableKey", key),
    ]
}

/// What a workspace is made of, and what can be changed of it.
fn new_fields(needs_name: bool) -> Vec<Field> {
    let name = if needs_name { need } else { may };
    let mut fields = vec![
        name("name", workspace_name()).says("Unique in the organization; no space at its ends."),
        may("description", description()).shown(),
        may("environment", environment()).says("A label that the embed shows."),
        may("external_id", external_id("customer-1001"))
            .shown()
            .says("What you call the customer; unique in the organization."),
    ];
    fields.extend(retention());
    fields.push(may("limits", open(limits())).says(
        "How much the workspace may have, instead of what the installation allows; `null` takes a \
         limit away.",
    ));
    fields
}

fn limits() -> [Field; 2] {
    let limit = |example| whole(0, i64::from(LIMIT_MAX), example);
    [
        may("events_per_month", limit(100_000)).says("Events in a month of UTC; more are 429."),
        may("connections", limit(20)),
    ]
}

/// What the reference says of the rows of workspaces.
pub fn operations() -> Vec<Operation> {
    let with_key = || Shape::Named("WorkspaceWithKey");
    let mut all = vec![
        get("/api/v1/workspaces", "list_workspaces", "List workspaces")
            .lists_widely("By name.", Shape::Named("Workspace"))
            .query("environment", environment(), "Only workspaces of this environment.")
            .query("external_id", external_id("customer-1001"), "Only the one with this id."),
        post("/api/v1/workspaces", "create_workspace", "Create a workspace")
            .says(
                "One for each of your customers, with a publishable key from the start. With an \
                 `external_id` it can be sent again: then the workspace that is there is answered.",
            )
            .takes(open(new_fields(true)))
            .answers(
                200,
                "The workspace that has this `external_id`, unchanged.",
                closed([need("workspace", with_key())]),
            )
            .answers(201, "The new workspace.", closed([need("workspace", with_key())]))
            .problems(&[409, 422]),
        get("/api/v1/workspaces/:id", "get_workspace", "Get a workspace").answers(
            200,
            "The workspace with its publishable key.",
            with_key(),
        ),
        put("/api/v1/workspaces/:id", "replace_workspace", "Change a workspace")
            .if_match()
            .says("What is left out is kept, `null` clears what may be cleared.")
            .takes(open(new_fields(true)))
            .answers(200, "The workspace as it is now.", Shape::Named("Workspace"))
            .problems(&[409]),
        patch("/api/v1/workspaces/:id", "update_workspace", "Change a workspace in part")
            .if_match()
            .says("What is left out is kept.")
            .takes(open(new_fields(false)))
            .answers(200, "The workspace as it is now.", Shape::Named("Workspace"))
            .problems(&[409]),
        delete("/api/v1/workspaces/:id", "delete_workspace", "Delete a workspace")
            .if_match()
            .says(
                "Takes effect at once: its keys are refused, its sessions are over, and what it \
                 still owed is canceled step by step.",
            )
            .may_take(open([may("force_delete", flag(true))
                .shown()
                .says("Also when it has connections or rules; without it, those make this 409.")]))
            .answers(200, "It is gone.", closed([need("id", id("workspace"))]))
            .problems(&[409]),
    ];
    all.extend(of_key());
    all
}

fn of_key() -> Vec<Operation> {
    let rotated = closed([
        need("publishable_key", Shape::Named("PublishableKey")),
        need("former_valid_until", time()),
    ]);
    vec![
        patch(
            "/api/v1/workspaces/:id/publishable-key",
            "update_publishable_key",
            "Limit a workspace's publishable key",
        )
        .says("What is left out is kept; `null` takes a limit away.")
        .takes(open([
            may("name", label("Shop")),
            may("events", some_of(pattern("order.*"), 1, PATTERNS_MAX))
                .shown()
                .says("Names of events, or patterns such as `order.*`, that it may emit."),
            may("origins", some_of(origin(), 1, ORIGINS_MAX))
                .says("Origins of pages; a request without `Origin` is refused then, too."),
        ]))
        .answers(200, "The key as it is now.", Shape::Named("PublishableKey")),
        post(
            "/api/v1/workspaces/:id/publishable-key/rotate",
            "rotate_publishable_key",
            "Rotate a workspace's publishable key",
        )
        .says("The former key is valid until its grace ends. At most 5 are valid at once.")
        .may_take(open([may("grace_seconds", whole(0, GRACE_S_MAX, GRACE_S)).shown().or(GRACE_S)]))
        .answers(200, "The new key.", rotated)
        .problems(&[409]),
    ]
}
