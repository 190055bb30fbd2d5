//! The page at `/`: what answers here, and where to go on.

use maud::html;

use crate::reference::page::document;

/// The text of the page.
pub fn render() -> String {
    let body = html! {
        header.top { span.name { "Posthorn" } }
        main.alone {
            h1 { "Webhooks are sent from here" }
            p {
                "This is an installation of Posthorn. A product uses it to send webhooks to its \
                 customers. There is nothing to sign in to on this page."
            }
            h2 { "You build the product" }
            ul {
                li { a href="/docs" { "API reference" } }
                li { a href="/api/v1/openapi.json" { "OpenAPI document" } }
                li { a href="/llms.txt" { "Summary for language models" } }
            }
            h2 { "You received a webhook" }
            p {
                "Your connections, signing secrets and deliveries are in the settings of the \
                 product that sent it."
            }
        }
    };
    document("Posthorn", None, &body)
}
