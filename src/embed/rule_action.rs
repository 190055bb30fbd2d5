//! What a rule asks of its destination, as a part of its form: the action, the live lists to choose
//! from, templates with the paths of the example's payload, and what would be sent.
//!
//! Its buttons send the whole form, which comes back as it was: nothing is saved by them, and all
//! of it works without a script.

use maud::{Markup, html};

use crate::app::live_lists::LiveLists;
use crate::app::preview::Preview;
use crate::app::rules::action_of;
use crate::destinations;
use crate::destinations::model::{About, Action, Input, InputKind};
use crate::domain::base::tree::Tree;
use crate::domain::routing::rule::Metadata;
use crate::embed::frame::parts::{Errors, Field};
use crate::embed::text::Texts;
use crate::store::connections::Connection;

/// Paths of an example that are shown.
const PATHS_MAX: usize = 30;

/// What the part is drawn from.
pub struct ActionPart<'a> {
    /// The language.
    pub t: &'a Texts,
    /// The connection that was chosen.
    pub connection: &'a Connection,
    /// Key of the action that was chosen; the empty text for the destination's first.
    pub action: &'a str,
    /// What was filled in.
    pub metadata: &'a Metadata,
    /// The live lists, if they were read.
    pub lists: Option<&'a LiveLists>,
    /// The example of the event's type, if it was read.
    pub example: Option<&'a str>,
    /// What would be sent, or why it cannot be said, if that was asked for.
    pub preview: Option<&'a Result<Preview, String>>,
    /// What is wrong.
    pub errors: &'a Errors,
}

/// The name of an input's field.
fn name(input: &Input) -> String {
    format!("metadata.{}", input.key)
}

/// The fields of all inputs that any destination has.
pub fn names() -> Vec<&'static str> {
    let actions = destinations::ALL.iter().flat_map(|destination| destination.about().actions);
    let mut keys: Vec<&str> = actions.flat_map(|action| action.inputs).map(|i| i.key).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

impl ActionPart<'_> {
    /// The destination and the action that was chosen; none for a destination whose rules have
    /// nothing to say.
    fn chosen_action(&self) -> Option<(&'static About, &'static Action)> {
        let destination = destinations::find(&self.connection.kind)?;
        let about = destination.about();
        let chosen = Some(self.action).filter(|key| about.action(key).is_some());
        let action = action_of(destination, chosen).ok()?;
        about.reads_rules().then_some((about, action))
    }

    /// The names of its fields, which are their ids too, each with its label.
    pub fn places(&self) -> Vec<(String, &str)> {
        let inputs = self.chosen_action().map(|(_, action)| action.inputs).unwrap_or_default();
        inputs.iter().map(|input| (name(input), (self.t.form.registry)(input.label))).collect()
    }

    /// The part.
    pub fn render(&self) -> Markup {
        let t = self.t;
        let Some((about, action)) = self.chosen_action() else { return html! {} };
        let actions: Vec<(&str, &str)> =
            about.actions.iter().map(|a| (a.key, (t.form.registry)(a.label))).collect();
        let field = Field { name: "action", label: t.form.action, hint: "", error: None };
        html! {
            fieldset {
                legend { ((t.form.registry)(about.name)) }
                @if actions.len() > 1 {
                    (field.select(action.key, &actions))
                    (button("show", t.form.show_fields))
                } @else {
                    p.hint { ((t.form.registry)(action.description)) "." }
                }
                @for input in action.inputs { (self.input(input)) }
                @if action.inputs.iter().any(|input| input.kind.is_template()) {
                    (self.templates(action))
                }
            }
        }
    }

    fn input(&self, input: &Input) -> Markup {
        let is_needless =
            input.unless.is_some_and(|key| self.connection.credentials.contains_key(key));
        if is_needless {
            return html! {};
        }
        let said = self.t.form.registry;
        let name = name(input);
        let error = self.errors.of(&name);
        let field = Field { name: &name, label: said(input.label), hint: said(input.hint), error };
        let value = self.metadata.get(input.key).map_or("", String::as_str);
        match input.kind {
            InputKind::Id(list) => self.chosen(&field, list, value),
            InputKind::Line => field.input("text", value, ""),
            InputKind::Text | InputKind::Body => field.textarea(value, 5),
            InputKind::Words(words) => field.select(value, &self.t.form.words(words)),
        }
    }

    /// One item of a live list; what was chosen stays although the list does not have it.
    fn chosen(&self, field: &Field<'_>, list: &str, value: &str) -> Markup {
        let t = self.t;
        let items = self.lists.map(|lists| lists.items(list)).unwrap_or_default();
        let is_known = value.is_empty() || items.iter().any(|(id, _)| *id == value);
        let mut options = vec![("", t.form.choose)];
        options.extend((!is_known).then_some((value, value)));
        options.extend(items.iter().copied());
        let said = self.lists.and_then(|lists| lists.errors.as_array());
        let said = said.into_iter().flatten().filter(|error| error["list"] == list);
        let hint = if items.is_empty() { t.form.list_not_read } else { field.hint };
        let field = Field { name: field.name, label: field.label, hint, error: field.error };
        html! {
            @if items.is_empty() { (field.input("text", value, "")) }
            @else { (field.select(value, &options)) }
            @for error in said {
                p.error { ((t.said)(error["message"].as_str().unwrap_or_default())) }
            }
            @let label = if items.is_empty() { t.form.load_list } else { t.form.reload_list };
            (button("refresh", label))
        }
    }

    /// What helps to write templates: the paths of the example, and what would be sent.
    fn templates(&self, action: &Action) -> Markup {
        let t = self.t;
        let tree = self.example.and_then(Tree::read);
        let paths = tree.map(|tree| paths(&tree)).unwrap_or_default();
        html! {
            @if !paths.is_empty() {
                p.hint { (t.form.paths) }
                p.chips {
                    @for path in &paths {
                        button.chip type="button" data-insert=(path) { (path) } " "
                    }
                }
            }
            (button("preview", t.form.preview))
            @match self.preview {
                Some(Ok(preview)) => { (shown(t, preview, action)) }
                Some(Err(why)) => { p.error role="status" { (why) } }
                None => {}
            }
        }
    }
}

fn button(does: &str, label: &str) -> Markup {
    html! { p { button.quiet name="do" value=(does) formnovalidate { (label) } } }
}

fn shown(t: &Texts, preview: &Preview, action: &Action) -> Markup {
    html! {
        div.notice role="status" {
            p { strong { (t.form.would_send) } }
            @for input in action.inputs {
                @if let Some(text) = preview.texts.get(input.key).and_then(|text| text.as_str()) {
                    p.label { ((t.form.registry)(input.label)) }
                    pre { (text) }
                }
            }
            @if let Some(why) = &preview.refused { p.error { ((t.said)(why)) } }
            @for note in &preview.notes { p.hint { ((t.said)(note)) } }
        }
    }
}

/// The paths at which an example has a value, as they stand in templates.
fn paths(example: &Tree<'_>) -> Vec<String> {
    let mut found = Vec::new();
    walk(example, "", &mut found);
    found.truncate(PATHS_MAX);
    found
}

fn walk(tree: &Tree<'_>, at: &str, found: &mut Vec<String>) {
    let is_word = |key: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !key.is_empty()
            && key.chars().all(is_part)
            && !key.starts_with(|c: char| c.is_ascii_digit())
    };
    match tree {
        Tree::Object(entries) if found.len() < PATHS_MAX => {
            for (key, value) in entries {
                let dot = if at.is_empty() { "" } else { "." };
                let at = match is_word(key) {
                    true => format!("{at}{dot}{key}"),
                    false => format!("{at}[{}]", Tree::Text(key.clone()).to_json()),
                };
                walk(value, &at, found);
            }
        }
        Tree::Object(_) => {}
        _ if at.is_empty() => {}
        _ => found.push(format!("{{{{{at}}}}}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::routing::template::Template;

    #[test]
    fn paths_of_an_example_are_templates() {
        let example = r#"{"a":1,"b":{"c d":"x","e":[1,2]},"0":{},"f":{"g":null}}"#;
        let found = paths(&Tree::read(example).expect("a tree"));
        assert_eq!(found, ["{{a}}", "{{b[\"c d\"]}}", "{{b.e}}", "{{f.g}}"]);
        for path in found {
            assert!(Template::parse(&path).is_ok(), "{path}");
        }
    }
}
