//! Who changed what in the workspace.

use maud::{Markup, html};

use crate::domain::base::error::Result;
use crate::domain::connection::model::InactiveReason;
use crate::domain::tenants::change::{Author, AuthorKind};
use crate::embed::frame::layout::{Page, Section, page, path};
use crate::embed::frame::parts;
use crate::embed::text::{self, Texts};
use crate::http::{Call, Reply, cursor};
use crate::ports::Platform;
use crate::store::changes::{self, Change};
use crate::store::events::NEWEST;

/// Changes on one page.
const SHOWN: usize = 50;

/// `GET /embed/s/{session}/changes`.
pub async fn list<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let t = text::of(visit);
    let list = format!("changes/{}", visit.session.workspace);
    let before: Option<String> = cursor::read(call, &list)?;
    let before = before.as_deref().unwrap_or(NEWEST);
    let of = (visit.session.organization.as_str(), visit.session.workspace.as_str());
    let mut found = changes::list(platform.control(), of, true, before, SHOWN + 1).await?;
    let is_more = found.len() > SHOWN;
    found.truncate(SHOWN);
    let last = found.last().filter(|_| is_more);
    let now_ms = platform.now_ms();
    let body = html! {
        h1 { (t.changes.title) }
        p.hint { (t.changes.hint) }
        @if found.is_empty() { p.hint { (t.changes.none) } } @else {
            table.list {
                thead {
                    tr {
                        @for (class, head) in t.changes.heads {
                            th scope="col" class=[class] { (head) }
                        }
                    }
                }
                tbody { @for change in &found { (row(t, change, now_ms)) } }
            }
        }
        @if let Some(last) = last {
            @let older = format!("changes?cursor={}", cursor::write(&list, &last.id));
            a.button.quiet href=(path(visit, &older)) { (t.older) }
        }
    };
    Ok(page(visit, &Page::new(Section::Connections, t.changes.title), &body))
}

fn row(t: &Texts, change: &Change, now_ms: i64) -> Markup {
    let label = |name: &String| t.form.label(name).replace('_', " ");
    let fields = change.fields.iter().map(label).collect::<Vec<_>>().join(", ");
    html! {
        tr {
            td {
                ((t.changes.record)(change.record_kind)) " "
                strong { (parts::breakable(&change.name)) } " "
                ((t.changes.action)(change.action))
            }
            td.wide { @if let Some(why) = why(t, &change.author) { (why) } @else { (fields) } }
            td.who { ((t.changes.who)(&change.author)) }
            td { (parts::time(t, change.at_ms, now_ms)) }
        }
    }
}

/// Why Posthorn itself made a change.
fn why(t: &Texts, author: &Author) -> Option<&'static str> {
    let reason = InactiveReason::try_from(author.id.as_str()).ok();
    reason.filter(|_| author.kind == AuthorKind::System).map(t.why.inactive)
}
