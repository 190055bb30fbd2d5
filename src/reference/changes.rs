//! Who changed what in a workspace.

use strum::VariantNames;

use crate::domain::tenants::change::{Action, AuthorKind, RecordKind};
use crate::reference::leaves::{external_id, id, one_of, text, time, words};
use crate::reference::operation::{Operation, get};
use crate::reference::shape::{Names, Shape, closed, list_of, may, need};

/// The shapes of changes.
pub fn shapes() -> Names {
    let actor = closed([
        need("kind", one_of(AuthorKind::VARIANTS))
            .says("`staff` is who `npm run admin -- open` let in, `system` is Posthorn itself."),
        need("id", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M"))
            .says("The access key, the session, or of `system` the reason."),
        may("external_user_id", external_id("user_7")).says("The person, as the session named it."),
    ]);
    let record = closed([
        need("type", one_of(RecordKind::VARIANTS)),
        need("id", words("order.completed")).says("Its id, of an event type its key."),
        need("name", text("Orders")).says("What it was called then; of a session its role."),
    ]);
    let change = closed([
        need("id", id("event")),
        need("at", time()),
        need("actor", actor),
        need("record", record),
        need("action", one_of(Action::VARIANTS)),
        need("fields", list_of(words("url")))
            .says("The names of the fields that were changed, never what stands in them."),
    ]);
    vec![("Change", change)]
}

/// What the reference says of the rows of changes.
pub fn operations() -> Vec<Operation> {
    vec![get("/api/v1/workspaces/:id/changes", "list_changes", "List who changed what").lists(
        "Newest first, for 400 days: of the workspace, its publishable key, connections and \
             rules, and of the organization's event types and machine keys.",
        Shape::Named("Change"),
    )]
}
