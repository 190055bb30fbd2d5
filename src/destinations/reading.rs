//! Reading the answers of providers: one way that fits most of them, and tables of what is
//! different. An answer may be cut, so a field is read from the beginning as far as it goes.

use serde_json::Value;

use crate::destinations::call::{Item, Verdict};
use crate::domain::base::time::SECOND_MS;
use crate::domain::delivery::attempt::Answer;
use crate::domain::delivery::retry::parse_retry_after;

/// What an answer can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// The provider has it.
    Delivered,
    /// It may be taken later.
    Retry,
    /// The same, and fewer requests are wanted.
    Throttled,
    /// It is refused for good.
    Refused,
    /// The credentials do not hold.
    Unauthorized,
    /// What the connection is for is not there any more.
    Gone,
}

/// One row of a table of answers: a status (0 for any), the path of a field in its JSON body as its
/// keys joined by `/` (empty for none), the value there, and what that means.
pub type Case = (u16, &'static str, &'static str, Means);

/// The verdict on an answer: by the first row of `cases` that fits, else as statuses are meant.
/// `words` are paths at which the provider says what was wrong.
pub fn verdict(answer: &Answer, now_ms: i64, cases: &[Case], words: &[&str]) -> Verdict {
    let status = answer.status.unwrap_or_default();
    let body = Body::of(answer);
    let fits = |(of, path, value, _): &&Case| {
        let is_status = *of == 0 || *of == status;
        is_status && (path.is_empty() || body.text(path).as_deref() == Some(*value))
    };
    let means = cases.iter().find(fits).map_or_else(|| by_status(status), |case| case.3);
    let after_ms = retry_after_ms(answer, now_ms);
    let told = || {
        let said = words.iter().find_map(|path| body.text(path));
        match (said, answer.error()) {
            (Some(said), _) if !said.trim().is_empty() => format!("It says: {said}"),
            (_, Some(error)) => error,
            _ => "It did not accept this".to_owned(),
        }
    };
    match means {
        Means::Delivered => Verdict::Delivered,
        Means::Retry => Verdict::Retry(after_ms),
        Means::Throttled => Verdict::Throttled(after_ms),
        Means::Refused => Verdict::refused(told()),
        Means::Unauthorized => Verdict::Unauthorized(told()),
        Means::Gone => Verdict::Gone,
    }
}

/// What statuses are meant to say. Without a status nobody answered.
pub fn by_status(status: u16) -> Means {
    match status {
        200..=299 => Means::Delivered,
        401 => Means::Unauthorized,
        429 => Means::Throttled,
        408 | 409 | 425 => Means::Retry,
        400..=499 => Means::Refused,
        _ => Means::Retry,
    }
}

/// How long an answer asks to wait: by `Retry-After`, or by the headers with which providers tell
/// when their count begins anew, as seconds from now or as a moment in seconds since 1970.
pub fn retry_after_ms(answer: &Answer, now_ms: i64) -> Option<i64> {
    /// Less is a number of seconds, more a moment.
    const MOMENTS_FROM: i64 = 1_000_000_000;
    let asked = answer.header("retry-after");
    if let Some(after_ms) = asked.and_then(|value| parse_retry_after(value, now_ms)) {
        return Some(after_ms);
    }
    let status = answer.status.unwrap_or_default();
    let resets = ["ratelimit-reset", "x-ratelimit-reset"];
    let reset = resets.iter().filter(|_| status == 429).find_map(|name| answer.header(name))?;
    // Discord tells a moment with a fraction; a second that has begun counts.
    let (whole, fraction) = reset.trim().split_once('.').unwrap_or((reset.trim(), ""));
    let seconds = i64::from(whole.parse::<u32>().ok()?) + i64::from(!fraction.is_empty());
    let after_s = match seconds < MOMENTS_FROM {
        true => seconds,
        false => (seconds * SECOND_MS - now_ms).max(0) / SECOND_MS,
    };
    parse_retry_after(&after_s.to_string(), now_ms)
}

/// The JSON body of an answer, as far as it came.
pub struct Body(Value);

impl Body {
    /// Reads what came. Of an object that is cut, the fields before the cut are there.
    pub fn of(answer: &Answer) -> Self {
        let text = String::from_utf8_lossy(&answer.excerpt);
        Self(serde_json::from_str(&text).unwrap_or_else(|_| beginning(&text)))
    }

    /// What stands at a path: keys and places joined by `/`.
    pub fn at(&self, path: &str) -> &Value {
        let mut found = &self.0;
        for key in path.split('/').filter(|key| !key.is_empty()) {
            found = match found {
                Value::Array(items) => {
                    key.parse().ok().and_then(|at: usize| items.get(at)).unwrap_or(&Value::Null)
                }
                other => other.get(key).unwrap_or(&Value::Null),
            };
        }
        found
    }

    /// A text, number or word that stands there, as text.
    pub fn text(&self, path: &str) -> Option<String> {
        match self.at(path) {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// The items of a list at a path, each made of its texts at two paths.
    pub fn items(&self, path: &str, id: &str, name: &str) -> Vec<Item> {
        let items = self.at(path).as_array().cloned().unwrap_or_default();
        let item = |value: Value| {
            let one = Self(value);
            let id = one.text(id)?;
            let name = one.text(name).unwrap_or_else(|| id.clone());
            Some(Item::new(id, name))
        };
        items.into_iter().filter_map(item).collect()
    }
}

/// The fields of an object that is cut off, up to the cut; null when there are none.
fn beginning(text: &str) -> Value {
    let mut fields = serde_json::Map::new();
    let Some(mut at) = pass(text, 0, '{') else { return Value::Null };
    while let Some((key, after)) = next::<String>(text, at) {
        let Some(colon) = pass(text, after, ':') else { break };
        let Some((value, after)) = next::<Value>(text, colon) else { break };
        fields.insert(key, value);
        match pass(text, after, ',') {
            Some(comma) => at = comma,
            None => break,
        }
    }
    Value::Object(fields)
}

fn next<T: serde::de::DeserializeOwned>(text: &str, at: usize) -> Option<(T, usize)> {
    let mut values = serde_json::Deserializer::from_str(text.get(at..)?).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, at + values.byte_offset()))
}

/// Where the text goes on after this sign, if it is what comes next.
fn pass(text: &str, at: usize, sign: char) -> Option<usize> {
    let rest = text.get(at..)?.trim_ascii_start().strip_prefix(sign)?;
    Some(text.len() - rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let headers = headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Answer {
            status: Some(status),
            headers,
            excerpt: body.as_bytes().to_vec(),
            ..Answer::default()
        }
    }

    #[test]
    fn statuses_mean_what_they_are_meant_to() {
        let read =
            |status| verdict(&answer(status, &[], r#"{"message":"no"}"#), 0, &[], &["message"]);
        let told = || "It says: no".to_owned();
        for (status, expected) in [
            (200, Verdict::Delivered),
            (204, Verdict::Delivered),
            (400, Verdict::refused(told())),
            (401, Verdict::Unauthorized(told())),
            (403, Verdict::refused(told())),
            (404, Verdict::refused(told())),
            (408, Verdict::Retry(None)),
            (409, Verdict::Retry(None)),
            (410, Verdict::refused(told())),
            (425, Verdict::Retry(None)),
            (429, Verdict::Throttled(None)),
            (500, Verdict::Retry(None)),
            (302, Verdict::Retry(None)),
        ] {
            assert_eq!(read(status), expected, "{status}");
        }
        assert_eq!(verdict(&Answer::default(), 0, &[], &[]), Verdict::Retry(None));
        let bare = verdict(&answer(404, &[], "gone"), 0, &[], &["message"]);
        assert_eq!(bare, Verdict::refused("Answered 404"));
    }

    #[test]
    fn a_table_says_what_is_different() {
        const CASES: [Case; 3] = [
            (207, "", "", Means::Refused),
            (403, "code", "limit", Means::Throttled),
            (0, "error/kind", "revoked", Means::Unauthorized),
        ];
        let read = |status, body: &str| verdict(&answer(status, &[], body), 0, &CASES, &["why"]);
        assert_eq!(read(207, r#"{"why":"half"}"#), Verdict::refused("It says: half"));
        assert_eq!(read(403, r#"{"code":"limit"}"#), Verdict::Throttled(None));
        assert_eq!(read(403, r#"{"code":"other"}"#), Verdict::refused("Answered 403"));
        let revoked = read(200, r#"{"error":{"kind":"revoked"},"why":"x"}"#);
        assert_eq!(revoked, Verdict::Unauthorized("It says: x".to_owned()));
    }

    #[test]
    fn providers_say_in_different_ways_how_long_to_wait() {
        let now_ms = 1_800_000_000_000;
        for (name, value, expected) in [
            ("retry-after", "7", Some(7_000)),
            ("ratelimit-reset", "2", Some(2_000)),
            ("x-ratelimit-reset", "0.4", Some(1_000)),
            ("x-ratelimit-reset", "1800000060", Some(60_000)),
            ("x-ratelimit-reset", "1700000000", Some(0)),
            ("x-ratelimit-reset", "soon", None),
            ("x-ratelimit-reset", "-1", None),
            ("x-other", "1", None),
        ] {
            let asked = retry_after_ms(&answer(429, &[(name, value)], ""), now_ms);
            assert_eq!(asked, expected, "{name}: {value}");
        }
        let fine = answer(400, &[("ratelimit-reset", "2")], "");
        assert_eq!(retry_after_ms(&fine, now_ms), None);
    }

    #[test]
    fn a_body_that_is_cut_is_read_up_to_the_cut() {
        let cut = answer(200, &[], r#" { "ok" : false , "error":"is_archived","message":{"te"#);
        let body = Body::of(&cut);
        assert_eq!(body.text("ok").as_deref(), Some("false"));
        assert_eq!(body.text("error").as_deref(), Some("is_archived"));
        assert_eq!(body.text("message"), None);
        for text in ["", "ok", "[1", "{\"a", "{\"a\":", "{\"a\":1.", "{,"] {
            assert_eq!(Body::of(&answer(200, &[], text)).text("ok"), None, "{text}");
        }
        let list = answer(200, &[], r#"{"a":{"b":[{"id":1,"n":"x"},{"id":"2"},{}]}}"#);
        let items = Body::of(&list).items("a/b", "id", "n");
        assert_eq!(items, [Item::new("1", "x"), Item::new("2", "2")]);
        assert_eq!(Body::of(&list).text("a/b/0/n").as_deref(), Some("x"));
    }
}
