//! Requests, answers and headers as the runtime has them. The crate's own around them ask the
//! runtime for much that nobody reads, and each question costs a microsecond or more.

use serde::Serializer;
use worker::Result;
use worker::js_sys::futures::JsFuture;
use worker::js_sys::{Array, JSON, Promise, Uint8Array};
use worker::wasm_bindgen::JsValue;
use worker::web_sys::Headers;

/// All headers of a request or an answer, with their names in lower case.
///
/// # Errors
/// When the runtime gives something else than pairs of texts.
pub fn header_pairs(headers: &Headers) -> Result<Vec<(String, String)>> {
    let text = String::from(JSON::stringify(&Array::from(headers))?);
    Ok(serde_json::from_str(&text)?)
}

/// Headers to send, as what the runtime makes requests and answers of: an object, which it reads
/// faster than a list. Of a name that is there twice the last value counts.
///
/// # Errors
/// When the runtime does not take the text.
pub fn headers_init<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Result<JsValue> {
    let mut text = Vec::new();
    serde_json::Serializer::new(&mut text).collect_map(pairs)?;
    Ok(JSON::parse(&String::from_utf8_lossy(&text))?)
}

/// The bytes that `array_buffer()` of a request or an answer brings.
///
/// # Errors
/// When the body breaks off.
pub async fn bytes(buffer: std::result::Result<Promise, JsValue>) -> Result<Vec<u8>> {
    Ok(Uint8Array::new(&JsFuture::from(buffer?).await?).to_vec())
}
