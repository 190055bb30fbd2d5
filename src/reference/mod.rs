//! The reference: what callers are told of the API. Each row of the route table has a description
//! here ([`operation::Operation`]), and all that can be read about the API is rendered of both: the
//! OpenAPI document, the page at `/docs`, a page for each problem, `llms.txt`.
//!
//! Nothing in the Worker refers to this module, so none of it is in the wasm. `npm run build`
//! renders it into `public/`, which is served beside the Worker as static assets. Of what is
//! rendered only the OpenAPI document is committed; a test fails when it is not what would be
//! rendered (`tests/it/reference/`). The same tests hold every answer of the other tests against
//! what is said here, so the reference cannot drift from the handlers.
//!
//! - [`shape`]: what a value looks like: a JSON Schema, an example, words for people.
//! - [`leaves`]: values without parts, with their patterns and limits.
//! - [`operation`]: how a row is described.
//! - one file for each noun, with its shapes and its operations.
//! - [`problems`]: what each problem means.
//! - [`openapi`], [`page`], [`problem_page`], [`front_page`], [`llms`]: what is
//!   rendered.

pub mod shape;

pub mod leaves;

pub mod operation;

pub mod problems;

mod organizations;

mod changes;

mod machine_keys;

mod workspaces;

mod event_types;

mod connections;

mod filter;

mod retention;

mod rules;

mod events;

mod deliveries;

mod destinations;

mod replays;

mod sessions;

mod stats;

mod transfers;

mod integrations;

mod mappings;

pub mod openapi;

mod words;

pub mod page;

pub mod problem_page;

pub mod front_page;

pub mod llms;

use crate::domain::base::error::Code;
use operation::{Operation, Row};
use shape::{Names, Shape, closed, list_of, may, need};

/// Operations that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Section {
    /// What it is called.
    pub title: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its operations with their rows, in the order in which people read them.
    pub operations: Vec<(Row, Operation)>,
}

/// All that the reference says.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    /// The operations.
    pub sections: Vec<Section>,
    /// The shapes that have a name.
    pub names: Names,
}

type Described = (&'static str, &'static str, Vec<Operation>);

fn described() -> Vec<Described> {
    let mut organizations = organizations::operations();
    organizations.extend(machine_keys::operations());
    organizations.extend(organizations::health());
    let mut workspaces = workspaces::operations();
    workspaces.extend(changes::operations());
    workspaces.extend(transfers::operations());
    let mut rules = rules::operations();
    rules.extend(filter::operations());
    let mut integrations = integrations::operations();
    integrations.extend(mappings::operations());
    vec![
        (
            "Emitting events",
            "One event goes to every connection of its workspace that a rule routes it to.",
            events::emitting(),
        ),
        ("Events", "The history: what was emitted, and what became of it.", events::reading()),
        ("Erasing", "Taking away what must not be kept.", events::erasing()),
        (
            "Deliveries",
            "A delivery is an event on its way to one connection by one rule, a `rule_event`. Each \
             request for it is an attempt.",
            deliveries::operations(),
        ),
        ("Replays", "Sending once more what lies in a range of time.", replays::operations()),
        ("Workspaces", "Each of your customers has one.", workspaces),
        ("Connections", "Where deliveries go.", connections::operations()),
        ("Rules", "Which events go to which connection.", rules),
        ("Event types", "What your customers can subscribe to.", event_types::operations()),
        (
            "Sessions",
            "A session lets one of your users into the embed, the page that your customers see \
             inside your product.",
            sessions::operations(),
        ),
        (
            "Integrations",
            "What kinds of connections there are, and what a connection says of its own.",
            integrations,
        ),
        ("Statistics", "Counts, success rates and times.", stats::operations()),
        ("Organization", "Your account and its machine keys.", organizations),
    ]
}

fn problem_shapes() -> Names {
    let names: Vec<&str> = problems::problems().iter().map(|problem| problem.name).collect();
    let codes = Code::ALL.map(Code::as_str);
    let field = closed([
        need("param", leaves::text("event")).says("Path of the field, such as `metadata.url`."),
        need("msg", leaves::words("is required")),
    ]);
    let error = closed([
        need("name", leaves::one_of(&names)),
        need("message", leaves::words("event: is required")),
        may("code", leaves::one_of(&codes)).says("What exactly stood in the way, for programs."),
        may("data", list_of(field)).shown().says("Every field that was wrong."),
    ]);
    let problem = closed([
        need("message", leaves::words("event: is required")),
        need("error", Shape::Named("ProblemError")),
        need("type", leaves::matching("^/problems/[a-z-]+$", "/problems/invalid"))
            .says("The path of the page that explains it; it never changes."),
        need("request_id", leaves::matching("^[A-Za-z0-9._-]{1,64}$", "req-1"))
            .says("Also in the header `X-Request-Id`; your own is kept."),
        may("retry_after", leaves::count(5)).says("Seconds, as in the header `Retry-After`."),
    ]);
    vec![("Problem", problem), ("ProblemError", error)]
}

fn named() -> Names {
    let all = [
        events::shapes(),
        deliveries::shapes(),
        replays::shapes(),
        workspaces::shapes(),
        changes::shapes(),
        connections::shapes(),
        rules::shapes(),
        filter::shapes(),
        event_types::shapes(),
        sessions::shapes(),
        stats::shapes(),
        integrations::shapes(),
        mappings::shapes(),
        organizations::shapes(),
        machine_keys::shapes(),
        problem_shapes(),
    ];
    all.into_iter().flatten().collect()
}

impl Reference {
    /// The reference of these rows.
    ///
    /// # Errors
    /// Which rows nothing describes, and which descriptions have no row.
    pub fn new(rows: &[Row]) -> Result<Self, String> {
        let mut missing: Vec<&Row> = rows.iter().collect();
        let mut unknown = Vec::new();
        let mut sections = Vec::new();
        for (title, about, operations) in described() {
            let mut of_section = Vec::new();
            for operation in operations {
                let is_its =
                    |row: &&Row| row.method == operation.method && row.path == operation.path;
                match missing.iter().position(is_its) {
                    Some(at) => of_section.push((missing.remove(at).clone(), operation)),
                    None => unknown.push(format!("{} {}", operation.method, operation.path)),
                }
            }
            sections.push(Section { title, about, operations: of_section });
        }
        if missing.is_empty() && unknown.is_empty() {
            return Ok(Self { sections, names: named() });
        }
        let missing = missing.iter().map(|row| format!("{} {}", row.method, row.path));
        let missing: Vec<String> = missing.collect();
        Err(format!("rows without description: {missing:?}; without row: {unknown:?}"))
    }

    /// All operations with their rows.
    pub fn operations(&self) -> impl Iterator<Item = &(Row, Operation)> {
        self.sections.iter().flat_map(|section| &section.operations)
    }

    /// All files, by their paths below `public/`.
    pub fn files(&self) -> Vec<(String, String)> {
        let mut files = vec![
            ("api/v1/openapi.json".to_owned(), openapi::render(self)),
            ("docs.html".to_owned(), page::render(self)),
            ("index.html".to_owned(), front_page::render()),
            ("llms.txt".to_owned(), llms::render(self)),
        ];
        let page = |problem: problems::Problem| {
            (format!("problems/{}.html", problem.name), problem_page::render(&problem))
        };
        files.extend(problems::problems().into_iter().map(page));
        files
    }
}
