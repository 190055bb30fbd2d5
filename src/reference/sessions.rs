//! Sessions of the embed.

use serde_json::json;
use strum::VariantNames;

use crate::domain::tenants::origins::ORIGINS_MAX;
use crate::domain::tenants::session::{
    LAUNCH_TTL_S, LaunchPage, READ_PAYLOADS, Role, SessionType, TTL_S,
};
use crate::domain::tenants::session_path::PATH_CHARS_MAX;
use crate::reference::leaves::{
    count, example_id, external_id, flag, given_id, id, leaf, name, one_of, only, resource_id,
    time, truth, whole, words,
};
use crate::reference::operation::{Operation, delete, get, post};
use crate::reference::organizations::origin;
use crate::reference::shape::{Field, Names, Shape, closed, list_of, may, need, open, some_of};

/// States of a session in its record.
const STATUSES: [&str; 2] = ["active", "revoked"];
/// States by which a list is filtered: one that expired is not `active` there.
const FILTERED_STATUSES: [&str; 3] = ["active", "expired", "revoked"];

fn fields() -> Vec<Field> {
    vec![
        need("session_id", id("session")),
        need("workspace_id", id("workspace")),
        need("role", one_of(Role::VARIANTS)),
        need("session_type", one_of(SessionType::VARIANTS)),
        need("expires_at", time()),
        may("resource", words("order")),
        may("resource_id", words("ord_1001")),
    ]
}

fn with_token() -> Vec<Field> {
    let mut all = fields();
    all.push(
        need("access_token", words("pst_access.0.5b0c")).says(
            "Opens the embed only. The page that shows the embed hands it on; shown this once.",
        ),
    );
    all.push(need("expires_in", count(TTL_S.2 as u64)).says("Seconds until `expires_at`."));
    all
}

/// The shapes of sessions.
pub fn shapes() -> Names {
    let url = format!("https://posthorn.example.com/embed/s/{}/launch", example_id("session"));
    let launch = [
        need("launch_token", words("pst_launch.0.5b0c")).says("Used once."),
        need("launch_expires_at", time()),
        need("launch_url", words(&url)).says("The `src` of the iframe."),
    ];
    let more = [
        need("id", id("session")),
        need("status", one_of(&STATUSES)),
        need("is_expired", flag(false)),
        may("external_user_id", words("ann")).shown(),
        need("scopes", list_of(only(READ_PAYLOADS))),
        need("allowed_origins", list_of(words("https://app.example.com"))),
        need("launch_page", one_of(LaunchPage::VARIANTS)),
        may("path", words("/events?status=failed")).says("Where its launch begins instead."),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        may("launched_at", time()),
        may("revoked_at", time()),
    ];
    vec![
        ("LaunchedSession", closed(with_token().into_iter().chain(launch))),
        ("RefreshedSession", closed(with_token())),
        ("Session", closed(fields().into_iter().chain(more))),
    ]
}

/// A path below a session, see `domain::tenants::session_path::check_path`.
fn path() -> Shape {
    let pattern = "^/([!\"$-.0-\\[\\]-~][!\"$-\\[\\]-~]*)?$";
    let schema = json!({"type": "string", "maxLength": PATH_CHARS_MAX, "pattern": pattern});
    leaf(schema, "/events?status=failed")
}

fn seconds((least, most, default): (i64, i64, i64)) -> Shape {
    whole(least, most, default)
}

/// What the reference says of the rows of sessions.
pub fn operations() -> Vec<Operation> {
    let wanted = open([
        need("workspace_id", given_id("workspace")),
        may("role", one_of(Role::VARIANTS)).or("member").says(
            "`member` reads, sends test events and retries; `admin` and `owner` also change \
             connections and rules and rotate secrets.",
        ),
        may("session_type", one_of(SessionType::VARIANTS)).or("workspace").says(
            "`workspace` shows everything; `dashboard` the overview, read only; `resource` \
                 overview, rules and events of the one resource that the two fields below name, \
                 and no connections.",
        ),
        may("resource", name("order")),
        may("resource_id", resource_id()),
        may("external_user_id", external_id("ann")).shown(),
        may("ttl_seconds", seconds(TTL_S)).or(TTL_S.2),
        may("launch_ttl_seconds", seconds(LAUNCH_TTL_S)).or(LAUNCH_TTL_S.2),
        may("launch_page", one_of(LaunchPage::VARIANTS))
            .or("dashboard")
            .says("A page that the type does not show is 400."),
        may("path", path()).says(
            "A page below the session, as `onNavigate` names it, query included. It wins over \
             `launch_page`; so does a parameter `path` of `launch_url`.",
        ),
        may("allowed_origins", some_of(origin(), 0, ORIGINS_MAX)).says(
            "Origins that may frame it; by default the organization's. With neither it opens \
                 at top level only.",
        ),
        may("scopes", list_of(only(READ_PAYLOADS))).says("Opens payloads to admins and owners."),
    ]);
    vec![
        post("/api/v1/sessions", "create_session", "Open a session of the embed")
            .says("For whoever is logged in to your product. Put `launch_url` into an iframe.")
            .takes(wanted)
            .answers(200, "The session.", Shape::Named("LaunchedSession"))
            .problems(&[404]),
        get("/api/v1/sessions", "list_sessions", "List a workspace's sessions")
            .needed_query("workspace_id", given_id("workspace"), "Of which workspace.")
            .lists("Newest first.", Shape::Named("Session"))
            .query(
                "status",
                one_of(&FILTERED_STATUSES),
                "Only sessions in this state; `active` are those that have not expired.",
            )
            .query("resource", name("order"), "Only sessions limited to this kind of thing.")
            .query("resource_id", resource_id(), "Only sessions limited to this thing.")
            .problems(&[404]),
        post("/api/v1/sessions/:id/refresh", "refresh_session", "Refresh a session")
            .says("It goes on for `ttl_seconds` from now. 409 when it is over.")
            .answers(200, "A new access token.", Shape::Named("RefreshedSession"))
            .problems(&[409]),
        delete("/api/v1/sessions/:id", "revoke_session", "Revoke a session")
            .says("It is over at once.")
            .answers(200, "It is over.", closed([need("revoked", truth())])),
    ]
}
