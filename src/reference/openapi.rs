//! The OpenAPI 3.1 document.

use serde_json::{Map, Value, json};

use crate::domain::routing::idempotency;
use crate::http::access::Access;
use crate::reference::Reference;
use crate::reference::operation::{Operation, Param, Row};
use crate::reference::problems::{Problem, of_status, problems};
use crate::reference::shape::Shape;

/// The text of the document.
pub fn render(reference: &Reference) -> String {
    let text = serde_json::to_string_pretty(&document(reference)).unwrap_or_default();
    text + "\n"
}

/// The document.
pub fn document(reference: &Reference) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for section in &reference.sections {
        for (row, operation) in &section.operations {
            let path = operation.path_with(|name| format!("{{{name}}}"));
            let at = paths.entry(path).or_insert_with(|| json!({}));
            let method = row.method.as_str().to_ascii_lowercase();
            at[method] = described(reference, section.title, row, operation);
        }
    }
    let tag = |title: &str, about: &str| json!({"name": title, "description": about});
    let tags = reference.sections.iter().map(|section| tag(section.title, section.about));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Posthorn",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Outbound webhooks at the edge: emit one event, and every customer \
                whose rule matches it receives a signed HTTPS request.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "This installation"}],
        "externalDocs": {"url": "/docs", "description": "The same for people"},
        "tags": tags.collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "securitySchemes": security_schemes(),
            "schemas": reference.names.iter()
                .map(|(name, shape)| ((*name).to_owned(), shape.schema()))
                .collect::<Map<_, _>>(),
            "responses": problems().iter()
                .map(|problem| (problem.name.to_owned(), response(problem)))
                .collect::<Map<_, _>>(),
        },
    })
}

fn security_schemes() -> Value {
    json!({
        "publishable_key": {
            "type": "apiKey", "in": "header", "name": "X-Meshes-Publishable-Key",
            "description": "The publishable key of a workspace, which may only emit events.",
        },
        "machine_token": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "A JWT signed with HS256 by a machine key of the organization. Header: \
                alg, typ, kid (the access key). Claims: iss (urn:meshes:m2m:<access key>), aud \
                (meshes-api), org, iat, and exp at most 60 seconds later.",
        },
        "admin_token": {
            "type": "http", "scheme": "bearer",
            "description": "The operator's ADMIN_TOKEN.",
        },
    })
}

fn security(access: Access) -> Value {
    match access {
        Access::Emit => json!([{"publishable_key": []}, {"machine_token": []}]),
        Access::Machine => json!([{"machine_token": []}]),
        Access::Admin => json!([{"admin_token": []}]),
        _ => json!([]),
    }
}

fn described(reference: &Reference, tag: &str, row: &Row, operation: &Operation) -> Value {
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [tag],
        "security": security(row.access),
        "responses": responses(reference, row, operation),
    });
    if !operation.about.is_empty() {
        described["description"] = json!(operation.about);
    }
    let in_path = operation.path_params().into_iter().map(|name| {
        let about = "";
        let param = Param { name, shape: operation.path_shape(name), required: true, about };
        parameter("path", &param)
    });
    let query = operation.query.iter().map(|param| parameter("query", param));
    let headers = operation.headers.iter().map(|param| parameter("header", param));
    let parameters: Vec<Value> = in_path.chain(query).chain(headers).collect();
    if !parameters.is_empty() {
        described["parameters"] = json!(parameters);
    }
    if let Some((shape, required)) = &operation.body {
        described["requestBody"] = json!({
            "required": required,
            "content": {"application/json": media(reference, shape)},
        });
    }
    described
}

fn parameter(place: &str, param: &Param) -> Value {
    let mut shown = json!({"name": param.name, "in": place, "schema": param.shape.schema()});
    if param.required {
        shown["required"] = json!(true);
    }
    if !param.about.is_empty() {
        shown["description"] = json!(param.about);
    }
    // A cursor that stands for all is none that a list has given.
    if let (Shape::Leaf(_, example), true) = (&param.shape, param.name != "cursor") {
        shown["example"] = example.clone();
    }
    shown
}

fn media(reference: &Reference, shape: &Shape) -> Value {
    json!({"schema": shape.schema(), "example": shape.example(&reference.names)})
}

fn responses(reference: &Reference, row: &Row, operation: &Operation) -> Value {
    let mut responses = Map::new();
    for answer in &operation.answers {
        let mut shown = json!({
            "description": answer.about,
            "headers": headers(false),
            "content": {"application/json": media(reference, &answer.shape)},
        });
        if operation.headers.iter().any(|header| header.name == idempotency::HEADER) {
            shown["headers"]["Idempotent-Replayed"] = json!({
                "description": "There when this is the answer to an earlier request.",
                "schema": {"type": "string", "const": "true"},
            });
        }
        responses.insert(answer.status.to_string(), shown);
    }
    for status in operation.problem_statuses(row) {
        if let Some(problem) = of_status(status) {
            let reference = format!("#/components/responses/{}", problem.name);
            responses.insert(status.to_string(), json!({"$ref": reference}));
        }
    }
    Value::Object(responses)
}

fn response(problem: &Problem) -> Value {
    json!({
        "description": format!("{} {}", problem.meaning, problem.advice),
        "headers": headers(problem.retries),
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}},
        },
    })
}

fn headers(retries: bool) -> Value {
    let id = json!({"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"});
    let mut headers = json!({"X-Request-Id": {
        "description": "Finds this request in the logs; your own is kept.",
        "required": true,
        "schema": id,
    }});
    if retries {
        headers["Retry-After"] = json!({
            "description": "Seconds after which trying again helps.",
            "required": true,
            "schema": {"type": "integer", "minimum": 1},
        });
    }
    headers
}
