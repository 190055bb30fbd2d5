//! Workspaces.

use super::leaves::{description, id, publishable_key, time, words, workspace_name};
use super::operation::{Operation, get, patch, post, put};
use super::shape::{Field, Names, Shape, closed, may, need, nullable, open};

fn fields() -> Vec<Field> {
    vec![
        need("id", id("workspace")),
        need("name", words("Acme Corp")),
        need("description", nullable(description())),
        need("created_at", time()),
        need("updated_at", time()),
    ]
}

/// The shapes of workspaces.
pub fn shapes() -> Names {
    let key = closed([
        need("public_key", publishable_key()).says("Emits this workspace's events."),
        need("name", words("default")),
    ]);
    let key_field = need("publishable_key", nullable(Shape::Named("PublishableKey")));
    vec![
        ("Workspace", closed(fields())),
        ("WorkspaceWithKey", closed(fields().into_iter().chain([key_field]))),
        ("PublishableKey", key),
    ]
}

fn name_about() -> &'static str {
    "Unique in the organization; no space at its ends."
}

/// What the reference says of the rows of workspaces.
pub fn operations() -> Vec<Operation> {
    let cleared = may("description", description()).says("`null` clears it.").shown();
    let with_key = || Shape::Named("WorkspaceWithKey");
    vec![
        get("/api/v1/workspaces", "list_workspaces", "List workspaces")
            .lists("By name.", Shape::Named("Workspace")),
        post("/api/v1/workspaces", "create_workspace", "Create a workspace")
            .says("One for each of your customers. It has a publishable key from the start.")
            .takes(open([
                need("name", workspace_name()).says(name_about()),
                may("description", description()).shown(),
            ]))
            .answers(201, "The new workspace.", closed([need("workspace", with_key())]))
            .problems(&[409]),
        get("/api/v1/workspaces/:id", "get_workspace", "Get a workspace").answers(
            200,
            "The workspace with its publishable key.",
            with_key(),
        ),
        put("/api/v1/workspaces/:id", "replace_workspace", "Rename or describe a workspace")
            .takes(open([need("name", workspace_name()).says(name_about()), cleared.clone()]))
            .answers(200, "The workspace as it is now.", Shape::Named("Workspace"))
            .problems(&[409]),
        patch("/api/v1/workspaces/:id", "update_workspace", "Change a workspace")
            .says("What is left out is kept.")
            .takes(open([may("name", workspace_name()).says(name_about()), cleared]))
            .answers(200, "The workspace as it is now.", Shape::Named("Workspace"))
            .problems(&[409]),
    ]
}
