//! Organizations and whether the installation answers.

use crate::domain::tenants::origins::ORIGINS_MAX;
use crate::reference::leaves::{
    access_key, flag, label, matching, only, organization_id, secret_key,
};
use crate::reference::leaves::{time, words};
use crate::reference::operation::{Operation, get, patch, post};
use crate::reference::shape::{Names, Shape, closed, list_of, may, need, open, some_of};

/// An origin that may show the embed, see `domain::session::check_origins`.
pub fn origin() -> Shape {
    matching("^https?://[^/?#@\\s]+$", "https://app.example.com")
}

/// The shapes of organizations.
pub fn shapes() -> Names {
    let organization = closed([
        need("id", organization_id()),
        need("name", words("Example Shop")),
        need("allowed_origins", list_of(words("https://app.example.com")))
            .says("Origins that may frame the embed where a session names none."),
        need("secrets_in_embed_only", flag(false)).says(
            "Whether signing secrets and receiver credentials are set in the embed only, and \
             refused from machine keys.",
        ),
        need("created_at", time()),
    ]);
    vec![("Organization", organization)]
}

/// What the reference says of the rows of organizations.
pub fn operations() -> Vec<Operation> {
    let created = closed([
        need("organization", {
            let name = need("name", words("Example Shop"));
            closed([need("id", organization_id()), name, need("created_at", time())])
        }),
        need(
            "machine_key",
            closed([
                need("access_key", access_key()),
                need("secret_key", secret_key()).says("Shown this once."),
            ]),
        ),
    ]);
    vec![
        post("/api/v1/organizations", "create_organization", "Create an organization")
            .says("For the operator of the installation, with a first machine key.")
            .takes(open([need("name", label("Example Shop"))]))
            .answers(201, "The organization and its key.", created),
        get("/api/v1/organization", "get_organization", "Get your organization").answers(
            200,
            "The caller's own.",
            Shape::Named("Organization"),
        ),
        patch("/api/v1/organization", "update_organization", "Change your organization")
            .says("What is left out is kept.")
            .takes(open([
                may("name", label("Example Shop")),
                may("allowed_origins", some_of(origin(), 0, ORIGINS_MAX)).shown(),
                may("secrets_in_embed_only", flag(false)),
            ]))
            .answers(200, "The organization as it is now.", Shape::Named("Organization")),
    ]
}

/// What the reference says of the row that tells whether the installation answers.
pub fn health() -> Vec<Operation> {
    let healthy = closed([need("status", only("ok")), need("version", words("0.1.0"))]);
    vec![
        get("/health", "get_health", "Ask whether the installation answers")
            .answers(200, "It does.", healthy),
    ]
}
