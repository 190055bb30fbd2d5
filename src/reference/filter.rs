//! Payload filters of rules.

use serde_json::{Value, json};

use crate::domain::base::limits::{FILTER_CONDITIONS_MAX, FILTER_LIST_MAX, FILTER_PATH_CHARS_MAX};
use crate::reference::leaves::{any_object, flag, leaf, text, truth, words};
use crate::reference::operation::{Operation, post};
use crate::reference::shape::{Names, Shape, closed, given, may, need, open, some_of, strict};

/// What a filter compares with.
fn scalar(example: impl Into<Value>) -> Shape {
    leaf(json!({"type": ["string", "number", "boolean", "null"]}), example)
}

/// What has an order.
fn ordered(example: impl Into<Value>) -> Shape {
    leaf(json!({"type": ["string", "number"]}), example)
}

/// The shapes of filters.
pub fn shapes() -> Names {
    let path = json!({"type": "string", "minLength": 1, "maxLength": FILTER_PATH_CHARS_MAX});
    let condition = strict([
        need("path", leaf(path, "order.total"))
            .says("Keys, and places from 0 in arrays, with dots between; all beside it must hold."),
        given("eq", scalar("EUR")).says("It is this."),
        given("ne", scalar("EUR")).says("It is not this."),
        given("in", some_of(scalar("EUR"), 1, FILTER_LIST_MAX)).says("It is one of these."),
        given("gt", ordered(100)).shown().says("It is above, or sorts after this."),
        given("lt", ordered(100)).says("It is below, or sorts before this."),
        given("exists", flag(true)).says("It is there, even as `null`; or it is not."),
        given("starts_with", text("TEST-")).says("It is a string that begins so."),
    ]);
    let all = || some_of(Shape::Named("Filter"), 1, FILTER_CONDITIONS_MAX);
    let filter = Shape::OneOf(vec![
        Shape::Named("Condition"),
        strict([need("and", all())]),
        strict([need("or", all())]),
        strict([need("not", Shape::Named("Filter"))]),
    ]);
    vec![("Filter", filter), ("Condition", condition)]
}

/// What the reference says of the row that tries a filter out.
pub fn operations() -> Vec<Operation> {
    let sample = any_object(json!({"order": {"total": 120, "currency": "EUR"}}));
    let passed = closed([need("matches", truth())]);
    let not = closed([
        need("matches", leaf(json!({"type": "boolean", "const": false}), false)),
        need("reason", words("order.total gt 100")).says("The condition that did not hold."),
    ]);
    vec![
        post("/api/v1/rules/test-filter", "test_filter", "Try a filter out")
            .says("Whether this payload would pass. Nothing is stored or sent.")
            .takes(open([need("filter", Shape::Named("Filter")), need("payload", sample)]))
            .problems(&[422])
            .answers(200, "Whether it passes, and if not, why.", Shape::OneOf(vec![passed, not])),
    ]
}

/// The filter of a rule.
pub fn field() -> super::shape::Field {
    may("filter", Shape::Named("Filter")).says("Only events with such a payload.")
}
