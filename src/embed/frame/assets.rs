//! The stylesheet, the script of the pages, and the loader for the product's page. Their addresses
//! change with their content, so browsers may keep them for ever.

use http::StatusCode;

use crate::domain::base::error::Result;
use crate::domain::tenants::look::Look;
use crate::embed::frame::theme;
use crate::http::{Call, Reply};
use crate::ports::Platform;

const STYLESHEET: &str = include_str!("embed.css");
const SCRIPT: &str = include_str!("embed.js");
const LOADER: &str = include_str!("loader.js");

/// A file without what only its readers need: indents, empty lines, and lines that are a comment.
/// Line ends stay, and with them the meaning of a script; neither file has a text of several lines.
fn compact(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let is_comment =
        |line: &str| line.starts_with("//") || (line.starts_with("/*") && line.ends_with("*/"));
    let kept = lines.filter(|line| !line.is_empty() && !is_comment(line));
    kept.collect::<Vec<_>>().join("\n")
}

/// FNV-1a of a text: tells one version of a file from another.
const fn version(text: &str) -> u64 {
    let (bytes, mut hash, mut at) = (text.as_bytes(), 0xcbf2_9ce4_8422_2325_u64, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

const STYLESHEET_VERSION: u64 = version(STYLESHEET);
const SCRIPT_VERSION: u64 = version(SCRIPT);

/// Where the stylesheet is for this look.
pub fn stylesheet_path(look: &Look) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("v", &format!("{STYLESHEET_VERSION:x}")).extend_pairs(look.fields());
    format!("/embed/embed.css?{}", query.finish())
}

/// Where the script is.
pub fn script_path() -> String {
    format!("/embed/embed.js?v={SCRIPT_VERSION:x}")
}

/// `GET /embed/embed.css`.
pub async fn stylesheet<P: Platform>(_: &P, call: &Call) -> Result<Reply> {
    let look = Look::read(|name| call.request.query(name));
    let text = format!("{}\n{}", theme::properties(&look), compact(STYLESHEET));
    Ok(asset("text/css; charset=utf-8", text, FOR_EVER))
}

/// `GET /embed/embed.js`.
pub async fn script<P: Platform>(_: &P, _: &Call) -> Result<Reply> {
    Ok(asset("text/javascript; charset=utf-8", compact(SCRIPT), FOR_EVER))
}

/// `GET /embed.js`: the loader, for pages of any origin.
pub async fn loader<P: Platform>(_: &P, _: &Call) -> Result<Reply> {
    let reply = asset("text/javascript; charset=utf-8", LOADER.to_owned(), "public, max-age=300");
    let reply = reply.with_header("cross-origin-resource-policy", "cross-origin");
    Ok(reply.with_header("access-control-allow-origin", "*"))
}

const FOR_EVER: &str = "public, max-age=31536000, immutable";

fn asset(content_type: &str, text: String, cache: &str) -> Reply {
    Reply::html(StatusCode::OK, text)
        .with_header("content-type", content_type)
        .with_header("cache-control", cache)
        .with_header("x-content-type-options", "nosniff")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_sent_is_what_is_written_without_comments_and_indents() {
        let text = "// a\n  f(); // b\n\n  /** c */\n/* d */ g()\n";
        assert_eq!(compact(text), "f(); // b\n/* d */ g()");
        for file in [SCRIPT, STYLESHEET] {
            // A text that goes over lines, or a comment of several, would be cut to pieces.
            let is_open = |line: &&str| line.contains("/*") && !line.contains("*/");
            assert_eq!(file.lines().find(is_open), None);
            assert!(file.lines().all(|line| line.matches('`').count() % 2 == 0));
        }
    }
}
