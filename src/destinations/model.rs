//! What a destination is made of, as data: its fields and its actions. What goes in and comes out
//! of an attempt stands in `call.rs`.

use serde_json::{Map, Value, json};

/// What a destination is and what it takes.
pub struct About {
    /// Its type, the wire contract's word.
    pub key: &'static str,
    /// Its name.
    pub name: &'static str,
    /// How people sign in to it, in the contract's word: `api_key` or `none`.
    pub authentication: &'static str,
    /// Settings and credentials of a connection, in the order of the form.
    pub fields: &'static [Field],
    /// What its rules can ask for.
    pub actions: &'static [Action],
    /// Whether its requests are signed with a secret of the connection.
    pub is_signed: bool,
    /// The pace of a new connection, where the provider limits it.
    pub max_per_second: Option<u32>,
    /// Whether there is a provider behind it whose requests an operator can send to a stand-in
    /// (`PROVIDER_BASES`). The others call what customers run themselves.
    pub has_provider: bool,
    /// Credentials of which a connection has exactly one. A new one takes the stored one's place.
    pub one_of: &'static [&'static str],
}

impl About {
    /// A field of its connections.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// Whether a rule says something that its requests depend on.
    pub fn reads_rules(&self) -> bool {
        self.actions.len() > 1 || self.actions.iter().any(|action| !action.inputs.is_empty())
    }

    /// One of its actions.
    pub fn action(&self, key: &str) -> Option<&'static Action> {
        self.actions.iter().find(|action| action.key == key)
    }
}

/// Where a field stands in the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Where to.
    Destination,
    /// How requests are signed.
    Signature,
    /// How they authenticate, folded away.
    Authentication,
    /// How they are made, folded away.
    Delivery,
}

/// A setting or a credential of a connection.
pub struct Field {
    /// Its key in `metadata`.
    pub key: &'static str,
    /// What stands there.
    pub kind: Kind,
    /// Whether a connection must have it.
    pub is_required: bool,
    /// What stands for it when it is left out.
    pub default: Option<&'static str>,
    /// Whether it is sealed and never shown again.
    pub is_secret: bool,
    /// Another field and the words of it with which this one counts.
    pub when: Option<(&'static str, &'static [&'static str])>,
    /// What its words, which are presets, set other fields to.
    pub sets: &'static [(&'static str, &'static [(&'static str, &'static str)])],
    /// Where it stands in the form.
    pub part: Part,
    /// What people call it.
    pub label: &'static str,
    /// What helps to fill it in.
    pub hint: &'static str,
    /// What the reference says of it.
    pub about: &'static str,
    /// An example of it.
    pub example: &'static str,
}

/// What stands in a field.
pub enum Kind {
    /// A URL that the guard lets pass.
    Url,
    /// One of these words, each with its label.
    Words(&'static [(&'static str, &'static str)]),
    /// A header's name.
    HeaderName,
    /// Printable ASCII that can stand in a header, of at most so many bytes.
    HeaderValue(usize),
    /// Half of a pair, of at most so many bytes; it may be empty. With the other half it is enough.
    Half(usize, &'static str),
    /// Printable ASCII without spaces of at most so many characters, or nothing.
    Prefix(usize),
    /// Up to so many headers; their values are credentials.
    Headers(usize),
    /// Text that fits a pattern.
    Matching(Pattern),
    /// A URL that fits a pattern and that the guard lets pass.
    Endpoint(Pattern),
}

/// What a text must look like.
#[derive(Debug, Clone, Copy)]
pub struct Pattern {
    /// The pattern as a regular expression without anchors, for people and for forms.
    pub regex: &'static str,
    /// Whether a text fits it.
    pub fits: fn(&str) -> bool,
    /// What is said of one that does not, after the field's name.
    pub told: &'static str,
}

impl Kind {
    /// Whether requests go where it says.
    pub fn is_url(&self) -> bool {
        matches!(self, Self::Url | Self::Endpoint(_))
    }
}

impl Field {
    /// A field that can be left out.
    pub const fn new(key: &'static str, kind: Kind, label: &'static str) -> Self {
        Self {
            key,
            kind,
            is_required: false,
            default: None,
            is_secret: false,
            when: None,
            sets: &[],
            part: Part::Destination,
            label,
            hint: "",
            about: "",
            example: "",
        }
    }

    /// The same; it must be there.
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The same with what stands for it when it is left out.
    pub const fn or(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The same; it is a credential.
    pub const fn secret(mut self) -> Self {
        self.is_secret = true;
        self
    }

    /// The same; it counts only while another field has one of these words.
    pub const fn when(mut self, key: &'static str, words: &'static [&'static str]) -> Self {
        self.when = Some((key, words));
        self
    }

    /// The same in another part of the form.
    pub const fn of(mut self, part: Part) -> Self {
        self.part = part;
        self
    }

    /// The same with what helps to fill it in.
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }

    /// The same with what the reference says, and its example.
    pub const fn says(mut self, about: &'static str, example: &'static str) -> Self {
        self.about = about;
        self.example = example;
        self
    }

    /// Whether it counts with these settings.
    pub fn counts(&self, values: &Values) -> bool {
        self.when.is_none_or(|(key, words)| words.contains(&values.text(key)))
    }
}

/// A field of a provider's persons that payloads can be mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PersonField {
    /// Its key.
    pub key: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What its text must look like: `email` or `phone`, or empty.
    pub format: &'static str,
    /// Where its value stands in a payload, unless a mapping says something else.
    pub from: Option<&'static str>,
    /// Whether there is no person without it.
    pub is_required: bool,
}

impl PersonField {
    /// The address, by which persons are known.
    pub const EMAIL: Self = Self {
        key: "email",
        label: "E-mail",
        format: "email",
        from: Some("email"),
        is_required: true,
    };

    /// A text.
    pub const fn new(key: &'static str, label: &'static str) -> Self {
        Self { key, label, format: "", from: None, is_required: false }
    }

    /// The same; by default it comes from here.
    pub const fn of(mut self, path: &'static str) -> Self {
        self.from = Some(path);
        self
    }

    /// The same with what its text must look like.
    pub const fn format(mut self, format: &'static str) -> Self {
        self.format = format;
        self
    }
}

/// Something that a rule can ask for.
pub struct Action {
    /// Its key in a rule's `metadata.action`.
    pub key: &'static str,
    /// What people call it.
    pub label: &'static str,
    /// What it is about.
    pub noun: &'static str,
    /// What it does.
    pub description: &'static str,
    /// What a rule says of it, in the order of the form.
    pub inputs: &'static [Input],
}

/// Something that a rule says of an action.
pub struct Input {
    /// Its key in the rule's `metadata`.
    pub key: &'static str,
    /// What stands there.
    pub kind: InputKind,
    /// Whether the action needs it.
    pub is_required: bool,
    /// A credential with which the connection does not need it.
    pub unless: Option<&'static str>,
    /// What people call it.
    pub label: &'static str,
    /// What helps to fill it in.
    pub hint: &'static str,
}

impl Input {
    /// An input that can be left out.
    pub const fn new(key: &'static str, kind: InputKind, label: &'static str) -> Self {
        Self { key, kind, is_required: false, unless: None, label, hint: "" }
    }

    /// The same; the action needs it.
    pub const fn required(mut self) -> Self {
        self.is_required = true;
        self
    }

    /// The same; a connection that has this credential does not need it.
    pub const fn unless(mut self, credential: &'static str) -> Self {
        self.unless = Some(credential);
        self
    }

    /// The same with what helps to fill it in.
    pub const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = hint;
        self
    }
}

/// What stands in an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// The id of one item of the live list of this name.
    Id(&'static str),
    /// A template in one line.
    Line,
    /// A template of many lines.
    Text,
    /// A template of many lines whose place depends on the connection; its destination checks it.
    Body,
    /// One of these words, each with its label.
    Words(&'static [(&'static str, &'static str)]),
}

impl InputKind {
    /// Whether it is a template, checked as one.
    pub fn is_template(self) -> bool {
        matches!(self, Self::Line | Self::Text | Self::Body)
    }
}

/// Settings of a connection by key, as they are stored.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values(Map<String, Value>);

impl Values {
    /// The settings of a new connection: the defaults.
    pub fn new(fields: &[Field]) -> Self {
        let mut values = Self::default();
        for field in fields {
            match field.kind {
                Kind::Headers(_) => values.set_names(field.key, Vec::new()),
                _ => values.set(field.key, field.default),
            }
        }
        values
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// What is wrong with it, for the log.
    pub fn stored(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map(Self).map_err(|e| format!("settings of a connection: {e}"))
    }

    /// The form to store.
    pub fn to_stored(&self) -> String {
        Value::Object(self.0.clone()).to_string()
    }

    /// What is set; the empty text when nothing is.
    pub fn text(&self, key: &str) -> &str {
        self.0.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// What is set, if anything.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    /// The names of headers that are set.
    pub fn names(&self, key: &str) -> Vec<&str> {
        let names = self.0.get(key).and_then(Value::as_array);
        names.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Sets a value or takes it away.
    pub fn set(&mut self, key: &str, value: Option<&str>) {
        match value {
            Some(value) => self.0.insert(key.to_owned(), json!(value)),
            None => self.0.remove(key),
        };
    }

    /// Sets the names of headers.
    pub fn set_names(&mut self, key: &str, names: Vec<String>) {
        self.0.insert(key.to_owned(), json!(names));
    }
}

/// Begins the names of custom headers' values among the credentials.
pub const CUSTOM_HEADER: &str = "custom_header:";

/// Name of a custom header's value among the credentials.
pub fn header_field(name: &str) -> String {
    format!("{CUSTOM_HEADER}{}", name.to_ascii_lowercase())
}
