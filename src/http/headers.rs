//! Headers of a request or an answer: a short list, which needs no map.

/// Header names with their values.
#[derive(Debug, Clone, Default)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// The first value of a header.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Sets a header in place of those of this name. A value that HTTP does not allow is left out.
    pub fn set(&mut self, name: &str, value: &str) {
        let is_allowed = |c: char| c == '\t' || (' '..='~').contains(&c);
        if value.chars().all(is_allowed) {
            self.0.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
            self.0.push((name.to_owned(), value.to_owned()));
        }
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl FromIterator<(String, String)> for Headers {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(headers: I) -> Self {
        Self(headers.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_set_once_and_only_to_what_http_allows() {
        let mut headers = Headers::default();
        headers.set("allow", "GET");
        headers.set("x-a", "");
        headers.set("Allow", "GET, PUT");
        for value in ["a\nb", "a\rb", "\0", "é", "\u{7f}"] {
            headers.set("allow", value);
        }
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("x-a", ""), ("Allow", "GET, PUT")]);
        assert_eq!(headers.get("ALLOW"), Some("GET, PUT"));
        assert_eq!(headers.get("x-b"), None);
    }
}
