//! Reads the fields of a JSON object one by one and collects what is wrong with each, so that one
//! answer names every bad field. Values that are not asked for are never interpreted: a field can
//! be taken as the exact text that came in.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

use crate::domain::base::error::{Error, FieldError, Result};
use crate::domain::base::limits::OBJECT_KEYS_MAX;
use crate::domain::base::reason::{Reason, Told};

/// What a whole number is called in errors.
const WHOLE_NUMBER: &str = "a whole number";

/// The fields of one JSON object.
pub struct Fields<'a> {
    entries: Entries<'a>,
    errors: Vec<FieldError>,
}

/// The entries of an object; one more than [`OBJECT_KEYS_MAX`] when there are more.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

/// The first items of an array, which may have more.
struct Items<'a, const MOST: usize>(Vec<&'a RawValue>);

impl<'de, const MOST: usize> Deserialize<'de> for Items<'de, MOST> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        struct Array<const MOST: usize>;
        impl<'de, const MOST: usize> Visitor<'de> for Array<MOST> {
            type Value = Items<'de, MOST>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON array")
            }
            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut items: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut first = Vec::new();
                while first.len() < MOST {
                    match items.next_element()? {
                        Some(item) => first.push(item),
                        None => return Ok(Items(first)),
                    }
                }
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Items(first))
            }
        }
        input.deserialize_seq(Array)
    }
}

/// The exact texts of the first items of a JSON array, at most `MOST`; what follows is passed over,
/// so that a long array costs no memory. `None` when the text is none.
pub fn first_items<const MOST: usize>(text: &str) -> Option<Vec<&RawValue>> {
    let items: Items<'_, MOST> = serde_json::from_str(text).ok()?;
    Some(items.0)
}

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: serde::Deserializer<'de>>(input: D) -> std::result::Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Entries<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                // Keys are read as leniently as payloads are: half of a surrogate pair makes a
                // key that no field has.
                while entries.len() <= OBJECT_KEYS_MAX {
                    let Some((key, value)) = map.next_entry::<&RawValue, &RawValue>()? else {
                        return Ok(Entries(entries));
                    };
                    let read = serde_json::from_str(key.get());
                    entries.push((read.unwrap_or_else(|_| key.get().to_owned()), value));
                }
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Entries(entries))
            }
        }
        input.deserialize_map(Object)
    }
}

impl<'a> Fields<'a> {
    /// The fields of the JSON object in `text`.
    ///
    /// # Errors
    /// [`Error`] of kind `Invalid` when the text is no JSON or another kind of value.
    pub fn parse(text: &'a str) -> Result<Self> {
        let parsed: std::result::Result<&RawValue, _> = serde_json::from_str(text);
        let value =
            parsed.map_err(|e| Error::invalid(format!("The body is not valid JSON: {e}")))?;
        if !value.get().starts_with('{') {
            let msg = format!("must be a JSON object, not {}", kind_of(value));
            return Err(Error::field("", msg));
        }
        let entries: Entries<'_> = serde_json::from_str(value.get())
            .map_err(|e| Error::invalid(format!("The body is not valid JSON: {e}")))?;
        if entries.0.len() > OBJECT_KEYS_MAX {
            return Err(Error::field("", format!("has more than {OBJECT_KEYS_MAX} fields")));
        }
        Ok(Self { entries, errors: Vec::new() })
    }

    /// Notes that `name` is wrong.
    pub fn fail(&mut self, name: &str, told: impl Into<Told>) {
        self.note(name, told.into());
    }

    #[inline(never)]
    fn note(&mut self, name: &str, told: Told) {
        self.errors.push(FieldError::new(name, told));
    }

    /// Notes every field error of `error` below `name`.
    pub fn fail_with(&mut self, name: &str, error: Error) {
        if error.fields.is_empty() {
            self.fail(name, error.message.clone());
        } else {
            self.errors.extend(error.below(name).into_fields());
        }
    }

    /// The exact text of the first value of `name`, without noting anything.
    pub fn exact(&self, name: &str) -> Option<&'a str> {
        let found = self.entries.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.get())
    }

    /// The exact text of the value of `name`; `null` counts as a value. A key that is written twice
    /// is refused, because two readers could take different ones.
    pub fn raw(&mut self, name: &str) -> Option<&'a str> {
        let mut found = self.entries.0.iter().filter(|(key, _)| key == name);
        let value = found.next().map(|(_, value)| value.get());
        if found.next().is_some() {
            self.fail(name, "stands twice in the object");
        }
        value
    }

    /// The names of all fields.
    pub fn names(&self) -> Vec<String> {
        self.entries.0.iter().map(|(key, _)| key.clone()).collect()
    }

    /// True when the field is there, even as `null`.
    pub fn has(&self, name: &str) -> bool {
        self.entries.0.iter().any(|(key, _)| key == name)
    }

    /// True when the field is there as `null`.
    pub fn is_null(&self, name: &str) -> bool {
        self.entries.0.iter().any(|(key, value)| key == name && value.get() == "null")
    }

    /// The field as `T`; absent and `null` are `None`; another type is noted as "must be `what`".
    pub fn get<T: DeserializeOwned>(&mut self, name: &str, what: &str) -> Option<T> {
        self.read(name, what, |text| serde_json::from_str(text).ok())
    }

    /// The exact texts of the items of an array; absent, `null` and another type as with
    /// [`get`](Self::get).
    pub fn items(&mut self, name: &str, what: &str) -> Option<Vec<&'a RawValue>> {
        self.read(name, what, first_items::<OBJECT_KEYS_MAX>)
    }

    fn read<T>(
        &mut self,
        name: &str,
        what: &str,
        read: impl FnOnce(&'a str) -> Option<T>,
    ) -> Option<T> {
        let text = self.raw(name).filter(|text| *text != "null")?;
        let value = read(text);
        if value.is_none() {
            // Valid JSON, and still no text: it has half of a surrogate pair.
            let is_broken = text.starts_with('"') && what == "a string";
            match what {
                _ if is_broken => {
                    self.fail(name, "must have no lone surrogate such as \\ud800");
                }
                WHOLE_NUMBER => self.fail(name, Reason::WholeNumber),
                _ => self.fail(name, format!("must be {what}")),
            }
        }
        value
    }

    /// An optional string.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.get(name, "a string")
    }

    /// An optional boolean.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.get(name, "true or false")
    }

    /// An optional whole number.
    pub fn integer(&mut self, name: &str) -> Option<i64> {
        self.get(name, WHOLE_NUMBER)
    }

    /// A string that must be there; the empty string stands for it when it is not.
    pub fn required_text(&mut self, name: &str) -> String {
        let failed = self.errors.len();
        let value = self.text(name);
        if value.is_none() && self.errors.len() == failed {
            self.fail(name, Reason::Required);
        }
        value.unwrap_or_default()
    }

    /// An optional string that `check` accepts.
    pub fn checked_text<E: Into<Told>>(
        &mut self,
        name: &str,
        check: impl Fn(&str) -> std::result::Result<(), E>,
    ) -> Option<String> {
        let value = self.text(name)?;
        let checked = check(&value).map_err(Into::into);
        self.accepted(name, value, checked)
    }

    #[inline(never)]
    fn accepted(
        &mut self,
        name: &str,
        value: String,
        checked: std::result::Result<(), Told>,
    ) -> Option<String> {
        match checked {
            Ok(()) => Some(value),
            Err(told) => {
                self.fail(name, told);
                None
            }
        }
    }

    /// A string that must be there and that `check` accepts.
    pub fn required_checked_text<E: Into<Told>>(
        &mut self,
        name: &str,
        check: impl Fn(&str) -> std::result::Result<(), E>,
    ) -> String {
        if !self.has(name) || self.is_null(name) {
            self.fail(name, Reason::Required);
        }
        self.checked_text(name, check).unwrap_or_default()
    }

    /// An optional UUID, in the form we store.
    pub fn uuid(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        let id = crate::domain::base::ids::parse_uuid(&text);
        if id.is_none() {
            self.fail(name, "must be a UUID");
        }
        id
    }

    /// A UUID that must be there; the empty string stands for it when it is not.
    pub fn required_uuid(&mut self, name: &str) -> String {
        if !self.has(name) || self.is_null(name) {
            self.fail(name, Reason::Required);
        }
        self.uuid(name).unwrap_or_default()
    }

    /// True when something was noted of this field so far.
    pub fn names_failure(&self, name: &str) -> bool {
        self.errors.iter().any(|error| error.param == name)
    }

    /// True when something was noted so far.
    pub fn failed(&self) -> bool {
        !self.errors.is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// All that was noted.
    pub fn finish(self) -> Result<()> {
        if self.errors.is_empty() { Ok(()) } else { Err(Error::fields(self.errors)) }
    }
}

/// What kind of JSON value a text is, in words for an error message.
pub fn kind_of(value: &RawValue) -> &'static str {
    match value.get().as_bytes().first() {
        Some(b'{') => "an object",
        Some(b'[') => "an array",
        Some(b'"') => "a string",
        Some(b't' | b'f') => "a boolean",
        Some(b'n') => "null",
        _ => "a number",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str, read: impl Fn(&mut Fields<'_>)) -> Vec<(String, String)> {
        let mut fields = match Fields::parse(text) {
            Ok(fields) => fields,
            Err(error) => return vec![("".into(), error.message.clone())],
        };
        read(&mut fields);
        let result = fields.finish();
        let noted = result.err().map(Error::into_fields).unwrap_or_default();
        noted.into_iter().map(|e| (e.param, e.msg)).collect()
    }

    #[test]
    fn every_bad_field_is_named() {
        let read = |fields: &mut Fields<'_>| {
            fields.required_text("a");
            fields.flag("b");
            fields.integer("c");
            fields.required_uuid("d");
        };
        assert!(errors(r#"{"a":"","d":"00000000-0000-4000-8000-000000000000"}"#, read).is_empty());
        let noted = errors(r#"{"a":1,"b":"x","c":1.5,"d":"x"}"#, read);
        let names: Vec<_> = noted.iter().map(|(param, _)| param.as_str()).collect();
        assert_eq!(names, ["a", "b", "c", "d"]);
        assert_eq!(
            errors("{}", read),
            [
                ("a".to_owned(), "is required".to_owned()),
                ("d".to_owned(), "is required".to_owned()),
            ]
        );
        assert_eq!(errors(r#"{"a":"x","a":"y","d":null}"#, read).len(), 2);
    }

    #[test]
    fn another_kind_of_value_is_named() {
        for (text, kind) in [("[1]", "an array"), ("\"x\"", "a string"), ("1", "a number")] {
            let noted = errors(text, |_| ());
            assert!(noted[0].1.contains(kind), "{noted:?}");
        }
        for text in ["", "{", "{\"a\":1,}", "{'a':1}", "\u{feff}{}", "{} {}"] {
            assert!(errors(text, |_| ())[0].1.contains("not valid JSON"), "{text}");
        }
    }

    #[test]
    fn reading_ends_where_there_is_too_much() {
        let object = |keys: usize| {
            let entries: Vec<String> = (0..keys).map(|key| format!("\"k{key}\":0")).collect();
            format!("{{{}}}", entries.join(","))
        };
        assert!(errors(&object(OBJECT_KEYS_MAX), |_| ()).is_empty());
        assert!(errors(&object(OBJECT_KEYS_MAX + 1), |_| ())[0].1.contains("more than 1000"));
        let zeros = format!("[{}0]", "0,".repeat(500));
        assert_eq!(first_items::<101>(&zeros).map(|items| items.len()), Some(101));
        assert_eq!(first_items::<101>("[1,2]").map(|items| items.len()), Some(2));
        assert!(first_items::<101>("{}").is_none());
        assert!(first_items::<1>("[1,2").is_none());
    }

    #[test]
    fn raw_text_is_untouched() {
        let text = "{ \"p\" : { \"b\":1.0 ,\t\"a\" : 1e400, \"a\":\"\\ud800\" } , \"x\":1 }";
        let mut fields = Fields::parse(text).expect("an object");
        let payload = "{ \"b\":1.0 ,\t\"a\" : 1e400, \"a\":\"\\ud800\" }";
        assert_eq!(fields.raw("p"), Some(payload));
    }

    #[test]
    fn half_of_a_surrogate_pair_is_a_key_and_no_text() {
        let text = r#"{"\ud800":1,"a":"\ud800"}"#;
        let noted = errors(text, |fields| drop(fields.text("a")));
        let expected = ("a".to_owned(), "must have no lone surrogate such as \\ud800".to_owned());
        assert_eq!(noted, [expected]);
    }
}
