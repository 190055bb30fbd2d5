//! The page of one event: what it carried, whom it was sent to, and what came of it. Deliveries and
//! their attempts stand in a timeline, beside the attempt that is looked at; each attempt has an
//! address of its own, so that all of it works without a script.

use maud::{Markup, html};

use crate::domain::base::error::{Error, Result};
use crate::domain::routing::event::Event;
use crate::embed::frame::layout::{Page, Section, history_tabs, page};
use crate::embed::frame::{live, parts};
use crate::embed::history::attempt::Pane;
use crate::embed::history::payload::payload;
use crate::embed::history::shown::{Selected, Shown, read};
use crate::embed::history::timeline::Timeline;
use crate::embed::text;
use crate::http::{Call, Reply};
use crate::ports::Platform;

/// `GET /embed/s/{session}/events/{id}`: with the newest attempt of the delivery that needs a
/// person most.
pub async fn get<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let shown = read(platform, call, None).await?;
    let selected = shown.deliveries().into_iter().find_map(|(owed, _)| {
        let record = *shown.records(owed).last()?;
        Some(Selected { owed, record })
    });
    Ok(answer(&shown, call, selected, None))
}

/// `GET /embed/s/{session}/events/{id}/rules/{rule}/attempts/{n}`: with this attempt.
pub async fn attempt<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let rule = call.id("rule_id", "rule")?;
    let number = call.param("n").parse::<u32>().unwrap_or_default();
    let shown = read(platform, call, Some((&rule, number))).await?;
    let deliveries = shown.deliveries();
    let selected = deliveries.iter().find(|(owed, _)| owed.rule == rule).and_then(|(owed, _)| {
        let record = shown.looked_at(owed, number)?;
        Some(Selected { owed, record })
    });
    let selected = selected.ok_or_else(|| Error::not_found("attempt"))?;
    let title = (text::of(shown.visit).attempt_title)(selected.record.number);
    Ok(answer(&shown, call, Some(selected), Some(&title)))
}

fn answer(
    shown: &Shown<'_>,
    call: &Call,
    selected: Option<Selected<'_>>,
    title: Option<&str>,
) -> Reply {
    let event = &shown.whole.found.event;
    let done = call.request.query("done");
    let title = title.map(|title| format!("{title} · {}", event.name));
    let mut frame = Page::new(Section::Events, title.as_deref().unwrap_or(&event.name));
    frame.live = Some(live::of_event(shown.visit, &shown.whole.found));
    frame.done = done.as_deref();
    page(shown.visit, &frame, &body(shown, selected))
}

fn body(shown: &Shown<'_>, selected: Option<Selected<'_>>) -> Markup {
    let t = text::of(shown.visit);
    let found = &shown.whole.found;
    html! {
        (history_tabs(shown.visit, ""))
        h1 {
            (found.event.name)
            @if found.event.is_test() { " " span.badge data-state="test" { (t.test) } }
        }
        (facts(shown, &found.event))
        div.split {
            section id="deliveries" aria-label=(t.deliveries) data-live {
                (Timeline { shown, selected }.render())
            }
            section id="pane" aria-label=(t.history.attempt) data-live {
                (Pane { shown, selected }.render())
            }
        }
        section {
            h2 { (t.payload) }
            @if found.erased_at_ms.is_some() {
                p.hint { (t.erased) }
            } @else {
                (payload(shown.visit, &shown.whole.payload))
            }
        }
    }
}

fn facts(shown: &Shown<'_>, event: &Event) -> Markup {
    let t = text::of(shown.visit);
    html! {
        ul.facts {
            li { (t.event_id) " " (parts::copyable_word(t, "event-id", &event.id)) }
            @if let Some(resource) = &event.resource {
                li {
                    (t.resource) " "
                    b { (resource) " " (event.resource_id.as_deref().unwrap_or_default()) }
                }
            }
            li {
                (t.accepted) " "
                (parts::moment_and_age(t, event.created_at_ms, shown.now_ms))
            }
            @if let Some(at_ms) = shown.kept_until_ms {
                li { (t.kept_until) " " (parts::moment(t, at_ms)) }
            }
        }
    }
}
