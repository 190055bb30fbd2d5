//! The fields of persons, and the mappings that fill them from payloads.

use serde_json::json;

use crate::domain::routing::mapping::schema::{
    DEFAULT_CHARS_MAX, FIELDS_MAX, LITERAL_CHARS_MAX, NAME_CHARS_MAX, NOTES_CHARS_MAX, ON_ERROR,
    PATH_CHARS_MAX, TRANSFORMS, TRANSFORMS_MAX,
};
use crate::reference::destinations::kinds;
use crate::reference::leaves::{
    flag, given_id, id, leaf, one_of, text, text_up_to, time, whole, words,
};
use crate::reference::operation::{Operation, get, put};
use crate::reference::shape::{Names, Shape, closed, list_of, may, need, open, some_of};

/// The largest whole number that every reader takes.
const MOST: i64 = (1 << 53) - 1;

/// The shapes of fields and mappings.
pub fn shapes() -> Names {
    let constraints = closed([
        may("format", one_of(&["email", "phone"])).shown(),
        may("required", flag(true)).shown(),
    ]);
    let field = closed([
        need("key", words("email")),
        need("label", words("E-mail")),
        need("type", one_of(&["string", "enum", "unknown"])),
        may("constraints", constraints).shown(),
    ]);
    let mapping = closed([
        need("id", id("mapping")),
        need("mapping_id", id("mapping")),
        need("version", whole(0, MOST, 1)).says("0 as long as none is stored."),
        need("workspace_id", id("workspace")),
        need("connection_id", id("connection")),
        need("integration_type", kinds()),
        need("name", words("default")),
        need("schema", Shape::Named("MappingSchema")),
        need("catalog_version", words("1")),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        need("updated_at", time()),
    ]);
    vec![
        ("PersonField", field),
        ("DefaultMapping", mapping),
        ("MappingSchema", schema()),
        ("MappingField", mapping_field()),
    ]
}

fn plain(chars_max: usize, example: &str) -> Shape {
    let text = json!({"type": "string", "minLength": 1, "maxLength": chars_max});
    let kinds = json!([text, {"type": "number"}, {"type": "boolean"}, {"type": "null"}]);
    leaf(json!({ "anyOf": kinds }), example)
}

fn mapping_field() -> Shape {
    let on_error: Vec<&str> = ON_ERROR.iter().map(|(word, _)| *word).collect();
    let source = closed([
        need("type", one_of(&["path", "literal"])),
        need("value", plain(LITERAL_CHARS_MAX, "user.first_name"))
            .says("A path from the payload's root, or the value itself."),
    ]);
    let transform = closed([
        need("type", one_of(&TRANSFORMS)),
        may("timezone", text("+02:00")).says("`UTC` or an offset, for `to_date`, `to_datetime`."),
        may("value", plain(DEFAULT_CHARS_MAX, "free")).says("Of `default`."),
        may("start", whole(0, MOST, 0)).says("Of `substring`: the first character, from 0."),
        may("length", whole(1, MOST, 10)).says("Of `substring`: how many."),
    ]);
    closed([
        need("dest", text_up_to(PATH_CHARS_MAX, "firstname")).says("A field of the provider's."),
        need("source", source),
        may("transforms", some_of(transform, 0, TRANSFORMS_MAX)).says("Applied in order."),
        may("on_error", one_of(&on_error))
            .says("What happens without a value: `skip_field` by default."),
        may("notes", text_up_to(NOTES_CHARS_MAX, "As in the CRM.")),
    ])
}

fn schema() -> Shape {
    let meta = closed([
        may("name", text_up_to(NAME_CHARS_MAX, "People")),
        may("notes", text_up_to(NOTES_CHARS_MAX, "For the newsletter.")),
    ]);
    closed([
        need("schema_version", whole(1, 1, 1)),
        need("fields", some_of(Shape::Named("MappingField"), 0, FIELDS_MAX)),
        may("meta", meta),
    ])
}

/// What the reference says of their rows.
pub fn operations() -> Vec<Operation> {
    let fields = closed([
        need("id", id("fields")),
        need("workspace_id", id("workspace")),
        need("connection_id", id("connection")),
        need("integration_type", kinds()),
        need("catalog_version", words("1")),
        need("refreshed_at", time()).says("When the fields were last read from the provider."),
        need("created_by", words("mk_3Jb9kq0Rz5TnWc8Yl2XeVd1M")),
        need("created_at", time()),
        need("updated_at", time()),
        need("fields", list_of(Shape::Named("PersonField"))),
    ]);
    let answer = || {
        closed([
            need("status", one_of(&["stored", "generated"])),
            need("mapping", Shape::Named("DefaultMapping")),
        ])
    };
    let body = open([
        need("schema", Shape::Named("MappingSchema")),
        may("name", text_up_to(NAME_CHARS_MAX, "default")),
        may("workspace_id", given_id("workspace")),
        may("mapping_id", given_id("mapping")),
        may("expected_version", whole(0, MOST, 1))
            .says("The version that it takes the place of; another one is 409."),
    ]);
    let path = "/api/v1/connections/:id/mappings/default";
    vec![
        get(
            "/api/v1/connections/:id/fields",
            "list_connection_fields",
            "List a connection's fields",
        )
        .says(
            "The fields of the provider's persons that every account has; a mapping can name \
             others. Destinations without persons have none.",
        )
        .answers(200, "The fields.", fields),
        get(path, "get_default_mapping", "Get a connection's default mapping")
            .says(
                "Where each field of the provider's persons comes from in a payload. Without a \
                 stored mapping, what is used in its place. Destinations without persons have \
                 none: this is 404.",
            )
            .answers(200, "The mapping.", answer()),
        put(path, "put_default_mapping", "Put a connection's default mapping")
            .says("It counts from the next attempt on. An invalid mapping is 422.")
            .takes(body)
            .answers(200, "The mapping as it is stored.", answer())
            .problems(&[409, 422]),
    ]
}
