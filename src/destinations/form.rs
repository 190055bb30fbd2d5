//! Reads the `metadata` of a connection from a caller by its destination's table of fields, and
//! shows it. A field that is left out keeps what is stored; `null` goes back to the default. Every
//! bad field is named below `metadata`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::destinations::model::{Field, Kind, Pattern, Values, header_field};
pub use crate::destinations::options::OPTIONS;
use crate::destinations::options::read_options;
use crate::destinations::value_checks::{check_half, check_header_value, check_prefix, check_word};
use crate::destinations::{Destination, preset};
use crate::domain::base::error::{Error, Kind as ErrorKind, Result};
use crate::domain::base::fields::Fields;
use crate::domain::base::limits::{HEADER_NAME_CHARS_MAX, HEADER_VALUE_BYTES_MAX};
use crate::domain::base::reason::Reason;
use crate::domain::base::secret::Secret;
use crate::domain::base::url_guard;
use crate::domain::connection::options::DeliveryOptions;
use crate::domain::connection::signing::{self, Signing};

/// What a caller asked for, checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Form {
    /// The settings as they will be.
    pub values: Values,
    /// The delivery options as they will be.
    pub options: DeliveryOptions,
    /// New values of credentials, by name.
    pub credentials: BTreeMap<String, Secret>,
    /// The names of all credentials that the connection will have. Those that are not among the new
    /// ones keep their stored value.
    pub credential_names: Vec<String>,
    /// How requests will be signed.
    pub signing: Option<Signing>,
    /// What to do about the signing secret.
    pub signing_secret: SecretChange,
    /// What the caller should know of what was taken.
    pub warnings: Vec<String>,
}

/// What a caller wants of the signing secret.
#[derive(Debug, Clone, PartialEq)]
pub enum SecretChange {
    /// Leave it; a new connection gets one generated and shown to nobody.
    Keep,
    /// Use this one.
    Use(Secret),
    /// Generate one and show it in this answer.
    Generate,
}

/// Keys of the signing secret, for destinations that are signed.
const SECRET: [&str; 2] = ["signing_secret", "generate_secret"];
/// Keys about the signing secret that are only ever read.
const SECRET_READ: [&str; 3] = ["has_signing_secret", "signing_secret_set_at", "secret_set_by"];

/// Keys that are only ever read; a caller that writes back what it read may send them.
pub fn read_only(destination: &dyn Destination) -> Vec<String> {
    let about = destination.about();
    let secrets = about.fields.iter().filter(|field| field.is_secret);
    let mut keys: Vec<String> = secrets.map(|field| format!("has_{}", field.key)).collect();
    if about.is_signed {
        keys.extend(SECRET_READ.map(str::to_owned));
    }
    keys
}

fn is_known(destination: &dyn Destination, key: &str) -> bool {
    let about = destination.about();
    about.field(key).is_some()
        || OPTIONS.contains(&key)
        || (about.is_signed && SECRET.contains(&key))
        || read_only(destination).iter().any(|known| known == key)
}

/// Reads `metadata`, the text of a JSON object. `current` is what is stored, `is_set` tells
/// whether a credential has a stored value.
///
/// # Errors
/// `Invalid` naming each bad field below `metadata`; `Refused` when the URL guard refuses a URL.
pub fn read(
    destination: &dyn Destination,
    metadata: &str,
    current: Option<(&Values, &DeliveryOptions)>,
    is_set: impl Fn(&str) -> bool,
    policy: &url_guard::Policy<'_>,
) -> Result<Form> {
    let reader = Reader { destination, is_set: &is_set, policy };
    reader.read(metadata, current).map_err(|error| error.below("metadata"))
}

struct Reader<'a> {
    destination: &'a dyn Destination,
    is_set: &'a dyn Fn(&str) -> bool,
    policy: &'a url_guard::Policy<'a>,
}

impl Reader<'_> {
    fn read(&self, metadata: &str, current: Option<(&Values, &DeliveryOptions)>) -> Result<Form> {
        let about = self.destination.about();
        let mut fields = Fields::parse(metadata)?;
        for key in fields.names() {
            if !is_known(self.destination, &key) {
                let msg = format!("is not a setting of a {} connection", about.key);
                fields.fail(&key, msg);
            }
        }
        let (values, options) = current.map_or_else(
            || {
                let pace = about.max_per_second;
                let options = DeliveryOptions { max_per_second: pace, ..Default::default() };
                (Values::new(about.fields), options)
            },
            |(values, options)| (values.clone(), options.clone()),
        );
        let mut form = Form {
            values,
            options,
            credentials: BTreeMap::new(),
            credential_names: Vec::new(),
            signing: None,
            signing_secret: SecretChange::Keep,
            warnings: Vec::new(),
        };
        for field in about.fields {
            self.read_field(&mut fields, field, &mut form);
        }
        keep_one(&mut fields, about.one_of, &mut form);
        preset::apply(&mut fields, about.fields, &mut form.values);
        read_options(&mut fields, &mut form.options, about.max_per_second);
        form.warnings = self.destination.tidy(&mut form.credentials);
        self.destination.check(&mut fields, &form.values, &form.credentials);
        form.signing = self.destination.signing(&form.values).map_err(Error::internal)?;
        if let Some(signing) = &form.signing {
            form.signing_secret = read_secret(&mut fields, signing);
        }
        fields.finish()?;
        self.guard(&mut form)?;
        Ok(form)
    }

    fn read_field(&self, fields: &mut Fields<'_>, field: &Field, form: &mut Form) {
        let key = field.key;
        if !field.counts(&form.values) && field.default.is_none() {
            form.values.set(key, None);
            return;
        }
        if let Kind::Headers(most) = field.kind {
            self.read_headers(fields, key, most, form);
            return;
        }
        let given = match &field.kind {
            Kind::Url => fields.text(key),
            Kind::Words(words) => fields.checked_text(key, |word| check_word(word, words)),
            // Its name is checked together with all other names of headers.
            Kind::HeaderName if field.default.is_none() => fields.text(key),
            Kind::HeaderName => fields.checked_text(key, check_header_name),
            Kind::HeaderValue(most) => {
                fields.checked_text(key, |value| check_header_value(value, *most))
            }
            Kind::Half(most, _) => fields.checked_text(key, |value| check_half(value, *most)),
            Kind::Prefix(most) => fields.checked_text(key, |value| check_prefix(value, *most)),
            Kind::Matching(pattern) | Kind::Endpoint(pattern) => {
                fields.checked_text(key, |value| check(value, pattern))
            }
            Kind::Headers(_) => None,
        };
        if field.is_secret {
            let has = given.is_some() || (!fields.has(key) && (self.is_set)(key));
            self.require(fields, field, has);
            if has {
                form.credential_names.push(key.to_owned());
            }
            form.credentials.extend(given.map(|value| (key.to_owned(), Secret::new(value))));
            return;
        }
        match given {
            Some(value) => form.values.set(key, Some(&value)),
            None if fields.is_null(key) => form.values.set(key, field.default),
            None => {}
        }
        self.require(fields, field, form.values.get(key).is_some());
    }

    fn require(&self, fields: &mut Fields<'_>, field: &Field, has: bool) {
        let is_half = matches!(field.kind, Kind::Half(_, other)
            if fields.has(other) && !fields.is_null(other) || (self.is_set)(other));
        if field.is_required && !has && !is_half && !fields.names_failure(field.key) {
            let why = field.when.map_or(Reason::Required, |(key, _)| Reason::RequiredWith(key));
            fields.fail(field.key, why);
        }
    }

    fn read_headers(&self, fields: &mut Fields<'_>, key: &str, most: usize, form: &mut Form) {
        if fields.is_null(key) {
            form.values.set_names(key, Vec::new());
        }
        if let Some(list) = fields.items(key, "an array of {name, value} objects") {
            if list.len() > most {
                fields.fail(key, format!("must be at most {most} headers"));
                return;
            }
            let mut names = Vec::new();
            for (index, entry) in list.iter().enumerate() {
                match self.read_header(entry.get()) {
                    Ok((name, value)) => {
                        let value = value.map(|value| (header_field(&name), value));
                        form.credentials.extend(value);
                        names.push(name);
                    }
                    Err(error) => fields.fail_with(&format!("{key}[{index}]"), error),
                }
            }
            form.values.set_names(key, names);
        }
        let names = form.values.names(key).into_iter().map(header_field);
        form.credential_names.extend(names.collect::<Vec<_>>());
    }

    fn read_header(&self, entry: &str) -> Result<(String, Option<Secret>)> {
        let mut header = Fields::parse(entry)?;
        let name = header.required_checked_text("name", check_header_name);
        let check = |value: &str| check_header_value(value, HEADER_VALUE_BYTES_MAX);
        let value = header.checked_text("value", check);
        let kept = !header.has("value") && (self.is_set)(&header_field(&name));
        if value.is_none() && !kept && !header.failed() {
            header.fail("value", Reason::NewHeader);
        }
        header.finish()?;
        Ok((name, value.map(Secret::new)))
    }

    /// Every URL that came in must be one that requests may go to. It is kept as it will be called,
    /// so that what is shown is what is called.
    fn guard(&self, form: &mut Form) -> Result<()> {
        let urls = self.destination.about().fields.iter();
        for field in urls.filter(|field| field.kind.is_url()) {
            let secret = form.credentials.get(field.key).map(|secret| secret.expose());
            let Some(url) = secret.or_else(|| form.values.get(field.key)) else { continue };
            let called = url_guard::check(url, self.policy).map_err(|refusal| {
                Error::field(field.key, Reason::Url(refusal.to_string()))
                    .of_kind(ErrorKind::Refused)
            })?;
            if secret.is_none() {
                form.values.set(field.key, Some(called.as_str()));
            }
        }
        Ok(())
    }
}

/// Of these credentials there is exactly one. One that is given takes the place of a stored one.
fn keep_one(fields: &mut Fields<'_>, one_of: &[&str], form: &mut Form) {
    let is_given = |form: &Form, key: &str| form.credentials.contains_key(key);
    if one_of.iter().any(|key| is_given(form, key)) {
        let (given, names) = (form.credentials.clone(), &mut form.credential_names);
        names.retain(|name| !one_of.contains(&name.as_str()) || given.contains_key(name));
    }
    let has = |key: &&&str| form.credential_names.iter().any(|name| name == **key);
    let (Some(first), held) = (one_of.first(), one_of.iter().filter(has).count()) else { return };
    if held != 1 && !one_of.iter().any(|key| fields.names_failure(key)) {
        fields.fail(first, Reason::ExactlyOne(held == 0, one_of.join(", ")));
    }
}

fn check(value: &str, pattern: &Pattern) -> std::result::Result<(), Reason> {
    if (pattern.fits)(value) { Ok(()) } else { Err(Reason::Pattern(pattern.told)) }
}

/// Whether this can be the name of a header.
///
/// # Errors
/// Why it cannot.
pub fn check_header_name(name: &str) -> std::result::Result<(), Reason> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if name.is_empty() || name.len() > HEADER_NAME_CHARS_MAX || !name.chars().all(is_token) {
        return Err(Reason::HeaderName(HEADER_NAME_CHARS_MAX));
    }
    Ok(())
}

fn read_secret(fields: &mut Fields<'_>, signing: &Signing) -> SecretChange {
    let generate = fields.flag("generate_secret") == Some(true);
    let given = fields.text("signing_secret");
    if fields.is_null("signing_secret") {
        fields.fail("signing_secret", "cannot be removed; use signing_algorithm none");
    }
    if generate && given.is_some() {
        fields.fail("generate_secret", "cannot stand beside signing_secret");
    }
    if let Some(text) = given {
        if let Err(msg) = signing::check_secret(signing.scheme, &text) {
            fields.fail("signing_secret", msg);
        }
        return SecretChange::Use(Secret::new(text));
    }
    if generate { SecretChange::Generate } else { SecretChange::Keep }
}

/// What is known of a connection's signing secret without opening it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFacts {
    /// When the current one was set, as RFC 3339.
    pub set_at: String,
    /// `given` or `generated`.
    pub set_by: &'static str,
}

/// The `metadata` that callers read: the settings, and for every value that is write-only whether
/// it is set. `is_set` tells that of a credential.
pub fn show(
    destination: &dyn Destination,
    values: &Values,
    options: &DeliveryOptions,
    is_set: impl Fn(&str) -> bool,
    secret: Option<&SecretFacts>,
) -> Map<String, Value> {
    let about = destination.about();
    let mut shown = Map::new();
    let mut put = |key: &str, value: Value| shown.insert(key.to_owned(), value);
    for field in about.fields {
        let key = field.key;
        if let Kind::Headers(_) = field.kind {
            let names = values.names(key).into_iter();
            let one = |name| json!({"name": name, "has_value": is_set(&header_field(name))});
            put(key, names.map(one).collect());
        } else if field.is_secret {
            if field.counts(values) {
                put(&format!("has_{key}"), json!(is_set(key)));
            }
        } else if let Some(value) = values.get(key) {
            put(key, json!(value));
        }
    }
    if about.is_signed {
        put("has_signing_secret", json!(secret.is_some()));
    }
    if let Some(facts) = secret {
        put("signing_secret_set_at", json!(facts.set_at));
        put("secret_set_by", json!(facts.set_by));
    }
    put("timeout_seconds", json!(options.timeout_seconds));
    put("retry_schedule_seconds", json!(options.retry_schedule_seconds));
    put("ordering", json!(options.ordering.as_str()));
    if let Some(per_second) = options.max_per_second {
        put("max_per_second", json!(per_second));
    }
    if let Some(most) = options.max_in_flight {
        put("max_in_flight", json!(most));
    }
    shown
}

#[cfg(test)]
mod tests;
