//! Values and rows on their way to and from a database of the platform.

use serde::Deserialize;
use worker::d1::serde_wasm_bindgen;
use worker::js_sys::{Array, JSON};
use worker::wasm_bindgen::JsValue;

use crate::ports::{Param, Rows};

/// A row as the platform gives it.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct Raw(#[serde(with = "serde_wasm_bindgen::preserve")] JsValue);

/// The rows as the port gives them.
pub fn rows(rows: Vec<Raw>) -> worker::Result<Rows> {
    if rows.is_empty() {
        return Ok(Rows::none());
    }
    let rows: Array = rows.into_iter().map(|row| row.0).collect();
    Ok(Rows(String::from(JSON::stringify(&rows)?)))
}

/// No BigInt is taken, so whole numbers go as JS numbers, exact within ±2^53.
pub fn js_value(param: Param) -> JsValue {
    match param {
        Param::Null => JsValue::NULL,
        #[allow(clippy::cast_precision_loss)]
        Param::Int(value) => JsValue::from_f64(value as f64),
        Param::Text(text) => JsValue::from_str(&text),
    }
}
