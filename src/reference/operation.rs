//! Operations: what the reference says of a row of the route table. Who may call, how large a body
//! may be, and the problems that follow from both are the row's; the rest stands here.

use http::Method;
use serde_json::Value;

use crate::domain::base::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::http::access::Access;
use crate::ports::Platform;
use crate::reference::leaves::{count, example_id, matching, whole};
use crate::reference::shape::{Shape, closed, list_of, need, nullable};
use crate::routes::Route;

/// What the reference takes from a row of the route table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its method.
    pub method: Method,
    /// Its path, with `:name` for parameters.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// Largest body it reads.
    pub body_bytes_max: usize,
}

impl<P: Platform> From<&Route<P>> for Row {
    fn from(route: &Route<P>) -> Self {
        let Route { method, path, access, body_bytes_max, .. } = route;
        Self { method: method.clone(), path, access: *access, body_bytes_max: *body_bytes_max }
    }
}

/// A parameter in the path, in the query, or in a header.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    /// Its name.
    pub name: &'static str,
    /// What stands there.
    pub shape: Shape,
    /// Whether it must be there.
    pub required: bool,
    /// What it means.
    pub about: &'static str,
}

/// A success.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// When it is given.
    pub about: &'static str,
    /// Its body.
    pub shape: Shape,
}

/// What the reference says of one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Method of its row.
    pub method: Method,
    /// Path of its row.
    pub path: &'static str,
    /// Its name in client code.
    pub id: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// What there is to know beside that; Markdown of paragraphs and `code`.
    pub about: &'static str,
    /// Query parameters.
    pub query: Vec<Param>,
    /// Headers that it takes beside the credentials.
    pub headers: Vec<Param>,
    /// The body that it takes, and whether it must be there.
    pub body: Option<(Shape, bool)>,
    /// Its successes.
    pub answers: Vec<Answer>,
    /// Statuses of the problems that do not follow from its row and its parts.
    pub problems: Vec<u16>,
}

/// Begins the description of a row.
pub fn operation(
    method: Method,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
) -> Operation {
    Operation {
        method,
        path,
        id,
        summary,
        about: "",
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        answers: Vec::new(),
        problems: Vec::new(),
    }
}

/// A row with GET.
pub fn get(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::GET, path, id, summary)
}

/// A row with POST.
pub fn post(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::POST, path, id, summary)
}

/// A row with PUT.
pub fn put(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::PUT, path, id, summary)
}

/// A row with PATCH.
pub fn patch(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::PATCH, path, id, summary)
}

/// A row with DELETE.
pub fn delete(path: &'static str, id: &'static str, summary: &'static str) -> Operation {
    operation(Method::DELETE, path, id, summary)
}

impl Operation {
    /// The same with more to know.
    pub fn says(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// The same with a query parameter that may be left out.
    pub fn query(mut self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        self.query.push(Param { name, shape, required: false, about });
        self
    }

    /// The same with a query parameter that must be there.
    pub fn needed_query(mut self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        self.query.push(Param { name, shape, required: true, about });
        self
    }

    /// The same with a header that may be left out.
    pub fn header(mut self, name: &'static str, shape: Shape, about: &'static str) -> Self {
        self.headers.push(Param { name, shape, required: false, about });
        self
    }

    /// The same with a body that must be there.
    pub fn takes(mut self, shape: Shape) -> Self {
        self.body = Some((shape, true));
        self
    }

    /// The same with a body that may be left out.
    pub fn may_take(mut self, shape: Shape) -> Self {
        self.body = Some((shape, false));
        self
    }

    /// The same with a success.
    pub fn answers(mut self, status: u16, about: &'static str, shape: Shape) -> Self {
        self.answers.push(Answer { status, about, shape });
        self
    }

    /// The same with a list as its success, and what a list takes.
    pub fn lists(self, about: &'static str, record: Shape) -> Self {
        self.lists_by(PAGE_DEFAULT, about, record)
    }

    /// The same of a list whose first page is as long as a page can be, see
    /// [`Call::wide_limit`](crate::http::Call::wide_limit).
    pub fn lists_widely(self, about: &'static str, record: Shape) -> Self {
        self.lists_by(PAGE_MAX, about, record)
    }

    fn lists_by(self, default: usize, about: &'static str, record: Shape) -> Self {
        let limit = whole(1, PAGE_MAX as i64, default as i64);
        let Shape::Leaf(mut limit, example) = limit else { return self };
        limit["default"] = default.into();
        self.query("limit", Shape::Leaf(limit, example), "How many records a page has at most.")
            .query("cursor", cursor(), "`next_cursor` of the page before.")
            .answers(200, about, page_of(record))
    }

    /// The same for a record that has versions: it is changed only if it is of the one that is
    /// expected.
    pub fn if_match(self) -> Self {
        let about = "The `ETag` of the record as you read it: if it was changed since, nothing is \
                     changed and the answer is 412.";
        self.header("If-Match", super::leaves::text("\"19a1b2c3d4e-1\""), about).problems(&[412])
    }

    /// The same with problems that do not follow from its row and its parts.
    pub fn problems(mut self, statuses: &[u16]) -> Self {
        self.problems.extend(statuses);
        self
    }

    /// Names of the parameters in its path, in order.
    pub fn path_params(&self) -> Vec<&'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix(':')).collect()
    }

    /// Its path with `fill` in place of each parameter.
    pub fn path_with(&self, fill: impl Fn(&str) -> String) -> String {
        let part = |part: &str| part.strip_prefix(':').map_or_else(|| part.to_owned(), &fill);
        self.path.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// What stands in the path for a parameter.
    pub fn path_shape(&self, name: &str) -> Shape {
        match name {
            "n" => count(1),
            "key" => super::leaves::name("order.completed"),
            "access_key" => super::leaves::access_key(),
            "rule_id" => super::leaves::given_id("rule"),
            _ => super::leaves::given_id(self.noun()),
        }
    }

    /// What the `:id` of its path is the id of.
    fn noun(&self) -> &'static str {
        let before = self.path.split("/:id").next().unwrap_or_default();
        before.rsplit('/').next().unwrap_or_default().trim_end_matches('s')
    }

    /// Its path with examples in place of the parameters.
    pub fn example_path(&self) -> String {
        self.path_with(|name| match self.path_shape(name) {
            Shape::Leaf(_, Value::String(text)) => text,
            Shape::Leaf(_, value) => value.to_string(),
            _ => example_id(name),
        })
    }

    /// All statuses of problems that a call can be answered, in order.
    pub fn problem_statuses(&self, row: &Row) -> Vec<u16> {
        let mut all = vec![500, 503];
        if row.access != Access::Public {
            all.push(401);
        }
        // Keys have rate limits, and publishable keys limits of what they may emit.
        match row.access {
            Access::Emit => all.extend([403, 429]),
            Access::Machine | Access::Admin => all.push(429),
            _ => {}
        }
        if !self.query.is_empty() || self.body.is_some() {
            all.push(400);
        }
        if !self.path_params().is_empty() {
            all.push(404);
        }
        if self.body.is_some() {
            all.extend([413, 415]);
        }
        all.extend(&self.problems);
        all.sort_unstable();
        all.dedup();
        all
    }
}

fn cursor() -> Shape {
    matching("^[A-Za-z0-9_-]+$", "WyJldmVudHMiLCIwMTlhMWIyYyJd")
}

/// The envelope of every list.
fn page_of(record: Shape) -> Shape {
    closed([
        need("count", count(1)).says("How many records this page has."),
        need("limit", count(PAGE_DEFAULT as u64)),
        need("next_cursor", nullable(cursor())).says("Where the list goes on; `null` on its end."),
        need("records", list_of(record)),
    ])
}
