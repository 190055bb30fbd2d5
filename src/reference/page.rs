//! The page at `/docs`: the reference for people. It works without its script, `public/docs.js`.

use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

use crate::http::access::Access;
use crate::reference::operation::{Answer, Operation, Row};
use crate::reference::problems::{of_status, problems};
use crate::reference::shape::{Names, Shape, example_text};
use crate::reference::words::{kind, prose, rows};
use crate::reference::{Reference, Section};

/// Where the examples call.
const HOST: &str = "https://posthorn.example.com";

/// The text of the page.
pub fn render(reference: &Reference) -> String {
    let body = html! {
        a.skip href="#main" { "Skip to content" }
        header.top {
            a.name href="/docs" { "Posthorn" }
            span { "API reference, version " (env!("CARGO_PKG_VERSION")) }
            span.links {
                a href="/api/v1/openapi.json" { "openapi.json" }
                a href="/llms.txt" { "llms.txt" }
            }
        }
        div.columns {
            (contents(reference))
            main #main {
                (introduction())
                @for section in &reference.sections { (section_of(reference, section)) }
                (objects(&reference.names))
            }
        }
    };
    document("Posthorn API reference", Some("/docs.js"), &body)
}

/// A whole page, with a script where it has one.
pub fn document(title: &str, script: Option<&str>, body: &Markup) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href="/docs.css";
                @if let Some(script) = script { script src=(script) defer {} }
            }
            body { (body) }
        }
    };
    page.into_string() + "\n"
}

fn anchor(title: &str) -> String {
    title.to_ascii_lowercase().replace(' ', "-")
}

fn contents(reference: &Reference) -> Markup {
    html! {
        nav aria-label="Contents" {
            details {
                summary { "Contents" }
                ul {
                    li { a href="#authentication" { "Authentication" } }
                    li { a href="#errors" { "Errors" } }
                    li { a href="#lists" { "Lists" } }
                    li { a href="#verification" { "Verifying a request" } }
                    li { a href="#embed" { "The customer's page" } }
                }
                @for section in &reference.sections {
                    p { a href={ "#" (anchor(section.title)) } { (section.title) } }
                    ul {
                        @for (_, operation) in &section.operations {
                            li { a href={ "#" (operation.id) } { (operation.summary) } }
                        }
                    }
                }
                p { a href="#objects" { "Objects" } }
            }
        }
    }
}

fn introduction() -> Markup {
    html! {
        h1 { "The API" }
        p {
            "Emit one event, and every customer whose rule matches it receives a signed HTTPS "
            "request. Paths begin with " code { "/api/v1" } ", bodies are JSON, ids are UUIDs, "
            "times are RFC 3339 with milliseconds. In a request, fields that are not known are "
            "ignored, and " code { "null" } " is the same as leaving an optional field out, where "
            "nothing else is said."
        }
        h2 #authentication { "Authentication" }
        dl.callers {
            dt { "Publishable key" }
            dd {
                code { "X-Meshes-Publishable-Key: mesh_pub_..." }
                " belongs to one workspace and may only emit events. Keep it on your server: "
                "whoever has it can emit events that are signed and sent."
            }
            dt { "Machine token" }
            dd {
                code { "Authorization: Bearer <token>" }
                " may do everything in an organization but create others. The token is a JWT, "
                "signed with HS256 by the UTF-8 bytes of a machine key's secret. Header: "
                code { r#"{"alg":"HS256","typ":"JWT","kid":"<access key>"}"# } ". Claims: "
                code { "iss" } " " code { "urn:meshes:m2m:<access key>" } ", " code { "aud" } " "
                code { "meshes-api" } ", " code { "org" } " the organization's id, " code { "iat" }
                ", and " code { "exp" } " at most 60 seconds later."
            }
            dt { "Admin token" }
            dd { "The operator's, to create organizations." }
        }
        p { "What a caller may not see does not exist for it: 404." }
        h2 #errors { "Errors" }
        p {
            "Errors are " code { "application/problem+json" } ", always of the same shape, "
            a href="#schema-Problem" { "Problem" } ". Their " code { "type" }
            " is the path of a page that says what to do."
        }
        table {
            thead { tr { th scope="col" { "Status" } th scope="col" { "Problem" } } }
            tbody {
                @for problem in problems() {
                    tr {
                        th scope="row" { (problem.status) }
                        td {
                            a href={ "/problems/" (problem.name) } { code { (problem.name) } }
                            br; (prose(problem.meaning))
                        }
                    }
                }
            }
        }
        h2 #lists { "Lists" }
        p {
            "A list is a page of " code { "records" } ". Where there are more, "
            code { "next_cursor" } " is a word to send as " code { "cursor" }
            " for the next page. A cursor belongs to its list."
        }
        (for_customers())
    }
}

/// What concerns a product's customers: the requests that they get, and the page that they see.
fn for_customers() -> Markup {
    html! {
        h2 #verification { "Verifying a request" }
        p {
            "By default requests are signed by Standard Webhooks, for which there are libraries in "
            "many languages. " code { "webhook-signature" } " has one or more signatures, "
            code { "v1,<base64>" } ", separated by spaces: HMAC-SHA256 of "
            code { "<webhook-id>.<webhook-timestamp>.<body>" } " over the raw body. The key is "
            "what follows " code { "whsec_" } " in the secret, base64-decoded. Compare in constant "
            "time, refuse a " code { "webhook-timestamp" } " more than 5 minutes off, and drop a "
            code { "webhook-id" } " that was seen before: a request can arrive twice. Any 2xx is "
            "success. Your customers find code for their language on their page."
        }
        h2 #embed { "The customer's page" }
        p {
            "Your backend opens a " a href="#create_session" { "session" } " for whoever is logged "
            "in and gives your page its " code { "launch_url" } ", which opens once. Your page "
            "loads " code { "/embed.js" } " and calls "
            code { "Posthorn.mount(\"#webhooks\", {launch, refresh})" } ", where "
            code { "launch" } " asks your backend for a session and " code { "refresh" }
            " for a new " code { "access_token" } "."
        }
    }
}

fn section_of(reference: &Reference, section: &Section) -> Markup {
    html! {
        section aria-labelledby=(anchor(section.title)) {
            h2 #(anchor(section.title)) { (section.title) }
            p { (prose(section.about)) }
            @for (row, operation) in &section.operations {
                (operation_of(&reference.names, row, operation))
            }
        }
    }
}

fn operation_of(names: &Names, row: &Row, operation: &Operation) -> Markup {
    let path = operation.path_with(|name| format!("{{{name}}}"));
    html! {
        article {
            h3 #(operation.id) { a href={ "#" (operation.id) } { (operation.summary) } }
            p.call { span.method { (row.method.as_str()) } " " code { (path) } }
            @if !operation.about.is_empty() { p { (prose(operation.about)) } }
            p.caller { (caller(row.access)) }
            (parameters(operation))
            (body_of(operation))
            h4 { "Example" }
            pre tabindex="0" { code { (curl(names, row, operation)) } }
            @if !operation.answers.is_empty() { h4 { "Answers" } }
            @for answer in &operation.answers { (answer_of(names, answer)) }
            p.problems {
                "Problems: "
                @for status in operation.problem_statuses(row) {
                    @if let Some(problem) = of_status(status) {
                        a href={ "/problems/" (problem.name) } title=(problem.title) { (status) }
                        " "
                    }
                }
            }
        }
    }
}

fn caller(access: Access) -> &'static str {
    match access {
        Access::Emit => "With a publishable key or a machine token.",
        Access::Machine => "With a machine token.",
        Access::Admin => "With the admin token.",
        _ => "Without credentials.",
    }
}

fn parameters(operation: &Operation) -> Markup {
    let shown = operation.query.iter().map(|param| ("query", param));
    let shown: Vec<_> =
        shown.chain(operation.headers.iter().map(|param| ("header", param))).collect();
    html! {
        @if !shown.is_empty() {
            h4 { "Parameters" }
            table {
                tbody {
                    @for (place, param) in shown {
                        tr {
                            th scope="row" {
                                code { (param.name) }
                                span.optional {
                                    (place) @if !param.required { ", optional" }
                                }
                            }
                            td { span.kind { (kind(&param.shape)) } br; (prose(param.about)) }
                        }
                    }
                }
            }
        }
    }
}

fn body_of(operation: &Operation) -> Markup {
    html! {
        @if let Some((shape, required)) = &operation.body {
            h4 { "Body" @if !required { span.optional { "optional" } } }
            (shape_of(shape))
        }
    }
}

fn shape_of(shape: &Shape) -> Markup {
    html! {
        @if let Shape::OneOf(shapes) | Shape::AnyOf(shapes) = shape {
            @for (index, shape) in shapes.iter().enumerate() {
                @if index > 0 { p.kind { "or" } }
                (shape_of(shape))
            }
        } @else if shape.fields().is_empty() {
            p.kind { (kind(shape)) }
        } @else {
            table { tbody { (rows(shape.fields())) } }
        }
    }
}

fn answer_of(names: &Names, answer: &Answer) -> Markup {
    html! {
        details.answer {
            summary {
                span.status { (answer.status) } " " (prose(answer.about))
            }
            (shape_of(&answer.shape))
            pre tabindex="0" { code { (example_text(&answer.shape, names)) } }
        }
    }
}

fn objects(names: &Names) -> Markup {
    html! {
        section aria-labelledby="objects" {
            h2 #objects { "Objects" }
            @for (name, shape) in names {
                article {
                    h3 #{ "schema-" (name) } { a href={ "#schema-" (name) } { (name) } }
                    (shape_of(shape))
                }
            }
        }
    }
}

/// The operation as a command line.
fn curl(names: &Names, row: &Row, operation: &Operation) -> String {
    let needed = operation.query.iter().filter(|param| param.required);
    let pair = |name: &str, shape: &Shape| match shape.example(names) {
        Value::String(text) => format!("{name}={text}"),
        value => format!("{name}={value}"),
    };
    let query: Vec<String> = needed.map(|param| pair(param.name, &param.shape)).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let mut lines = vec![format!("curl -sS '{HOST}{}{query}'", operation.example_path())];
    if !matches!(row.method.as_str(), "GET") {
        lines[0] = format!("curl -sS -X {} '{HOST}{}'", row.method, operation.example_path());
    }
    match row.access {
        Access::Emit => lines.push("-H \"X-Meshes-Publishable-Key: $KEY\"".to_owned()),
        Access::Machine => lines.push("-H \"Authorization: Bearer $TOKEN\"".to_owned()),
        Access::Admin => lines.push("-H \"Authorization: Bearer $ADMIN_TOKEN\"".to_owned()),
        _ => {}
    }
    if let Some((shape, _)) = &operation.body {
        lines.push("-H 'Content-Type: application/json'".to_owned());
        lines.push(format!("-d '{}'", example_text(shape, names).replace('\'', "'\\''")));
    }
    lines.join(" \\\n  ")
}
