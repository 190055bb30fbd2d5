//! The page of a connection's mapping: what a person at the provider is made of.

use maud::{Markup, html};
use serde_json::Value;

use crate::app::connections::parts as parts_of;
use crate::app::mapping::{self as app, Change};
use crate::destinations::model::PersonField;
use crate::domain::base::error::{Kind, Result};
use crate::domain::routing::mapping::Schema;
use crate::embed::connections::mapping_form::Draft;
use crate::embed::frame::layout::{Page, Section, csrf_token, page, page_with, path};
use crate::embed::frame::parts::{self, Errors};
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::http::{Call, Reply, problem};
use crate::ports::Platform;
use crate::store::connections::{self, Connection};
use crate::store::mappings;
use crate::store::together;

/// A connection, its mapping, and the fields that there are.
struct Read {
    connection: Connection,
    schema: Value,
    /// The version that a form is drawn from; 0 is that of none.
    version: i64,
    catalogue: &'static [PersonField],
}

impl Read {
    /// Path of the connection below the session.
    fn at(&self) -> String {
        format!("connections/{}", self.connection.id)
    }
}

async fn read<P: Platform>(platform: &P, visit: &EmbedSession, call: &Call) -> Result<Read> {
    let (id, session) = (call.id("id", "connection")?, &visit.session);
    let scope = session.actor().scope;
    let queries = (connections::one_shown(&scope, &id), mappings::find(&session.workspace, &id));
    let (connection, stored) = together(platform.control(), queries).await?;
    let (destination, _) = parts_of(&connection)?;
    let schema = match &stored {
        Some(stored) => Schema::read(&stored.schema)?.show(),
        None => app::generated(destination).show(),
    };
    let version = stored.map_or(0, |stored| stored.version);
    Ok(Read { connection, schema, version, catalogue: destination.person() })
}

/// `GET /embed/s/{session}/connections/{id}/mapping`. A connection without persons has none: its
/// own page is shown.
pub async fn form<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let visit = call.caller.visit()?;
    let read = read(platform, visit, call).await?;
    if read.catalogue.is_empty() {
        return Ok(Reply::see_other(&path(visit, &read.at())));
    }
    let body = body(visit, &read, &Draft::of(&read.schema), &Errors::default());
    Ok(page(visit, &shown(text::of(visit)), &body))
}

fn shown(t: &'static Texts) -> Page<'static> {
    Page::new(Section::Connections, t.mapping.title)
}

fn body(visit: &EmbedSession, read: &Read, draft: &Draft, errors: &Errors) -> Markup {
    let (at, t) = (read.at(), text::of(visit));
    html! {
        h1 { (t.mapping.title) }
        p { (read.connection.name) }
        p.hint { (t.mapping.hint) }
        @if read.version == 0 { p.hint { (t.mapping.generated) } }
        (draft.summary(t, read.catalogue, errors))
        form.sheet method="post" action=(path(visit, &format!("{at}/mapping"))) {
            (csrf_token(visit))
            // What a press of Enter does: the first button of a form, and not one that only helps.
            button.unseen aria-hidden="true" tabindex="-1" { (t.save) }
            input type="hidden" name="version" value=(read.version);
            (draft.render(t, read.catalogue, errors))
            p {
                button.quiet name="do" value="more" formnovalidate { (t.mapping.more) }
            }
            div.actions {
                button.primary { (t.save) }
                a.button.quiet href=(path(visit, &at)) { (t.back) }
            }
        }
    }
}

/// `POST /embed/s/{session}/connections/{id}/mapping`: saves it as the API does. A press of "more"
/// saves nothing: what is filled in leaves a line free after it.
pub async fn save<P: Platform>(platform: &P, call: &Call) -> Result<Reply> {
    let (visit, form) = (call.caller.visit()?, call.form()?);
    let t = text::of(visit);
    let mut read = read(platform, visit, call).await?;
    if read.catalogue.is_empty() {
        return Ok(Reply::see_other(&path(visit, &read.at())));
    }
    let draft = Draft::sent(&form, read.catalogue, &read.schema["meta"]);
    let expected = form.get("version").parse().unwrap_or(0);
    if form.get("do") == "more" {
        read.version = expected;
        return Ok(page(visit, &shown(t), &body(visit, &read, &draft, &Errors::default())));
    }
    let errors = match Schema::read(&draft.to_schema()) {
        Err(error) => Errors::new(t, error.into_fields()),
        Ok(schema) => {
            let change = Change { schema, name: None, expected: Some(expected) };
            let actor = visit.session.actor();
            match app::put(platform, &actor, &read.connection, &change).await {
                Ok(_) => {
                    let to = format!("{}?done=saved", read.at());
                    return Ok(Reply::see_other(&path(visit, &to)));
                }
                Err(error) if error.kind == Kind::Conflict => {
                    let now = Draft::of(&read.schema);
                    let differences = draft.differences(t, &now, read.catalogue);
                    let body = html! {
                        (parts::changed_meanwhile(t, &differences))
                        (body(visit, &read, &draft, &Errors::default()))
                    };
                    let status = problem::status(Kind::Conflict);
                    return Ok(page_with(status, visit, &shown(t), &body));
                }
                Err(error) => return Err(error),
            }
        }
    };
    read.version = expected;
    let body = body(visit, &read, &draft, &errors);
    Ok(page_with(problem::status(Kind::Invalid), visit, &shown(t), &body))
}
