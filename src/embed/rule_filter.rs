//! The filter of a rule as a part of its form: conditions in rows or JSON, and trying it on what
//! the workspace emitted last.

use maud::{Markup, html};

use crate::domain::base::error::Result;
use crate::domain::base::limits::FILTER_BUDGET;
use crate::domain::base::tree::Tree;
use crate::domain::routing::filter::{Budget, Filter, NotPassed, Part, Unmet};
use crate::domain::tenants::session::Need;
use crate::embed::common::history_db;
use crate::embed::frame::parts::{self, Errors, Field};
use crate::embed::rule_draft::Draft;
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::ports::Platform;
use crate::store::{event_types, recent_payloads};

/// Paths that are suggested.
const PATHS_MAX: usize = 50;

/// What became of trying a filter.
#[derive(Debug, Default)]
pub struct Trial {
    /// What it was tried on.
    tried: Vec<Tried>,
    /// The paths of the newest payload.
    paths: Vec<String>,
    now_ms: i64,
}

/// Id and name of an event, and when it was accepted.
type Known = (String, String, i64);

#[derive(Debug)]
struct Tried {
    /// None for an example.
    event: Option<Known>,
    /// Why it would not be sent, if it would not.
    fails: Option<String>,
}

/// Tries a filter on the newest events of the rule's pattern; on the example of its event type for
/// who may not read payloads, and where there is no such event.
///
/// # Errors
/// When a database does not answer.
pub async fn try_filter<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    draft: &Draft,
) -> Result<Trial> {
    let t = text::of(visit);
    let session = &visit.session;
    let only = session.resource.as_ref().map(|only| (only.kind.as_str(), only.id.as_str()));
    let found = match session.may_read_payloads() {
        Ok(()) => {
            let newest = recent_payloads::newest(&session.workspace, &draft.event, only);
            newest.run(history_db(platform, session)?).await?
        }
        Err(_) => Vec::new(),
    };
    let mut payloads: Vec<(Option<Known>, String)> = found
        .into_iter()
        .map(|one| (Some((one.event, one.name, one.created_at_ms)), one.payload))
        .collect();
    if payloads.is_empty() {
        let example = event_types::one(&session.organization, &draft.event);
        let example = example.run(platform.control()).await?;
        payloads.extend(example.and_then(|it| it.example).map(|example| (None, example)));
    }
    let filter = draft.kept_filter().ok().flatten();
    let filter = filter.as_deref().and_then(|text| Filter::parse(text).ok());
    let paths = payloads.first().map(|(_, payload)| paths_of(payload)).unwrap_or_default();
    let judged = |(event, payload): (Option<Known>, String)| Tried {
        event,
        fails: filter.as_ref().and_then(|filter| fails(t, filter, &payload)),
    };
    let now_ms = platform.now_ms();
    Ok(Trial { tried: payloads.into_iter().map(judged).collect(), paths, now_ms })
}

/// Why a payload does not pass.
fn fails(t: &Texts, filter: &Filter<'_>, payload: &str) -> Option<String> {
    let tree = Tree::read(payload)?;
    match filter.check(&tree, &Budget::new(FILTER_BUDGET)) {
        Ok(()) => None,
        Err(NotPassed::Fails(why)) => Some(unmet(t, &why)),
        Err(NotPassed::TooCostly) => Some(t.filter.too_costly.to_owned()),
    }
}

/// What did not hold, in the words of the form.
fn unmet(t: &Texts, why: &Unmet) -> String {
    let what = match &why.what {
        Part::At(path, operator, value) => {
            let word = if (*operator, value.as_str()) == ("exists", "false") {
                "absent"
            } else {
                operator
            };
            let known = t.filter.comparisons.iter().find(|(known, _)| *known == word);
            let comparison = known.map_or(word, |(_, label)| label);
            let value = if *operator == "exists" { "" } else { value };
            format!("{path} {comparison} {value}")
        }
        Part::Or => t.filter.unmet_or.to_owned(),
        Part::Not => t.filter.unmet_not.to_owned(),
        Part::Filter | Part::Payload => t.filter.unread.to_owned(),
    };
    (t.filter.unmet)(what.trim_end())
}

/// The paths at which a payload has a value, as filters write them.
fn paths_of(payload: &str) -> Vec<String> {
    fn walk(tree: &Tree<'_>, at: &str, found: &mut Vec<String>) {
        if found.len() >= PATHS_MAX {
            return;
        }
        match tree {
            Tree::Object(entries) => {
                for (key, value) in entries.iter().filter(|(key, _)| !key.is_empty()) {
                    let key = key.replace('\\', "\\\\").replace('.', "\\.");
                    let dot = if at.is_empty() { "" } else { "." };
                    walk(value, &format!("{at}{dot}{key}"), found);
                }
            }
            _ if at.is_empty() => {}
            _ => found.push(at.to_owned()),
        }
    }
    let mut found = Vec::new();
    if let Some(tree) = Tree::read(payload) {
        walk(&tree, "", &mut found);
    }
    found
}

/// The part of the form.
pub fn render(
    visit: &EmbedSession,
    draft: &Draft,
    trial: Option<&Trial>,
    errors: &Errors,
) -> Markup {
    let t = text::of(visit);
    let (label, hint) = (t.filter.as_json, t.filter.as_json_hint);
    let error = errors.of("filter");
    let json = Field { name: "filter", label, hint, error };
    let is_json = !draft.json.is_empty() || error.is_some();
    let paths = trial.map(|trial| trial.paths.as_slice()).unwrap_or_default();
    let is_open = is_json || !draft.rows.is_empty() || trial.is_some();
    html! {
        details.part open[is_open] {
            summary { (t.rule_filter) }
            (draft.rows.render(t, paths))
            details.as-json open[is_json] {
                summary { (t.filter.as_json) }
                (json.textarea(&draft.json, 4))
            }
            p { button.quiet name="do" value="try" formnovalidate { (t.filter.try_it) } }
            @if let Some(trial) = trial { (trial.render(visit)) }
        }
    }
}

impl Trial {
    fn render(&self, visit: &EmbedSession) -> Markup {
        let t = text::of(visit);
        let passed = self.tried.iter().filter(|one| one.fails.is_none()).count();
        html! {
            div.notice role="status" {
                @if self.tried.is_empty() { p { (t.filter.nothing_to_try) } } @else {
                    p { strong { ((t.filter.passed)(passed, self.tried.len())) } }
                    ul.plain {
                        @for one in &self.tried { li { (one.render(visit, self.now_ms)) } }
                    }
                }
            }
        }
    }
}

impl Tried {
    fn render(&self, visit: &EmbedSession, now_ms: i64) -> Markup {
        let t = text::of(visit);
        html! {
            @match &self.event {
                Some((id, name, at_ms)) => {
                    (parts::link(visit, Need::View, &format!("events/{id}"), name)) " "
                    (parts::time(t, *at_ms, now_ms))
                }
                None => { (t.filter.example) }
            }
            " "
            @match &self.fails {
                None => { span.badge data-state="delivered" { (t.filter.passes) } }
                Some(why) => {
                    span.badge data-state="retrying" { (t.filter.fails) } " " small { (why) }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::text::LANGUAGES;

    #[test]
    fn suggested_paths_are_those_of_filters() {
        let payload = r#"{"a":{"b.c":1,"d":[1,2]},"e\\":null,"":3}"#;
        let paths = paths_of(payload);
        assert_eq!(paths, [r"a.b\.c", "a.d", r"e\\"]);
        for path in paths {
            let filter = serde_json::json!({"path": path, "exists": true}).to_string();
            assert_eq!(
                fails(LANGUAGES[0], &Filter::parse(&filter).expect("a filter"), payload),
                None,
                "{path}"
            );
        }
    }
}
