//! Somebody in a session of the embed: launches it, follows links, sends forms.

use std::cell::RefCell;

use serde_json::{Value, json};

use crate::edge::Edge;
use crate::tenant::{Answered, ORIGIN, Tenant, call, text};

/// A browser in a session.
pub struct Visitor {
    pub session: String,
    pub cookie: String,
    pub access_token: String,
    csrf_token: RefCell<String>,
}

/// Creates a session of the tenant's workspace with these fields more.
pub fn create(edge: &Edge, tenant: &Tenant, more: Value) -> Value {
    let mut body = json!({"workspace_id": tenant.workspace});
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let answer = tenant.call(edge, "POST", "/api/v1/sessions", &body);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()
}

/// The path and query of a launch URL.
pub fn launch_target(created: &Value) -> String {
    text(created, "/launch_url").strip_prefix(ORIGIN).expect("our own URL").to_owned()
}

impl Visitor {
    /// Launches a new session of the tenant's workspace.
    pub fn new(edge: &Edge, tenant: &Tenant, more: Value) -> Self {
        Self::launched(edge, tenant, more, "")
    }

    /// The same, with this at the end of the launch URL.
    pub fn launched(edge: &Edge, tenant: &Tenant, more: Value, query: &str) -> Self {
        let created = create(edge, tenant, more);
        let target = format!("{}{query}", launch_target(&created));
        let answer = call(edge, "GET", &target, &[], b"");
        assert_eq!(answer.status, 303, "{}", answer.text);
        let visitor = Self {
            session: text(&created, "/session_id"),
            cookie: cookie_of(&answer),
            access_token: text(&created, "/access_token"),
            csrf_token: RefCell::default(),
        };
        let footer = visitor.get(edge, "dashboard");
        *visitor.csrf_token.borrow_mut() = csrf_token(&footer.text);
        visitor
    }

    /// A full path of the session.
    pub fn path(&self, below: &str) -> String {
        format!("/embed/s/{}/{below}", self.session)
    }

    /// The word that the session's forms carry.
    pub fn csrf_token(&self) -> String {
        self.csrf_token.borrow().clone()
    }

    /// Reads a page.
    pub fn get(&self, edge: &Edge, below: &str) -> Answered {
        self.get_path(edge, &self.path(below))
    }

    /// The way below the session to poll for a page, if it says one.
    pub fn poll(&self, edge: &Edge, below: &str) -> Option<String> {
        let page = self.get(edge, below).text;
        let poll = page.split_once("data-poll=\"")?.1.split('"').next()?.replace("&amp;", "&");
        poll.strip_prefix(&self.path("")).map(str::to_owned)
    }

    /// Reads a page by its full path.
    pub fn get_path(&self, edge: &Edge, path: &str) -> Answered {
        call(edge, "GET", path, &[("cookie", &self.cookie)], b"")
    }

    /// Sends a form as the embed's own pages do.
    pub fn post(&self, edge: &Edge, below: &str, fields: &[(&str, &str)]) -> Answered {
        let headers = [("origin", ORIGIN), ("sec-fetch-site", "same-origin")];
        self.post_with(edge, below, fields, &headers)
    }

    /// Sends a form with these headers.
    pub fn post_with(
        &self,
        edge: &Edge,
        below: &str,
        fields: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answered {
        let word = self.csrf_token();
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        if !fields.iter().any(|(name, _)| *name == "csrf_token") {
            form.append_pair("csrf_token", &word);
        }
        form.extend_pairs(fields);
        let mut all = vec![
            ("cookie", self.cookie.as_str()),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        all.extend_from_slice(headers);
        call(edge, "POST", &self.path(below), &all, form.finish().as_bytes())
    }

    /// Every page that can be reached by links from the first one, once each.
    pub fn crawl(&self, edge: &Edge) -> Vec<(String, Answered)> {
        let (mut seen, mut waiting) = (Vec::new(), vec![self.path("dashboard")]);
        let mut pages: Vec<(String, Answered)> = Vec::new();
        while let Some(path) = waiting.pop() {
            if seen.contains(&path) {
                continue;
            }
            seen.push(path.clone());
            let answer = self.get_path(edge, &path);
            let home = self.path("");
            let mut follow = |link: &str| {
                let link = link.replace("&amp;", "&");
                let link = link.split('#').next().unwrap_or_default().to_owned();
                if link.starts_with(&home) {
                    waiting.push(link);
                }
            };
            match answer.headers.get("location") {
                Some(to) => follow(to.to_str().expect("text")),
                None => links(&answer.text).for_each(follow),
            }
            pages.push((path, answer));
        }
        pages
    }
}

/// The cookie that an answer sets, as a browser sends it back.
pub fn cookie_of(answer: &Answered) -> String {
    let header = answer.headers.get("set-cookie").expect("a cookie").to_str().expect("text");
    header.split(';').next().expect("a pair").to_owned()
}

fn csrf_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"csrf_token\" value=\"").expect("a form");
    rest.split('"').next().expect("its end").to_owned()
}

fn links(page: &str) -> impl Iterator<Item = &str> {
    page.split(" href=\"").skip(1).filter_map(|rest| rest.split('"').next())
}

/// How many links lead within a page; each must lead to what is there.
pub fn links_within(page: &str) -> usize {
    let links = page.split("href=\"#").skip(1).map(|link| link.split('"').next().expect("an id"));
    links.inspect(|id| assert!(page.contains(&format!("id=\"{id}\"")), "{id}: {page}")).count()
}
