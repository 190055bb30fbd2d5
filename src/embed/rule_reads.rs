//! What the pages about rules read, and what the buttons of a rule's form ask for beside saving.

use std::collections::BTreeSet;

use crate::app::connections::parts;
use crate::app::live_lists::{self, LiveLists};
use crate::app::preview::{Preview, preview};
use crate::app::rules::action_of;
use crate::destinations::Destination;
use crate::domain::base::error::{Error, Result};
use crate::embed::common::history_db;
use crate::embed::frame::parts::Errors;
use crate::embed::rule_draft::Draft;
use crate::embed::rule_filter::{Trial, try_filter};
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::ports::Platform;
use crate::store::catalogues::{self, Catalogue};
use crate::store::connections::{self, Connection};
use crate::store::event_types::{self, Listed};
use crate::store::mappings;
use crate::store::names::{self, Kind as NameKind};
use crate::store::rules::{self, Rule};
use crate::store::together;

/// What a page about rules reads.
#[derive(Default)]
pub struct Read {
    /// The rules, on the page of all.
    pub rules: Vec<Rule>,
    /// The connections that rules can send to.
    pub connections: Vec<Connection>,
    /// The organization's event types.
    pub catalogue: Vec<Listed>,
    /// The names that were emitted.
    pub emitted: Vec<String>,
    /// The live lists of the connection that is chosen.
    pub lists: Option<LiveLists>,
    /// The example of the event that is chosen.
    pub example: Option<String>,
    /// What would be sent, or why it cannot be said, if that was asked for.
    pub preview: Option<std::result::Result<Preview, String>>,
    /// What became of trying the filter, if that was asked for.
    pub trial: Option<Trial>,
}

impl Read {
    /// Whether no event of this name is known: none was emitted, and the catalogue has none. A
    /// pattern is for names to come.
    pub fn is_unknown(&self, event: &str) -> bool {
        let is_listed = self.catalogue.iter().any(|listed| listed.key == event);
        let is_pattern = event.ends_with('*');
        !(is_pattern || is_listed || self.emitted.iter().any(|name| name == event))
    }

    /// The names and patterns that can be chosen: those that are known, and what covers several.
    pub fn choices(&self) -> Vec<String> {
        let mut known: Vec<String> = self.catalogue.iter().map(|it| it.key.clone()).collect();
        known.extend(self.emitted.iter().cloned());
        let groups = known.iter().filter_map(|name| Some(format!("{}.*", name.split_once('.')?.0)));
        let mut groups: Vec<String> = groups.collect();
        groups.push("*".to_owned());
        known.extend(groups);
        let mut seen = BTreeSet::new();
        known.retain(|name| seen.insert(name.clone()));
        known
    }

    /// A connection that pages show.
    pub fn connection(&self, id: &str) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.id == id)
    }

    fn keep_lists(&mut self, connection: &str, kept: Option<Catalogue>) {
        self.lists = self.connection(connection).and_then(|its| LiveLists::kept(kept, its));
    }
}

/// What a page about all rules reads, with the lists of the connection that is chosen.
///
/// # Errors
/// When a database does not answer.
pub async fn read<P: Platform>(platform: &P, visit: &EmbedSession, chosen: &str) -> Result<Read> {
    let (session, scope) = (&visit.session, visit.session.actor().scope);
    let queries = (
        rules::shown(&scope),
        connections::shown(&scope),
        event_types::listed(&session.organization),
        catalogues::find(&session.workspace, chosen, live_lists::KIND),
    );
    let (rules, connections, catalogue, kept) = together(platform.control(), queries).await?;
    let emitted = emitted(platform, visit).await?;
    let mut read = Read { rules, connections, catalogue, emitted, ..Read::default() };
    read.keep_lists(chosen, kept);
    Ok(read)
}

/// Names of the events that the workspace has emitted.
async fn emitted<P: Platform>(platform: &P, visit: &EmbedSession) -> Result<Vec<String>> {
    let names = names::list(&visit.session.workspace, NameKind::Event);
    let found = names.run(history_db(platform, &visit.session)?).await?;
    Ok(found.into_iter().map(|name| name.name).collect())
}

/// A rule that pages show, with what its form needs.
///
/// # Errors
/// `NotFound` when the session has none with this id; when a database does not answer.
pub async fn read_with<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    id: &str,
) -> Result<(Rule, Read)> {
    let (session, scope) = (&visit.session, visit.session.actor().scope);
    let queries = (
        rules::one_shown(&scope, id),
        connections::shown(&scope),
        event_types::listed(&session.organization),
        catalogues::find_by_rule(&session.workspace, id, live_lists::KIND),
    );
    let (rule, connections, catalogue, kept) = together(platform.control(), queries).await?;
    let emitted = emitted(platform, visit).await?;
    let mut read = Read { connections, catalogue, emitted, ..Read::default() };
    read.keep_lists(&rule.connection, kept);
    Ok((rule, read))
}

/// Does what a button of the form asks for beside saving: reads the live lists anew, or shows what
/// would be sent.
///
/// # Errors
/// When CONTROL does not answer, or what is stored cannot be read.
pub async fn help<P: Platform>(
    platform: &P,
    visit: &EmbedSession,
    does: &str,
    draft: &Draft,
    read: &mut Read,
) -> Result<()> {
    if does == "try" {
        read.trial = Some(try_filter(platform, visit, draft).await?);
    }
    let Some(connection) = read.connection(&draft.connection).cloned() else { return Ok(()) };
    if does == "refresh" {
        read.lists = Some(live_lists::read(platform, &connection, true).await?);
    }
    let queries = (
        event_types::one(&visit.session.organization, &draft.event),
        mappings::find(&connection.workspace, &connection.id),
    );
    let (event_type, stored) = together(platform.control(), queries).await?;
    read.example = event_type.and_then(|event_type| event_type.example);
    if does == "preview" {
        let payload = read.example.as_deref().unwrap_or("{}");
        let (destination, _) = parts(&connection)?;
        let key = Some(draft.action.as_str()).filter(|key| !key.is_empty());
        let shown = action_of(destination, key).and_then(|action| {
            let (event, now_ms) = (&draft.event, platform.now_ms());
            let mapping = stored.as_ref().map(|stored| stored.schema.as_str());
            preview(&connection, action.key, &draft.metadata, event, payload, mapping, now_ms)
        });
        read.preview = Some(shown.map_err(|error| refused(text::of(visit), destination, error)));
    }
    Ok(())
}

/// Why a rule cannot be previewed, in one line with the labels of the form.
fn refused(t: &Texts, destination: &dyn Destination, mut error: Error) -> String {
    let inputs = || destination.about().actions.iter().flat_map(|action| action.inputs);
    for field in &mut error.fields {
        let key = field.param.strip_prefix("metadata.").unwrap_or_default();
        if let Some(input) = inputs().find(|input| input.key == key) {
            (t.form.registry)(input.label).clone_into(&mut field.param);
        }
    }
    Errors::told(t, error)
}
