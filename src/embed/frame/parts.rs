//! Pieces that pages are made of.

use maud::{Markup, html};

use crate::domain::base::error::{Error, FieldError};
use crate::domain::base::time::rfc3339;
use crate::domain::tenants::session::{Denied, Need};
use crate::embed::frame::layout::{csrf_token, path};
use crate::embed::frame::pretty;
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::store::lanes::HeldBack;

/// A moment: how long ago, and exactly on hover.
pub fn time(t: &Texts, at_ms: i64, now_ms: i64) -> Markup {
    seen_from(t, at_ms, now_ms, false)
}

/// When something is due: what is late is due now.
pub fn due(t: &Texts, at_ms: i64, now_ms: i64) -> Markup {
    seen_from(t, at_ms, now_ms, true)
}

fn seen_from(t: &Texts, at_ms: i64, now_ms: i64, is_due: bool) -> Markup {
    let exact = rfc3339(at_ms);
    let shown_ms = if is_due { at_ms.max(now_ms) } else { at_ms };
    html! {
        time datetime=(exact) title=((t.moments.exact)(&exact)) data-at=(at_ms) data-due[is_due] {
            (t.moments.relative(shown_ms - now_ms))
        }
    }
}

/// A moment exactly, to the second; a script shows it in the time of who looks at it.
pub fn moment(t: &Texts, at_ms: i64) -> Markup {
    let exact = rfc3339(at_ms);
    html! { time.exact datetime=(exact) { ((t.moments.to_the_second)(&exact)) } }
}

/// A moment exactly, and how long ago that is.
pub fn moment_and_age(t: &Texts, at_ms: i64, now_ms: i64) -> Markup {
    html! { (moment(t, at_ms)) " (" (time(t, at_ms, now_ms)) ")" }
}

/// A name that a narrow column breaks after its dots.
pub fn breakable(name: &str) -> Markup {
    html! {
        @for (index, part) in name.split('.').enumerate() {
            @if index > 0 { "." wbr; }
            (part)
        }
    }
}

/// A body: laid out for reading if it is JSON, with its exact bytes folded below.
pub fn body(t: &Texts, id: &str, text: &str) -> Markup {
    let Some(shown) = pretty::json(text) else { return copyable(t, id, text) };
    html! {
        pre tabindex="0" { code { (shown) } }
        details.part {
            summary { (t.history.exact) }
            (copyable(t, id, text))
        }
    }
}

/// The state of a delivery as a coloured word.
pub fn state(t: &Texts, state: &str) -> Markup {
    let word = (t.why.state)(state);
    html! { span.badge data-state=(state) { (word) } }
}

/// The status of an event as a coloured word.
pub fn status(t: &Texts, status: &str) -> Markup {
    html! { span.badge data-state=(status) { ((t.why.status)(status)) } }
}

/// A text below a button that copies it, which shows up where there is a script to do it.
pub fn copyable(t: &Texts, id: &str, value: &str) -> Markup {
    html! {
        div.copyable {
            (copy_button(t, id))
            pre id=(id) tabindex="0" { code { (value) } }
        }
    }
}

fn copy_button(t: &Texts, id: &str) -> Markup {
    let label = (t.copy_label)(id);
    html! {
        button type="button" class="copy" data-copy=(id) aria-label=(label) hidden { (t.copy) }
    }
}

/// A short value in a line with a button that copies it.
pub fn copyable_word(t: &Texts, id: &str, value: &str) -> Markup {
    html! {
        span.word {
            code id=(id) { (value) }
            (copy_button(t, id))
        }
    }
}

/// A form that is one button; disabled, and saying why, for who may not press it, and not there in
/// a session that does not reach so far.
pub struct Button<'a> {
    /// What it does, in a word or two.
    pub label: &'a str,
    /// Path below the session.
    pub action: &'a str,
    /// What it takes to press it.
    pub need: Need,
    /// `primary`, `quiet` or `danger`.
    pub look: &'a str,
    /// Hidden fields.
    pub fields: &'a [(&'a str, &'a str)],
}

impl Button<'_> {
    /// The form for this visit.
    pub fn render(&self, visit: &EmbedSession) -> Markup {
        let t = text::of(visit);
        match visit.session.may(self.need) {
            Ok(()) => {}
            Err(Denied::OutOfReach) => return html! {},
            Err(why) => return disabled(self.label, self.look, (t.denied)(why)),
        }
        html! {
            form.inline method="post" action=(path(visit, self.action)) {
                (csrf_token(visit))
                @for (name, value) in self.fields {
                    input type="hidden" name=(name) value=(value);
                }
                button class=(self.look) { (self.label) }
            }
        }
    }
}

/// A link that looks like a button; disabled, and saying why, for who may not follow it, and not
/// there in a session that does not reach so far.
pub fn link_button(
    visit: &EmbedSession,
    need: Need,
    below: &str,
    label: &str,
    look: &str,
) -> Markup {
    let t = text::of(visit);
    match visit.session.may(need) {
        Ok(()) => {
            html! { a class=(format!("button {look}")) href=(path(visit, below)) { (label) } }
        }
        Err(Denied::OutOfReach) => html! {},
        Err(why) => disabled(label, look, (t.denied)(why)),
    }
}

/// A link, or its words alone for who cannot see what it leads to.
pub fn link(visit: &EmbedSession, need: Need, below: &str, label: &str) -> Markup {
    let may = visit.session.may(need).is_ok();
    html! { @if may { a href=(path(visit, below)) { (label) } } @else { (label) } }
}

fn disabled(label: &str, look: &str, why: &str) -> Markup {
    html! {
        span.denied {
            button type="button" class=(look) disabled title=(why) { (label) }
            small { (why) }
        }
    }
}

/// Why the visit may not do something; `None` when it may.
pub fn denied(visit: &EmbedSession, need: Need) -> Option<&'static str> {
    let t = text::of(visit);
    visit.session.may(need).err().map(t.denied)
}

/// Why a lane holds deliveries back, and until when.
pub fn held_back(t: &Texts, lane: &HeldBack, now_ms: i64) -> Markup {
    html! {
        p.hint {
            ((t.why.held_back)(lane.reason))
            @if let Some(until_ms) = lane.not_before_ms.filter(|until_ms| *until_ms > now_ms) {
                " " (t.not_before) " " (due(t, until_ms, now_ms)) "."
            }
        }
    }
}

/// What is wrong with the fields of a form that was sent.
#[derive(Debug, Default)]
pub struct Errors(pub Vec<FieldError>);

impl Errors {
    /// The errors in the words of a language, as far as it has its own for them.
    pub fn new(t: &Texts, mut fields: Vec<FieldError>) -> Self {
        for field in &mut fields {
            if let Some(msg) = (t.form.error)(field) {
                field.msg = msg;
            }
        }
        Self(fields)
    }

    /// An error in one line: what it says of fields, else of all.
    pub fn told(t: &Texts, error: Error) -> String {
        let told = (t.said)(&error.message);
        let wrong = Self::new(t, error.into_fields());
        if wrong.0.is_empty() { told } else { wrong.in_one_line() }
    }

    /// All of it in one line, each with the place that it is about.
    pub fn in_one_line(&self) -> String {
        let one = |error: &FieldError| match error.param.as_str() {
            "" => error.msg.clone(),
            param => format!("{param}: {}", error.msg),
        };
        self.0.iter().map(one).collect::<Vec<_>>().join("; ")
    }

    /// What is wrong with a field.
    pub fn of(&self, param: &str) -> Option<&str> {
        let found = self.0.iter().find(|error| error.param == param);
        found.map(|error| error.msg.as_str())
    }

    /// What is wrong and belongs to none of these fields.
    pub fn others(&self, params: &[&str]) -> Vec<&FieldError> {
        self.0.iter().filter(|error| !params.contains(&error.param.as_str())).collect()
    }

    /// The box above a form that was not taken.
    pub fn summary(&self, t: &Texts, fields: &[&str]) -> Markup {
        let places: Vec<_> =
            fields.iter().map(|field| (*field, *field, t.form.label(field))).collect();
        self.linked(t, &places)
    }

    /// The same for a form whose fields are not named as what is wrong: each parameter with the id
    /// and the label of its field.
    pub fn linked(&self, t: &Texts, places: &[(&str, &str, &str)]) -> Markup {
        let params: Vec<&str> = places.iter().map(|(param, ..)| *param).collect();
        let place = |error: &FieldError| places.iter().find(|(param, ..)| *param == error.param);
        html! {
            @if !self.0.is_empty() {
                div.notice.bad role="alert" tabindex="-1" {
                    p { strong { (t.not_saved) } }
                    ul {
                        @for error in &self.0 {
                            @if let Some((_, id, label)) = place(error) {
                                li { a href=(format!("#{id}")) { (label) } " " (error.msg) }
                            }
                        }
                        @for error in self.others(&params) {
                            li { @if !error.param.is_empty() { (error.param) " " } (error.msg) }
                        }
                    }
                }
            }
        }
    }
}

/// Above a list that does not have the newest events yet.
pub fn lag(t: &Texts, is_whole: bool) -> Markup {
    html! { @if !is_whole { p.hint role="status" { (t.search.lagging) } } }
}

/// A field that somebody else changed while a form was filled in: its label, what is stored now,
/// and what the form says.
pub type Difference = (String, String, String);

/// What stands above a form that was drawn from a version that is no longer the stored one.
pub fn changed_meanwhile(t: &Texts, differences: &[Difference]) -> Markup {
    html! {
        div.notice.bad role="alert" {
            p { strong { (t.changed_meanwhile) } }
            p { (t.changed_meanwhile_advice) }
        }
        @if !differences.is_empty() {
            table.plain {
                thead { tr { th { (t.field) } th { (t.stored_now) } th { (t.yours) } } }
                tbody {
                    @for (label, now, yours) in differences {
                        tr { td { (label) } td { (now) } td { (yours) } }
                    }
                }
            }
        }
    }
}

/// A labelled field of a form.
pub struct Field<'a> {
    /// Name of the input.
    pub name: &'a str,
    /// What it asks for.
    pub label: &'a str,
    /// What helps to answer.
    pub hint: &'a str,
    /// What is wrong with the answer that was given.
    pub error: Option<&'a str>,
}

impl Field<'_> {
    fn hint_id(&self) -> String {
        format!("{}-hint", self.name)
    }

    /// The id of the text that describes the field, if there is one.
    fn described_by(&self) -> Option<String> {
        (self.error.is_some() || !self.hint.is_empty()).then(|| self.hint_id())
    }

    /// The field around its control; the control refers to `described_by`.
    fn around(&self, control: &Markup) -> Markup {
        html! {
            div.field data-bad[self.error.is_some()] {
                label for=(self.name) { (self.label) }
                (control)
                @if self.error.is_some() || !self.hint.is_empty() {
                    p.hint id=(self.hint_id()) {
                        @if let Some(error) = self.error { strong.error { (error) } " " }
                        (self.hint)
                    }
                }
            }
        }
    }

    /// An input of this type.
    pub fn input(&self, kind: &str, value: &str, placeholder: &str) -> Markup {
        self.around(&html! {
            input id=(self.name) name=(self.name) type=(kind) value=(value)
                placeholder=[Some(placeholder).filter(|text| !text.is_empty())]
                autocomplete=(if kind == "password" { "new-password" } else { "off" })
                spellcheck="false" aria-describedby=[self.described_by()]
                aria-invalid=[self.error.map(|_| "true")];
        })
    }

    /// An input that suggests what a list holds.
    pub fn suggesting(&self, value: &str, suggestions: &[String]) -> Markup {
        let list = format!("{}-list", self.name);
        self.around(&html! {
            input id=(self.name) name=(self.name) type="text" value=(value) list=(list)
                autocomplete="off" spellcheck="false" aria-describedby=[self.described_by()]
                aria-invalid=[self.error.map(|_| "true")];
            datalist id=(list) {
                @for suggestion in suggestions { option value=(suggestion); }
            }
        })
    }

    /// A choice among values, each with its label.
    pub fn select(&self, chosen: &str, options: &[(&str, &str)]) -> Markup {
        self.around(&html! {
            select.menu id=(self.name) name=(self.name) aria-describedby=[self.described_by()]
                aria-invalid=[self.error.map(|_| "true")] {
                @for (value, label) in options {
                    option value=(value) selected[*value == chosen] { (label) }
                }
            }
        })
    }

    /// A larger text. What the browser would swallow, a first line break, is put before it.
    pub fn textarea(&self, value: &str, rows: u32) -> Markup {
        self.around(&html! {
            textarea id=(self.name) name=(self.name) rows=(rows) spellcheck="false"
                aria-describedby=[self.described_by()] aria-invalid=[self.error.map(|_| "true")] {
                "\n" (value)
            }
        })
    }
}
