//! What every page has around it: head, navigation, footer.

use http::StatusCode;
use maud::{DOCTYPE, Markup, html};

use crate::domain::tenants::look::{Look, Theme};
use crate::domain::tenants::session::{Need, Session};
use crate::embed::frame::assets;
use crate::embed::frame::security::home;
use crate::embed::frame::security::secured;
use crate::embed::text::{self, Texts};
use crate::http::access::EmbedSession;
use crate::http::{Reply, Request};

/// The parts of the embed, as the navigation names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// What needs attention.
    Dashboard,
    /// Connections.
    Connections,
    /// Rules.
    Rules,
    /// Events.
    Events,
}

/// The sections: path, name, and what it takes to see it.
fn sections(t: &Texts) -> [(Section, &str, &str, Need); 4] {
    [
        (Section::Dashboard, "dashboard", t.dashboard, Need::Overview),
        (Section::Connections, "connections", t.connections, Need::ViewAll),
        (Section::Rules, "rules", t.rules, Need::View),
        (Section::Events, "events", t.events, Need::View),
    ]
}

/// What keeps a page up to date.
pub struct Live {
    /// Where to ask.
    pub path: String,
    /// The word for what the page shows.
    pub seen: String,
}

/// A page inside a session.
pub struct Page<'a> {
    /// Its title.
    pub title: &'a str,
    /// Where it stands in the navigation.
    pub section: Section,
    /// What keeps it up to date.
    pub live: Option<Live>,
    /// The word of what was just done, see [`Texts::done`].
    pub done: Option<&'a str>,
}

impl<'a> Page<'a> {
    /// A page with this title.
    pub fn new(section: Section, title: &'a str) -> Self {
        Self { title, section, live: None, done: None }
    }
}

/// The pages of the section about events: path, name, and what it takes to see it.
fn history(t: &Texts) -> [(&str, &str, Need); 3] {
    [
        ("events", t.events, Need::View),
        ("failed", t.replay.failed, Need::View),
        ("replays", t.replay.replays, Need::ViewAll),
    ]
}

/// The way between the pages about events, above each of them.
pub fn history_tabs(visit: &EmbedSession, current: &str) -> Markup {
    let t = text::of(visit);
    html! {
        nav.tabs aria-label=(t.events) {
            @let seen = |need| visit.session.may(need).is_ok();
            @for (below, name, _) in history(t).into_iter().filter(|tab| seen(tab.2)) {
                a href=(path(visit, below))
                    aria-current=[(below == current).then_some("page")] { (name) }
            }
        }
    }
}

/// A path of a session, such as `connections/new`.
pub fn path(visit: &EmbedSession, below: &str) -> String {
    format!("{}/{below}", home(&visit.session.id))
}

/// The answer with a page.
pub fn page(visit: &EmbedSession, page: &Page<'_>, body: &Markup) -> Reply {
    page_with(StatusCode::OK, visit, page, body)
}

/// The answer with a page and another status.
pub fn page_with(
    status: StatusCode,
    visit: &EmbedSession,
    page: &Page<'_>,
    body: &Markup,
) -> Reply {
    let t = text::of(visit);
    let done = page.done.and_then(t.done);
    let within = html! {
        (navigation(visit, Some(page.section)))
        main id="main" tabindex="-1" {
            @if let Some(notice) = &visit.notice { p.notice role="status" { (notice) } }
            @if let Some(done) = done { p.done role="status" tabindex="-1" { (done) } }
            (body)
        }
        (footer(visit))
    };
    let frame = Frame {
        t,
        title: page.title,
        session: Some(&visit.session),
        live: page.live.as_ref(),
        closed: None,
    };
    secured(Reply::html(status, frame.document(&within)), Some(&visit.session))
}

/// The answer with a page that stands in no section.
pub fn inside(status: StatusCode, visit: &EmbedSession, title: &str, body: &Markup) -> Reply {
    let within = html! {
        (navigation(visit, None))
        main id="main" tabindex="-1" {
            @if let Some(notice) = &visit.notice { p.notice role="status" { (notice) } }
            (body)
        }
        (footer(visit))
    };
    let t = text::of(visit);
    let frame = Frame { t, title, session: Some(&visit.session), live: None, closed: None };
    Reply::html(status, frame.document(&within))
}

/// A page outside a session.
pub struct Shell<'a> {
    /// Its language.
    pub t: &'a Texts,
    /// Its title.
    pub title: &'a str,
    /// The session that is over, where it is known.
    pub session: Option<&'a Session>,
    /// Whether it stands for a session that is not open, so that the product's page may renew it.
    pub is_closed: bool,
    /// The request that it answers.
    pub request: Option<&'a Request>,
}

/// The answer with a page outside a session.
pub fn bare(status: StatusCode, shell: &Shell<'_>, body: &Markup) -> Reply {
    let within = html! { main id="main" tabindex="-1" { (body) } };
    let frame = Frame {
        t: shell.t,
        title: shell.title,
        session: shell.session,
        live: None,
        closed: shell.request.filter(|_| shell.is_closed),
    };
    Reply::html(status, frame.document(&within))
}

fn navigation(visit: &EmbedSession, current: Option<Section>) -> Markup {
    let t = text::of(visit);
    html! {
        a.skip href="#main" { (t.skip) }
        header.top {
            @if let Some(environment) = &visit.session.environment {
                span.badge { (environment) }
            }
            nav aria-label=(t.navigation) {
                @let seen = |need| visit.session.may(need).is_ok();
                @let shown = sections(t).into_iter().filter(|one| seen(one.3));
                @for (section, below, name, _) in shown {
                    a href=(path(visit, below))
                        aria-current=[(current == Some(section)).then_some("page")] { (name) }
                }
            }
        }
    }
}

fn footer(visit: &EmbedSession) -> Markup {
    let t = text::of(visit);
    let session = &visit.session;
    let themes =
        [(Theme::Auto, t.theme_auto), (Theme::Light, t.theme_light), (Theme::Dark, t.theme_dark)];
    html! {
        footer {
            p {
                (session.workspace_name)
                " · " ((t.role)(session.role))
                @if session.may(Need::Act).is_err() { " · " (t.read_only) }
                @if let Some(resource) = &session.resource {
                    " · " (resource.kind) " " (resource.id)
                }
                @if session.may(Need::Manage).is_ok() {
                    " · " a href=(path(visit, "changes")) { (t.changes.title) }
                }
            }
            @if !session.look.tokens.hides_themes {
                form.themes method="post" action=(path(visit, "theme")) aria-label=(t.theme) {
                    (csrf_token(visit))
                    @for (theme, name) in themes {
                        @let is_chosen = session.look.theme == theme;
                        button name="theme" value=(theme.as_str())
                            aria-pressed=(if is_chosen { "true" } else { "false" }) { (name) }
                    }
                }
            }
        }
    }
}

/// The hidden field that every form of a session carries.
pub fn csrf_token(visit: &EmbedSession) -> Markup {
    html! { input type="hidden" name="csrf_token" value=(visit.csrf_token); }
}

struct Frame<'a> {
    t: &'a Texts,
    title: &'a str,
    session: Option<&'a Session>,
    live: Option<&'a Live>,
    closed: Option<&'a Request>,
}

impl Frame<'_> {
    /// The document. What the script has to know stands in attributes of the root.
    fn document(&self, within: &Markup) -> String {
        let t = self.t;
        let look = self.session.map_or_else(Look::plain, |session| session.look.clone());
        let theme = look.theme;
        let expires_at_ms = self.session.map(|session| session.expires_at_ms);
        let origins = self.session.map(|session| session.allowed_origins.join(" "));
        let id = self.session.map(|session| session.id.as_str());
        let named = self.closed.and_then(|request| named_session(&request.path));
        let id = id.or(named);
        // Nobody's page may speak with whoever frames it.
        let anybody = self.closed.filter(|_| origins.is_none()).map(|_| "*".to_owned());
        let origins = origins.or(anybody);
        html! {
            (DOCTYPE)
            html lang=(t.tag) data-theme=(theme.as_str())
                data-session=[id] data-home=[id.map(home)] data-expires-at=[expires_at_ms]
                data-ttl-ms=[self.session.map(|session| session.ttl_ms)]
                data-workspace=[self.session.map(|session| session.workspace.as_str())]
                data-origins=[origins] data-closed[self.closed.is_some()]
                data-poll=[self.live.map(|live| live.path.as_str())]
                data-seen=[self.live.map(|live| live.seen.as_str())] {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (self.title) }
                    link rel="stylesheet" href=(assets::stylesheet_path(&look));
                    script src=(assets::script_path()) defer {}
                }
                body {
                    (within)
                    p #announcer .unseen role="status" data-copied=(t.copied)
                        data-updated=(t.history.updated)
                        data-unsent=(t.unsent) data-now=(t.moments.now)
                        data-days=(t.moments.days) data-past=(t.moments.past) {}
                }
            }
        }
        .into_string()
    }
}

/// The session that a path of the embed names.
fn named_session(path: &str) -> Option<&str> {
    let id = path.strip_prefix("/embed/s/")?.split('/').next()?;
    crate::domain::base::ids::parse_uuid(id).filter(|parsed| parsed == id).map(|_| id)
}
