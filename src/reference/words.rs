//! Shapes in words for people, and the little markup of descriptions.

use maud::{Markup, html};
use serde_json::Value;

use crate::reference::shape::{Field, Shape};

/// A description, with what stands between backticks as code.
pub fn prose(text: &str) -> Markup {
    let parts = text.split('`').enumerate();
    html! {
        @for (index, part) in parts {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// What stands at a field: its type and its limits.
pub fn kind(shape: &Shape) -> Markup {
    match shape {
        Shape::Leaf(schema, _) => html! { (leaf(schema)) },
        Shape::Named(name) => html! { a href={ "#schema-" (name) } { (name) } },
        Shape::List(items, least, most) => html! {
            "array of " (kind(items))
            @if let Some(most) = most { ", " (least) " to " (most) }
        },
        Shape::Object(_) => html! { "object" },
        Shape::Nullable(inner) => html! { (kind(inner)) " or null" },
        Shape::OneOf(shapes) | Shape::AnyOf(shapes) => html! {
            @for (index, shape) in shapes.iter().enumerate() {
                @if index > 0 { " or " }
                (kind(shape))
            }
        },
    }
}

fn leaf(schema: &Value) -> Markup {
    let text = |key: &str| schema[key].as_str();
    let number = |key: &str| schema[key].as_i64();
    let words = schema["enum"].as_array();
    let is_of = |kind: &str| {
        schema["type"].as_array().is_some_and(|kinds| kinds.iter().any(|one| one == kind))
    };
    let what = match (text("format"), text("type")) {
        (Some("uuid"), _) => "UUID",
        (Some("date-time"), _) => "time, RFC 3339",
        (Some("uri"), _) => "URL",
        (_, Some("integer")) => "whole number",
        (None, None) if is_of("boolean") => "string, number, true, false or null",
        (None, None) if is_of("number") => "string or number",
        (_, Some(kind)) => kind,
        _ => "any value",
    };
    let is_plain_pattern = schema["format"].is_null() && schema["maxLength"].is_null();
    html! {
        @if let Some(words) = words {
            @for (index, word) in words.iter().enumerate() {
                @if index > 0 { ", " }
                code { (word.as_str().unwrap_or_default()) }
            }
        } @else if let Some(only) = schema.get("const") {
            code { (only.as_str().map_or_else(|| only.to_string(), str::to_owned)) }
        } @else {
            (what)
        }
        @if let (Some(least), Some(most)) = (number("minimum"), number("maximum")) {
            ", " (least) " to " (most)
        }
        @if let Some(most) = number("maxLength") { ", at most " (most) " characters" }
        @if let (Some(pattern), true) = (text("pattern"), is_plain_pattern) {
            " " code.pattern { (pattern) }
        }
        @if let Some(default) = schema.get("default").filter(|default| **default != "") {
            ", default "
            code { (default.as_str().map_or_else(|| default.to_string(), str::to_owned)) }
        }
    }
}

/// The rows of a table of fields; objects inside are shown below by their paths.
pub fn rows(fields: &[Field]) -> Markup {
    below("", fields)
}

fn below(path: &str, fields: &[Field]) -> Markup {
    html! {
        @for field in fields {
            tr {
                th scope="row" {
                    code { (path) (field.name) }
                    @if !field.required { span.optional { "optional" } }
                }
                td {
                    span.kind { (kind(told(field))) }
                    @if !field.about.is_empty() { br; (prose(field.about)) }
                }
            }
            (below(&format!("{path}{}{}", field.name, step(&field.shape)), inner(&field.shape)))
        }
    }
}

/// What is told of a field: that `null` is the same as nothing is told once for all.
fn told(field: &Field) -> &Shape {
    match &field.shape {
        Shape::Nullable(inner) if field.null_is_absent => inner,
        shape => shape,
    }
}

/// How a path goes on into this.
fn step(shape: &Shape) -> &'static str {
    match shape {
        Shape::List(..) => "[].",
        Shape::Nullable(inner) => step(inner),
        _ => ".",
    }
}

/// The fields of the objects in a field.
fn inner(shape: &Shape) -> &[Field] {
    match shape {
        Shape::List(items, ..) => inner(items),
        Shape::Nullable(of) => inner(of),
        other => other.fields(),
    }
}
