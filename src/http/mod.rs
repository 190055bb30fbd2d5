//! What API and embed share: requests and replies, who may call what, errors as problem documents,
//! cursors. Nothing here depends on the platform.

pub mod access;
pub mod body;
pub mod cost;
pub mod cursor;
pub mod event_filter;
pub mod form;
pub mod large_bodies;
pub mod problem;
pub mod strangers;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use http::{Method, StatusCode};
use serde_json::Value;

use crate::domain::base::error::{Error, Result};
use crate::domain::base::ids;
use crate::domain::base::limits::{PAGE_DEFAULT, PAGE_MAX};
use crate::domain::base::version::Expected;
use access::Caller;
use form::Form;

/// A request whose body was read.
#[derive(Debug, Clone)]
pub struct Request {
    /// Method.
    pub method: Method,
    /// Scheme, host and port that were called.
    pub origin: String,
    /// Path, still percent-encoded.
    pub path: String,
    /// Query without the question mark.
    pub query: String,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Request {
    /// A header's value, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&str> {
        std::str::from_utf8(self.headers.get(name)?.as_bytes()).ok()
    }

    /// The first value of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}

/// A request on its way to a handler.
#[derive(Debug)]
pub struct Call {
    /// The request.
    pub request: Request,
    /// Who is calling.
    pub caller: Caller,
    /// Path parameters in order.
    pub params: Vec<(String, String)>,
}

impl Call {
    /// A path parameter that is a UUID.
    ///
    /// # Errors
    /// `NotFound` for `noun` when it is none: no record has such an id.
    pub fn id(&self, name: &str, noun: &str) -> Result<String> {
        let value = self.params.iter().find(|(key, _)| key == name).map(|(_, value)| value);
        value.and_then(|text| ids::parse_uuid(text)).ok_or_else(|| Error::not_found(noun))
    }

    /// A path parameter, percent-decoded.
    pub fn decoded(&self, name: &str) -> String {
        let decoded = percent_encoding::percent_decode_str(self.param(name));
        decoded.decode_utf8_lossy().into_owned()
    }

    /// A path parameter as it stands.
    pub fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value.as_str())
    }

    /// A query parameter that must be a UUID.
    ///
    /// # Errors
    /// `Invalid` naming it.
    pub fn query_id(&self, name: &str) -> Result<String> {
        let value = self.request.query(name);
        let value = value.ok_or_else(|| Error::field(name, "is required"))?;
        ids::parse_uuid(&value).ok_or_else(|| Error::field(name, "must be a UUID"))
    }

    /// A query parameter that must be one of these words if it is there.
    ///
    /// # Errors
    /// `Invalid` naming it.
    pub fn query_word(&self, name: &str, words: &[&str]) -> Result<Option<String>> {
        let value = self.request.query(name);
        if value.as_deref().is_some_and(|value| !words.contains(&value)) {
            return Err(Error::field(name, format!("must be one of {}", words.join(", "))));
        }
        Ok(value)
    }

    /// The body as a form.
    ///
    /// # Errors
    /// `UnsupportedMediaType` when it is of another type.
    pub fn form(&self) -> Result<Form> {
        problem::check_content_encoding(self.request.header("content-encoding"))?;
        Form::parse(self.request.header("content-type"), &self.request.body)
    }

    /// The body as text.
    ///
    /// # Errors
    /// `Invalid` when it is not UTF-8, `UnsupportedMediaType` when it says that it is not JSON.
    pub fn body(&self) -> Result<&str> {
        problem::check_content_encoding(self.request.header("content-encoding"))?;
        problem::check_content_type(self.request.header("content-type"))?;
        let text = std::str::from_utf8(&self.request.body)
            .map_err(|_| Error::invalid("The body is not valid UTF-8"))?;
        // A byte order mark is ignored (RFC 8259, section 8.1).
        Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
    }

    /// The body as text, or the empty object when there is none.
    ///
    /// # Errors
    /// As [`Call::body`].
    pub fn optional_body(&self) -> Result<&str> {
        if self.request.body.is_empty() { Ok("{}") } else { self.body() }
    }

    /// The version that the caller expects the record to have.
    pub fn expected(&self) -> Expected {
        Expected::read(self.request.header("if-match"))
    }

    /// The page size that was asked for.
    ///
    /// # Errors
    /// `Invalid` naming `limit`.
    pub fn limit(&self) -> Result<usize> {
        self.limit_or(PAGE_DEFAULT)
    }

    /// The same of a list that clients of the contract ask for without a limit, and that they do
    /// not follow to a second page: its first page is as long as a page can be.
    ///
    /// # Errors
    /// As [`Call::limit`].
    pub fn wide_limit(&self) -> Result<usize> {
        let follows = self.request.query("cursor").is_some();
        self.limit_or(if follows { PAGE_DEFAULT } else { PAGE_MAX })
    }

    fn limit_or(&self, default: usize) -> Result<usize> {
        let Some(text) = self.request.query("limit") else { return Ok(default) };
        match text.parse() {
            Ok(limit) if (1..=PAGE_MAX).contains(&limit) => Ok(limit),
            _ => Err(Error::field("limit", format!("must be a whole number from 1 to {PAGE_MAX}"))),
        }
    }
}

/// An object without its entries that are `null`. In our answers a field is there with a value or
/// it is not there: typed clients refuse a `null` where a field is optional.
pub fn without_nulls(mut object: Value) -> Value {
    if let Some(entries) = object.as_object_mut() {
        entries.retain(|_, value| !value.is_null());
    }
    object
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Vec<u8>,
}

impl Reply {
    /// An answer with a JSON text.
    pub fn json_text(status: StatusCode, text: String) -> Self {
        let reply = Self { status, headers: HeaderMap::new(), body: text.into_bytes() };
        // Nothing here is for a shared cache, and some answers show a secret once.
        reply
            .with_header("content-type", "application/json")
            .with_header("cache-control", "no-store")
            .with_header("x-content-type-options", "nosniff")
    }

    /// An answer with a JSON value.
    pub fn json(status: StatusCode, value: &Value) -> Self {
        Self::json_text(status, value.to_string())
    }

    /// 200 with a JSON value.
    pub fn ok(value: &Value) -> Self {
        Self::json(StatusCode::OK, value)
    }

    /// 200 with a record of this version.
    pub fn versioned(value: &Value, tag: &str) -> Self {
        Self::ok(value).with_header("etag", tag)
    }

    /// 201 with a JSON value.
    pub fn created(value: &Value) -> Self {
        Self::json(StatusCode::CREATED, value)
    }

    /// An answer with a page.
    pub fn html(status: StatusCode, text: String) -> Self {
        let reply = Self { status, headers: HeaderMap::new(), body: text.into_bytes() };
        reply.with_header("content-type", "text/html; charset=utf-8")
    }

    /// Sends the browser to another page, to read it there.
    pub fn see_other(path: &str) -> Self {
        Self::empty(StatusCode::SEE_OTHER).with_header("location", path)
    }

    /// An answer without a body.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Vec::new() }
    }

    /// The same answer with one more header. A value that HTTP does not allow is left out.
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        // The type of the crate also holds bytes beyond ASCII.
        let value = HeaderValue::from_str(value).ok().filter(|value| value.to_str().is_ok());
        if let Some(value) = value {
            self.headers.insert(HeaderName::from_static(name), value);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_null_is_left_out() {
        let all = json!({"a": null, "b": 0, "c": "", "d": {"e": null}});
        assert_eq!(without_nulls(all), json!({"b": 0, "c": "", "d": {"e": null}}));
    }

    #[test]
    fn a_header_is_set_once_and_only_to_what_http_allows() {
        let mut reply = Reply::empty(StatusCode::OK)
            .with_header("allow", "GET")
            .with_header("x-a", "")
            .with_header("allow", "GET, PUT");
        for value in ["a\nb", "a\rb", "\0", "é", "\u{7f}"] {
            reply = reply.with_header("allow", value);
        }
        assert_eq!(reply.headers.len(), 2);
        assert_eq!(reply.headers["allow"], "GET, PUT");
        assert_eq!(reply.headers["x-a"], "");
    }
}
