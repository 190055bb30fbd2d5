//! Replays.

use crate::domain::base::time::HOUR_MS;
use crate::domain::delivery::replay::{REPLAYED_STATUSES, Status};
use crate::reference::leaves::{count, flag, given_id, given_time, id, name, one_of, time, words};
use crate::reference::operation::{Operation, delete, get, post};
use crate::reference::shape::{Names, Shape, closed, may, need, open};

const STATUSES: [Status; 3] = [Status::Running, Status::Completed, Status::Canceled];

/// The shapes of replays.
pub fn shapes() -> Names {
    let replay = closed([
        need("id", id("replay")),
        need("workspace", id("workspace")),
        need("status", one_of(&STATUSES.map(Status::as_str))),
        need("replays", one_of(&REPLAYED_STATUSES)).says("The status that was asked for."),
        may("connection", id("connection")),
        may("event", words("order.completed")),
        need("since", time()),
        need("until", time()),
        need("count", count(12)).says("Deliveries that were chosen when it was created."),
        need("replayed", count(12)).says("Those of them that were sent so far."),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        may("completed_at", time()),
    ]);
    vec![("Replay", replay)]
}

/// What the reference says of the rows of replays.
pub fn operations() -> Vec<Operation> {
    let replay = || Shape::Named("Replay");
    vec![
        post("/api/v1/workspaces/:id/replays", "create_replay", "Replay a range of time")
            .says(
                "Sends once more what failed, was delivered or was canceled, or sends what is \
                 missing: what by today's rules would be owed and is not. Each delivery gets its \
                 whole retry schedule again, keeps its message id, and is signed afresh. At most \
                 10,000 deliveries and 14 days, and for what is missing 10,000 events; more is \
                 422.",
            )
            .takes(open([
                need("since", given_time(-HOUR_MS)).says("Events accepted from this moment on"),
                need("until", given_time(0)).says("and before this one."),
                may("status", one_of(&REPLAYED_STATUSES)).or(REPLAYED_STATUSES[0]),
                may("connection", given_id("connection")).says("Only this connection's."),
                may("event", name("order.completed")).says("Only events of this name."),
                may("dry_run", flag(true)).shown().or(false).says("Only counts."),
            ]))
            .answers(
                200,
                "With `dry_run`: how many deliveries it would be.",
                closed([need("count", count(12))]),
            )
            .answers(
                201,
                "The replay, which goes on by itself.",
                closed([need("replay", replay())]),
            )
            .problems(&[409, 422]),
        get("/api/v1/workspaces/:id/replays", "list_replays", "List a workspace's replays")
            .lists("Newest first.", replay()),
        get("/api/v1/replays/:id", "get_replay", "Get a replay").answers(
            200,
            "How far it is.",
            replay(),
        ),
        delete("/api/v1/replays/:id", "cancel_replay", "Stop a replay")
            .says("What it has not come to stays as it is. One that is over stays what it is.")
            .answers(200, "The replay as it is now.", replay()),
    ]
}
