//! The product's event types, as its catalogue describes them: what each means and an example.

use maud::{Markup, html};

use crate::domain::base::error::{Error, Result};
use crate::domain::tenants::session::Need;
use crate::embed::frame::layout::{Page, Section, page, path};
use crate::embed::frame::parts;
use crate::embed::text;
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply};
use crate::ports::Platform;
use crate::store::event_types::{self, Listed};
use crate::store::together;

/// `GET /embed/s/{session}/event-types`, with `?key=` for one of them.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let of = &visit.session.organization;
    let key = call.request.query("key");
    let asked = key.as_deref().unwrap_or_default();
    let queries = (event_types::listed(of), event_types::example(of, asked));
    let (listed, example) = together(platform.control(), queries).await?;
    let one = listed.iter().find(|one| key.as_ref() == Some(&one.key));
    if key.is_some() && one.is_none() {
        return Err(Error::not_found("event type"));
    }
    let body = match one {
        Some(one) => of_one(visit, one, example.as_deref()),
        None => of_all(visit, &listed),
    };
    let title = one.map_or(t.catalogue.event_types, |one| one.label.as_str());
    Ok(page(visit, &Page::new(Section::Rules, title), &body))
}

/// The address of an event type's page, below the session.
pub fn below(key: &str) -> String {
    let query: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    format!("event-types?key={query}")
}

fn of_all(visit: &EmbedSession, listed: &[Listed]) -> Markup {
    let t = text::of(visit);
    html! {
        p { a href=(path(visit, "rules")) { "← " (t.rules) } }
        h1 { (t.catalogue.event_types) }
        @if listed.is_empty() { p.hint { (t.catalogue.none) } } @else {
            table.list {
                thead {
                    tr {
                        @for (class, head) in t.catalogue.heads {
                            th scope="col" class=[class] { (head) }
                        }
                    }
                }
                tbody {
                    @for one in listed {
                        tr {
                            td {
                                a href=(path(visit, &below(&one.key))) {
                                    (parts::breakable(&one.key))
                                }
                            }
                            td {
                                (one.label)
                                @if let Some(description) = &one.description {
                                    " " small { (description) }
                                }
                            }
                            td.wide { (one.group.as_deref().unwrap_or_default()) }
                        }
                    }
                }
            }
        }
    }
}

fn of_one(visit: &EmbedSession, one: &Listed, example: Option<&str>) -> Markup {
    let t = text::of(visit);
    let query: String = url::form_urlencoded::byte_serialize(one.key.as_bytes()).collect();
    let (rule, sent) = (format!("rules?event={query}"), format!("events?event={query}"));
    html! {
        p { a href=(path(visit, "event-types")) { "← " (t.catalogue.event_types) } }
        div.heading {
            h1 { (one.label) }
            div.actions {
                (parts::link_button(visit, Need::ManageRules, &rule, t.add_rule, "primary"))
                (parts::link_button(visit, Need::View, &sent, t.catalogue.its_events, "quiet"))
            }
        }
        p { (parts::copyable_word(t, "key", &one.key)) }
        @if let Some(description) = &one.description { p { (description) } }
        @if let Some(example) = example {
            h2 { (t.catalogue.example) }
            (parts::body(t, "example", example))
        }
    }
}
