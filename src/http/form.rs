//! A form as browsers send it: `application/x-www-form-urlencoded`.

use std::collections::HashMap;

use crate::domain::base::error::{Error, Kind, Result};

/// Fields of a form in order.
#[derive(Debug, Clone, Default)]
pub struct Form(Vec<(String, String)>);

impl Form {
    /// Reads a body of this content type.
    ///
    /// # Errors
    /// `UnsupportedMediaType` when it is of another type.
    pub fn parse(content_type: Option<&str>, body: &[u8]) -> Result<Self> {
        let essence = content_type.and_then(|value| value.split(';').next()).unwrap_or_default();
        if !essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Error::new(Kind::UnsupportedMediaType, "The body must be a form"));
        }
        let fields = url::form_urlencoded::parse(body);
        Ok(Self(fields.map(|(name, value)| (name.into_owned(), value.into_owned())).collect()))
    }

    /// The first value of a field; the empty text when it is not there.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// The same without white space around it; `None` when nothing is left.
    pub fn filled(&self, name: &str) -> Option<&str> {
        Some(self.get(name).trim()).filter(|value| !value.is_empty())
    }

    /// The first value of each field by its name, for forms with many of them.
    pub fn by_name(&self) -> HashMap<&str, &str> {
        self.0.iter().rev().map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }

    /// All values of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Form {
    fn from(fields: [(&str, &str); N]) -> Self {
        Self(fields.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_in_order() {
        let read = |kind: &str, body: &[u8]| Form::parse(Some(kind), body);
        let form = read("application/x-www-form-urlencoded; charset=UTF-8", b"a=1+2&b=%C3%A9&a=3")
            .expect("a form");
        assert_eq!((form.get("a"), form.get("b"), form.get("c")), ("1 2", "é", ""));
        assert_eq!(form.all("a").collect::<Vec<_>>(), ["1 2", "3"]);
        assert_eq!(form.by_name().get("a"), Some(&"1 2"));
        assert_eq!(Form::from([("a", "  ")]).filled("a"), None);
        assert!(read("application/json", b"{}").is_err());
        assert!(Form::parse(None, b"a=1").is_err());
    }
}
