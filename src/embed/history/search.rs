//! Which events a list was asked for: the fields of its form, the same in the address of the page,
//! of its older ones and of what is exported from it.

use maud::{Markup, html};
use url::form_urlencoded::Serializer;

use crate::domain::base::error::{Error, Result};
use crate::domain::delivery::state::STATUSES;
use crate::embed::frame::layout::path;
use crate::embed::text::{self, moments};
use crate::http::Call;
use crate::http::access::EmbedSession;
use crate::store::connections::Connection;
use crate::store::events::Filter;

/// What stands in the fields.
#[derive(Debug, Default)]
pub struct Search {
    /// Which events.
    pub filter: Filter,
    /// Only those of this status.
    pub status: Option<String>,
    /// The id of an event or a message.
    pub id: Option<String>,
    since: Option<String>,
    until: Option<String>,
}

impl Search {
    /// Reads the fields from a page's address. A word that is no status and a time that is none ask
    /// for nothing.
    ///
    /// # Errors
    /// `NotFound` when a connection is named that is not among these.
    pub fn read(call: &Call, connections: &[Connection]) -> Result<Self> {
        let asked = |name: &str| {
            let value = call.request.query(name).map(|text| text.trim().to_owned());
            value.filter(|text| !text.is_empty())
        };
        let connection = asked("connection");
        let is_there = |id: &String| connections.iter().any(|one| one.id == *id);
        if connection.as_ref().is_some_and(|id| !is_there(id)) {
            return Err(Error::not_found("connection"));
        }
        let (since, until) = (asked("since"), asked("until"));
        let filter = Filter {
            name: asked("event"),
            resource: asked("resource"),
            resource_id: asked("resource_id"),
            connection,
            since_ms: since.as_deref().and_then(moments::parse_field),
            until_ms: until.as_deref().and_then(moments::parse_field),
        };
        let status = asked("status").filter(|word| STATUSES.contains(&word.as_str()));
        Ok(Self { filter, status, id: asked("q"), since, until })
    }

    /// Whether it leaves anything out.
    pub fn is_all(&self) -> bool {
        self.status.is_none() && self.filter == Filter::default()
    }

    /// The address of the page with the newest of them.
    pub fn newest(&self) -> String {
        format!("events?{}", self.query().finish())
    }

    /// The address of the page that goes on at this cursor.
    pub fn older(&self, cursor: &str) -> String {
        format!("events?{}", self.query().append_pair("cursor", cursor).finish())
    }

    fn query(&self) -> Serializer<'_, String> {
        let fields = [
            ("event", &self.filter.name),
            ("resource", &self.filter.resource),
            ("resource_id", &self.filter.resource_id),
            ("connection", &self.filter.connection),
            ("status", &self.status),
            ("since", &self.since),
            ("until", &self.until),
        ];
        let mut query = Serializer::new(String::new());
        for (name, value) in fields {
            query.extend_pairs(value.as_ref().map(|value| (name, value)));
        }
        query
    }

    /// The form. What is asked for seldom is folded; what it shows can be exported.
    pub fn form(&self, visit: &EmbedSession, connections: &[Connection]) -> Markup {
        let t = text::of(visit);
        let filter = &self.filter;
        let is_of_one = visit.session.resource.is_some();
        let more = [&filter.resource, &filter.resource_id, &self.since, &self.until];
        html! {
            form method="get" action=(path(visit, "events")) role="search" {
                div.filters {
                    (input("event", t.filter_event, &filter.name, t.search.event_example))
                    label { (t.filter_status)
                        select.menu name="status" {
                            option value="" { (t.any) }
                            @for word in STATUSES {
                                option value=(word) selected[Some(word) == self.status.as_deref()]
                                    { ((t.why.status)(word)) }
                            }
                        } }
                    @if connections.len() > 1 {
                        label { ((t.form.field)("connection").0)
                            select.menu name="connection" {
                                option value="" { (t.any) }
                                @for one in connections {
                                    @let is_chosen = filter.connection.as_ref() == Some(&one.id);
                                    option value=(one.id) selected[is_chosen] { (one.name) }
                                }
                            } }
                    }
                    (input("q", t.filter_id, &self.id, t.filter_id_example))
                    div.actions {
                        button { (t.show) }
                        a.button.quiet href=(path(visit, "events")) { (t.clear) }
                    }
                }
                details open[more.iter().any(|field| field.is_some()) && !is_of_one] {
                    summary { (t.search.more) }
                    div.filters {
                        @if !is_of_one {
                            @let (id, label) = (&filter.resource_id, t.filter_resource_id);
                            (input("resource", t.resource, &filter.resource, ""))
                            (input("resource_id", label, id, ""))
                        }
                        (moment("since", t.search.since, &self.since))
                        (moment("until", t.search.until, &self.until))
                    }
                    div.actions {
                        @for (format, label) in t.search.formats {
                            button.quiet name="format" value=(format)
                                formaction=(path(visit, "events/export")) { (label) }
                        }
                    }
                    p.hint { (t.search.export_hint) }
                }
            }
        }
    }
}

fn input(name: &str, label: &str, value: &Option<String>, placeholder: &str) -> Markup {
    html! {
        label { (label)
            input name=(name) value=(value.as_deref().unwrap_or_default()) spellcheck="false"
                placeholder=[Some(placeholder).filter(|text| !text.is_empty())]; }
    }
}

fn moment(name: &str, label: &str, value: &Option<String>) -> Markup {
    html! {
        label { (label)
            input type="datetime-local" name=(name) value=(value.as_deref().unwrap_or_default()); }
    }
}
