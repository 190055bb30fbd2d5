//! The event types to choose among when a connection is made.

use maud::{Markup, html};

use crate::embed::text::Texts;
use crate::store::event_types::Listed;

/// The choice, with those that were chosen before.
pub fn render(t: &Texts, catalogue: &[Listed], chosen: &[String]) -> Markup {
    html! {
        fieldset {
            legend { (t.events_to_send) }
            @if catalogue.is_empty() {
                p.hint { (t.no_catalogue) }
            } @else {
                p.hint { (t.events_to_send_hint) }
                div.choices {
                    @for (index, listed) in catalogue.iter().enumerate() {
                        @let group = listed.group.as_deref();
                        @let before = index.checked_sub(1).and_then(|i| catalogue.get(i));
                        @if group.is_some() && before.is_none_or(|b| b.group.as_deref() != group) {
                            p.label { (group.unwrap_or_default()) }
                        }
                        label.choice {
                            input type="checkbox" name="event" value=(listed.key)
                                checked[chosen.contains(&listed.key)];
                            span {
                                strong { (listed.label) } " " code { (listed.key) }
                                @if let Some(description) = &listed.description {
                                    br; small { (description) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// What stands in its place where rules have more to say than an event's name.
pub fn later(t: &Texts) -> Markup {
    html! {
        fieldset {
            legend { (t.events_to_send) }
            p.hint { (t.rules_later) }
        }
    }
}
