//! The page of a problem, at the path that is its `type`.

use maud::html;

use crate::reference::page::document;
use crate::reference::problems::Problem;
use crate::reference::words::prose;

/// The text of the page.
pub fn render(problem: &Problem) -> String {
    let body = html! {
        header.top {
            a.name href="/docs" { "Posthorn" }
            span.links { a href="/docs#errors" { "All problems" } }
        }
        main.alone {
            h1 { (problem.title) }
            p.call { span.status { (problem.status) } " " code { "/problems/" (problem.name) } }
            h2 { "What happened" }
            p { (prose(problem.meaning)) }
            h2 { "What to do" }
            p { (prose(problem.advice)) }
            p {
                "Every error has the same shape, "
                a href="/docs#schema-Problem" { "Problem" }
                ". Its " code { "request_id" } " finds the request in the logs."
            }
        }
    };
    document(&format!("{} - Posthorn", problem.title), None, &body)
}
