//! The form with which somebody says what is to be sent again.

use maud::{Markup, html};

use crate::domain::base::error::{Error, FieldError, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::REPLAY_RANGE_MS_MAX;
use crate::domain::base::names::check_name;
use crate::domain::base::time::{DAY_MS, MINUTE_MS};
use crate::domain::delivery::replay::{Selection, Which};
use crate::embed::frame::layout::{csrf_token, path};
use crate::embed::frame::parts::{Errors, Field};
use crate::embed::text::{self, Texts, moments};
use crate::http::access::EmbedSession;
use crate::http::form::Form;
use crate::store::connections::Connection;

/// Fields whose errors stand beside them.
const SHOWN: [&str; 5] = ["connection", "event", "since", "until", "status"];

/// What stands in the fields.
#[derive(Debug, Clone, Default)]
pub struct Draft {
    /// Id of the only connection, or empty.
    pub connection: String,
    /// What became of the deliveries, in the words of the API.
    pub status: String,
    event: String,
    since: String,
    until: String,
}

impl Draft {
    /// What failed in the last day; from the oldest that is shown, if that is older, as far as
    /// a replay goes back.
    pub fn new(connection: Option<&str>, oldest_ms: Option<i64>, now_ms: i64) -> Self {
        // The end of this minute: fields have no seconds, and what died just now is meant, too.
        let until_ms = (now_ms / MINUTE_MS + 1) * MINUTE_MS;
        let day_ago_ms = until_ms - DAY_MS;
        let since_ms = oldest_ms.unwrap_or(day_ago_ms).min(day_ago_ms);
        Self {
            connection: connection.unwrap_or_default().to_owned(),
            status: Which::Failed.status().to_owned(),
            event: String::new(),
            since: moments::field(since_ms.max(until_ms - REPLAY_RANGE_MS_MAX)),
            until: moments::field(until_ms),
        }
    }

    /// The fields as they were sent.
    pub fn sent(form: &Form) -> Self {
        let field = |name: &str| form.get(name).trim().to_owned();
        Self {
            connection: field("connection"),
            status: field("status"),
            event: field("event"),
            since: field("since"),
            until: field("until"),
        }
    }

    /// Which deliveries are meant; whether they can be replayed is for who replays them to say.
    ///
    /// # Errors
    /// `Invalid` naming each field that is wrong, if one cannot be read.
    pub fn selection(&self, t: &Texts) -> Result<Selection> {
        let mut wrong = Vec::new();
        let mut note = |param: &str, msg: &str| {
            wrong.push(FieldError::new(param, msg));
            0
        };
        let filled = |value: &String| (!value.is_empty()).then(|| value.clone());
        // A form from before the choice was there means what it said: those that failed.
        let which = filled(&self.status).map_or(Some(Which::Failed), |it| Which::replayed(&it));
        if which.is_none() {
            note("status", t.choose_one);
        }
        let which = which.unwrap_or(Which::Failed);
        let connection = filled(&self.connection);
        if connection.as_deref().is_some_and(|id| ids::parse_uuid(id).as_deref() != Some(id)) {
            note("connection", t.choose_one);
        }
        let event = filled(&self.event);
        if let Some(Err(msg)) = event.as_deref().map(check_name) {
            note("event", &msg);
        }
        let mut time = |name: &str, value: &str| {
            moments::parse_field(value).unwrap_or_else(|| note(name, t.replay.no_time))
        };
        let (since_ms, until_ms) = (time("since", &self.since), time("until", &self.until));
        let meant = Selection { connection, event, which, since_ms, until_ms };
        if wrong.is_empty() {
            return Ok(meant);
        }
        let are_times = !wrong.iter().any(|field| ["since", "until"].contains(&&*field.param));
        let range = meant.check().err().filter(|_| are_times);
        wrong.extend(range.map(Error::into_fields).unwrap_or_default());
        Err(Error::fields(wrong))
    }

    /// The fields as hidden ones.
    pub fn hidden(&self) -> [(&'static str, &str); 5] {
        [
            ("connection", &self.connection),
            ("status", &self.status),
            ("event", &self.event),
            ("since", &self.since),
            ("until", &self.until),
        ]
    }
}

/// The form; its answer is a page with the count.
pub fn render(
    visit: &EmbedSession,
    connections: &[Connection],
    draft: &Draft,
    errors: &Errors,
) -> Markup {
    let t = text::of(visit);
    let field = |name: &'static str| {
        let (label, hint) = (t.form.field)(name);
        Field { name, label, hint, error: errors.of(name) }
    };
    let mut options = vec![("", t.replay.all_connections)];
    options.extend(connections.iter().map(|one| (one.id.as_str(), one.name.as_str())));
    html! {
        (errors.summary(t, &SHOWN))
        form.sheet method="post" action=(path(visit, "replays/new")) {
            (csrf_token(visit))
            p.hint { (t.replay.send_many_hint) }
            (field("status").select(&draft.status, &t.replay.which_words))
            (field("connection").select(&draft.connection, &options))
            div.pair {
                (field("since").input("datetime-local", &draft.since, ""))
                (field("until").input("datetime-local", &draft.until, ""))
            }
            (Field { hint: t.replay.event_or_all, ..field("event") }
                .input("text", &draft.event, ""))
            div.actions { button { (t.replay.count) } }
        }
    }
}

/// What a selection goes to, by name.
pub fn name_of<'a>(t: &Texts, connections: &'a [Connection], what: &Selection) -> &'a str {
    let Some(id) = &what.connection else { return t.replay.all_connections };
    let found = connections.iter().find(|connection| connection.id == *id);
    found.map_or(t.gone_connection, |connection| connection.name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embed::text::LANGUAGES;

    const NOW_MS: i64 = 1_770_000_000_123;

    fn new() -> Draft {
        Draft::new(None, None, NOW_MS)
    }

    fn range(draft: &Draft) -> (i64, i64) {
        let selection = draft.selection(LANGUAGES[0]).expect("a range");
        selection.check().expect("one that can be replayed");
        (NOW_MS - selection.since_ms, selection.until_ms - NOW_MS)
    }

    #[test]
    fn the_range_holds_what_is_shown_and_what_died_just_now() {
        for (oldest_ms, days) in [
            (None, 1),
            (Some(NOW_MS - 5), 1),
            (Some(NOW_MS - 3 * DAY_MS), 3),
            (Some(NOW_MS - 30 * DAY_MS), 14),
        ] {
            let (since, until) = range(&Draft::new(None, oldest_ms, NOW_MS));
            assert!((1..=MINUTE_MS).contains(&until), "{until}");
            assert!((since - days * DAY_MS).abs() <= MINUTE_MS, "{oldest_ms:?}: {since}");
        }
    }

    #[test]
    fn all_fields_that_cannot_be_read_are_named() {
        let draft = Draft {
            connection: "x".into(),
            status: "failed".into(),
            event: "é*".into(),
            since: "yesterday".into(),
            until: String::new(),
        };
        let wrong = draft.selection(LANGUAGES[0]).expect_err("four").into_fields();
        let names: Vec<_> = wrong.iter().map(|field| field.param.as_str()).collect();
        assert_eq!(names, SHOWN[..4]);
        let wrong = Draft { event: "é*".into(), until: "2000-01-01T00:00".into(), ..new() };
        let wrong = wrong.selection(LANGUAGES[0]).expect_err("two").into_fields();
        assert_eq!(wrong.iter().map(|field| &field.param).collect::<Vec<_>>(), ["event", "until"]);
    }
}
