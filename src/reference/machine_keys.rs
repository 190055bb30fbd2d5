//! Machine keys.

use crate::reference::leaves::{access_key, label, secret_key, time, words};
use crate::reference::operation::{Operation, delete, get, post};
use crate::reference::shape::{Field, Names, Shape, closed, may, need, open};

fn fields() -> Vec<Field> {
    vec![
        need("access_key", access_key()),
        may("name", words("Deploy")).shown(),
        may("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M"))
            .says("The key that made it; not there for those that the operator made."),
        need("created_at", time()),
    ]
}

/// The shapes of machine keys.
pub fn shapes() -> Names {
    let secret = need("secret_key", secret_key()).says("Shown this once.");
    vec![
        ("MachineKey", closed(fields())),
        ("NewMachineKey", closed(fields().into_iter().chain([secret]))),
    ]
}

/// What the reference says of the rows of machine keys.
pub fn operations() -> Vec<Operation> {
    let made = closed([need("machine_key", Shape::Named("NewMachineKey"))]);
    vec![
        get("/api/v1/machine-keys", "list_machine_keys", "List machine keys")
            .lists("Those that are not revoked, oldest first.", Shape::Named("MachineKey")),
        post("/api/v1/machine-keys", "create_machine_key", "Create a machine key")
            .says("To change keys, create the new one, put it to use, then revoke the old one.")
            .may_take(open([may("name", label("Deploy")).shown()]))
            .answers(201, "The new key with its secret.", made),
        delete("/api/v1/machine-keys/:access_key", "revoke_machine_key", "Revoke a machine key")
            .says("Its tokens are refused at once, also the one that asks. 409 for the last key.")
            .answers(200, "It is revoked.", closed([need("access_key", access_key())]))
            .problems(&[409]),
    ]
}
