//! Organizations and whether the installation answers.

use crate::domain::base::storage::STORAGE_LEVELS;
use crate::domain::tenants::origins::ORIGINS_MAX;
use crate::reference::leaves::{
    access_key, count, flag, given_id, id, label, matching, one_of, only, organization_id,
    secret_key,
};
use crate::reference::leaves::{time, words};
use crate::reference::operation::{Operation, delete, get, patch, post};
use crate::reference::retention::{kept, retention};
use crate::reference::shape::{Field, Names, Shape, closed, list_of, may, need, open, some_of};

/// An origin that may show the embed, see `domain::session::check_origins`.
pub fn origin() -> Shape {
    matching("^https?://[^/?#@\\s]+/?$", "https://app.example.com")
}

/// The shapes of organizations.
pub fn shapes() -> Names {
    let organization = closed(
        [
            need("id", organization_id()),
            need("name", words("Example Shop")),
            need("allowed_origins", list_of(words("https://app.example.com")))
                .says("Origins that may frame the embed where a session names none."),
            need("secrets_in_embed_only", flag(false)).says(
                "Whether signing secrets and receiver credentials are set in the embed only, and \
             refused from machine keys.",
            ),
            need("trace_context", flag(true)).says(
                "Whether receivers are told the trace that an event belongs to: `traceparent` of \
                 the emit goes on to them with a new parent (W3C Trace Context).",
            ),
            need("suspended", flag(false)).says("Whether the operator has suspended it."),
            need("created_at", time()),
            may("operational_workspace", id("workspace")).says(
                "The workspace into which the installation emits what you should know, as events \
                 named `posthorn.*`.",
            ),
        ]
        .into_iter()
        .chain(kept()),
    );
    vec![("Organization", organization), ("MasterKeys", closed(master_keys()))]
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
        get("/api/v1/organizations/:id", "get_any_organization", "Get an organization")
            .says("For the operator of the installation.")
            .answers(200, "The organization.", Shape::Named("Organization")),
        patch("/api/v1/organizations/:id", "update_any_organization", "Change an organization")
            .if_match()
            .says(
                "For the operator of the installation. What is left out is kept. A suspended \
                 organization emits nothing (403), its deliveries are held, and its customers' \
                 pages are read only; what was held is sent once it is not suspended any more.",
            )
            .takes(open(changes().into_iter().chain(
                [
                    may("suspended", flag(true)).shown(),
                    may("operational_workspace", given_id("workspace")).says(
                        "The workspace into which the installation emits what you should know.",
                    ),
                ],
            )))
            .answers(200, "The organization as it is now.", Shape::Named("Organization")),
        delete("/api/v1/organizations/:id", "delete_organization", "Delete an organization")
            .if_match()
            .says(
                "For the operator of the installation. Takes effect at once: its keys are refused \
                 and nothing of it is sent. All that it had is erased step by step.",
            )
            .answers(200, "It is gone.", closed([need("id", organization_id())])),
        get("/api/v1/organization", "get_organization", "Get your organization").answers(
            200,
            "The caller's own.",
            Shape::Named("Organization"),
        ),
        patch("/api/v1/organization", "update_organization", "Change your organization")
            .if_match()
            .says("What is left out is kept.")
            .takes(open(changes()))
            .answers(200, "The organization as it is now.", Shape::Named("Organization")),
    ]
}

fn changes() -> Vec<Field> {
    [
        may("name", label("Example Shop")),
        may("allowed_origins", some_of(origin(), 0, ORIGINS_MAX)).shown(),
        may("secrets_in_embed_only", flag(false)),
        may("trace_context", flag(true)),
    ]
    .into_iter()
    .chain(retention())
    .collect()
}

/// What the reference says of the row that tells whether the installation answers.
pub fn health() -> Vec<Operation> {
    let shard = closed([
        need("shard", count(0)),
        need("bytes", count(1_234_567)),
        need("percent", count(12)).says("Of the 10 GB that its database holds."),
        need("level", one_of(&STORAGE_LEVELS)).says(
            "`filling` from 70 %; `nearly_full` from 90 %: no new workspaces; `full` from 97 %: \
             emits are 503.",
        ),
    ]);
    let vitals = closed([
        need("shard", count(0)),
        need("open", count(12)).says("Deliveries that owe an attempt; at most 10,000 are counted."),
        need("oldest_overdue_seconds", count(0)),
        need("queue_lag_seconds", count(0))
            .says("The same of attempts that only the queue keeps waiting."),
    ]);
    let intake = closed([
        need("intake", count(0)),
        may("waiting", count(0)).says(
            "Events that it has accepted and that are not in LOG yet; missing where it does not \
             answer.",
        ),
        may("oldest_waiting_seconds", count(0)),
        may("keys_percent", count(0)).says(
            "How much of what the idempotency keys of 24 hours may take is taken: from 100 on it \
             takes no new ones.",
        ),
    ]);
    let healthy = closed([
        need("status", only("ok")),
        need("version", words("0.1.0")),
        need("schema", {
            let of = |name| need(name, words("0001_initial"));
            closed([of("control"), of("log")])
        })
        .says("The newest migrations of this version."),
        may("notice", words("Deliveries are slow today; nothing is lost."))
            .says("What the operator tells everybody (`NOTICE`)."),
        may("deliveries", list_of(vitals))
            .says("With the admin token: what is owed on each shard, and how late it is."),
        may("intakes", list_of(intake)).says("With the admin token: what waits to be in LOG."),
        may("storage", list_of(shard)).says("With the admin token: each shard."),
        may("master_keys", Shape::Named("MasterKeys"))
            .says("With the admin token: what each master key has sealed."),
    ]);
    let resealed =
        closed(
            master_keys().into_iter().chain([
                need("resealed", count(100))
                    .says("Records whose values are sealed with the newest key."),
                need("failed", count(0))
                    .says("Records whose values do not open; the log names them."),
            ]),
        );
    vec![
        get("/health", "get_health", "Ask whether the installation answers")
            .problems(&[429])
            .answers(200, "It does.", healthy),
        get("/api/v1/health/keys", "get_master_keys", "Ask what each master key has sealed")
            .says(
                "For the operator of the installation. A key of which nothing is left can be \
                 taken out of `MASTER_KEYS`.",
            )
            .answers(200, "The keys, the newest first.", Shape::Named("MasterKeys")),
        post("/api/v1/health/keys/reseal", "reseal", "Seal with the newest master key")
            .says(
                "For the operator of the installation. It seals some of what older keys have \
                 sealed anew; call it until nothing is left. The cron does the same, in its time.",
            )
            .answers(200, "What was done, and what is left.", resealed),
    ]
}

/// What each master key has sealed.
fn master_keys() -> Vec<Field> {
    let key = closed([
        need("id", words("k2")),
        need("status", one_of(&["newest", "older", "unknown"])).says(
            "`newest` seals, `older` only opens, and what an `unknown` one has sealed cannot be \
             opened: it is not in `MASTER_KEYS`.",
        ),
        need("values", count(12)).says("How many values it has sealed."),
    ]);
    vec![
        need("keys", list_of(key)),
        need("left", count(0)).says("How many values are not sealed with the newest key."),
    ]
}
