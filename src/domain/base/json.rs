//! JSON in a form that costs the module little.
//!
//! - [`json!`]: makes a [`Value`], written as with `serde_json`'s macro of this name, which would
//!   take 10 KB more of the module, gzipped.
//! - [`read`]: reads back what we keep or send ourselves: settings, attempts, messages, lanes. It
//!   goes by way of [`Value`], with a reader that knows no more than such JSON needs. The one of
//!   `serde_json` is made anew for each type: 20 KB more.

use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, IntoDeserializer, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::{Map, Value};
use std::{fmt, iter};

/// A [`Value`] written as JSON: `json!({"id": id, "names": [a, b], "none": null})`.
macro_rules! json {
    (null) => { serde_json::Value::Null };
    ([ $($items:tt)* ]) => {{
        #[allow(unused_mut)]
        let mut list = Vec::new();
        $crate::domain::base::json::json_items!(list; $($items)*);
        serde_json::Value::Array(list)
    }};
    ({ $($entries:tt)* }) => {{
        #[allow(unused_mut)]
        let mut object = serde_json::Map::new();
        $crate::domain::base::json::json_entries!(object; $($entries)*);
        serde_json::Value::Object(object)
    }};
    ($value:expr) => { $crate::domain::base::json::value(&$value) };
}

/// Adds what is written in an object of [`json!`]: a value of one token can be JSON,
/// one of several is an expression.
macro_rules! json_entries {
    ($object:ident;) => {};
    ($object:ident; $key:tt : $value:tt $(, $($rest:tt)*)?) => {
        let value = $crate::domain::base::json::json!($value);
        $crate::domain::base::json::put(&mut $object, $key, value);
        $crate::domain::base::json::json_entries!($object; $($($rest)*)?);
    };
    ($object:ident; $key:tt : $value:expr $(, $($rest:tt)*)?) => {
        let value = $crate::domain::base::json::value(&$value);
        $crate::domain::base::json::put(&mut $object, $key, value);
        $crate::domain::base::json::json_entries!($object; $($($rest)*)?);
    };
}

/// The same for a list.
macro_rules! json_items {
    ($list:ident;) => {};
    ($list:ident; $value:tt $(, $($rest:tt)*)?) => {
        $crate::domain::base::json::add(&mut $list, $crate::domain::base::json::json!($value));
        $crate::domain::base::json::json_items!($list; $($($rest)*)?);
    };
    ($list:ident; $value:expr $(, $($rest:tt)*)?) => {
        $crate::domain::base::json::add(&mut $list, $crate::domain::base::json::value(&$value));
        $crate::domain::base::json::json_items!($list; $($($rest)*)?);
    };
}

pub(crate) use {json, json_entries, json_items};

/// Any value; one that JSON has no form for is `null`.
#[inline(never)]
pub fn value<T: Serialize + ?Sized>(value: &T) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}

/// Puts an entry into an object.
#[inline(never)]
pub fn put(object: &mut Map<String, Value>, key: &str, value: Value) {
    object.insert(key.to_owned(), value);
}

/// Adds an item to a list.
#[inline(never)]
pub fn add(list: &mut Vec<Value>, value: Value) {
    list.push(value);
}

/// An object without its entries that are `null`. In our answers a field is there with a value or
/// it is not there: typed clients refuse a `null` where a field is optional.
pub fn without_nulls(mut object: Value) -> Value {
    if let Some(entries) = object.as_object_mut() {
        entries.retain(|_, value| !value.is_null());
    }
    object
}

/// A text is not what it should be. What exactly is not told: telling it for every field of every
/// type costs more than the fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError;

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("is not the JSON that it should be")
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_value(_: de::Unexpected<'_>, _: &dyn de::Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn de::Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

/// What a text holds. Of a key that stands twice the last counts. Whole numbers have 63 bits.
///
/// # Errors
/// [`DecodeError`] when it is no JSON, or does not hold a `T`.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, DecodeError> {
    T::deserialize(Kept(serde_json::from_str(text).map_err(|_| DecodeError)?))
}

/// The variant of `T` that has this name.
pub fn word<T: DeserializeOwned>(name: &str) -> Option<T> {
    T::deserialize(Kept(Value::from(name))).ok()
}

struct Kept(Value);

/// Methods for values that `Kept` reads as another kind of value.
macro_rules! alike {
    ($as:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.$as(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Kept {
    type Error = DecodeError;

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_bool(self.0.as_bool().ok_or(DecodeError)?)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_i64(self.0.as_i64().ok_or(DecodeError)?)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Value::String(text) = self.0 else { return Err(DecodeError) };
        visitor.visit_string(text)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Value::Array(items) = self.0 else { return Err(DecodeError) };
        visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Kept)))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        let Value::Object(entries) = self.0 else { return Err(DecodeError) };
        let entries = entries.into_iter().map(|(key, value)| (key, Kept(value)));
        visitor.visit_map(MapDeserializer::new(entries))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        let named = match self.0 {
            Value::String(name) => (name, Kept(Value::Null)),
            Value::Object(entries) => {
                let entry = entries.into_iter().next().ok_or(DecodeError)?;
                (entry.0, Kept(entry.1))
            }
            _ => return Err(DecodeError),
        };
        visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(iter::once(named))))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match &self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(_) => self.deserialize_bool(visitor),
            Value::Number(number) if number.is_i64() => self.deserialize_i64(visitor),
            Value::Number(number) => visitor.visit_f64(number.as_f64().ok_or(DecodeError)?),
            Value::String(_) => self.deserialize_string(visitor),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    alike!(deserialize_i64: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64);
    alike!(deserialize_string: deserialize_str deserialize_identifier);
    serde::forward_to_deserialize_any! { f32 f64 char bytes byte_buf unit unit_struct }
}

impl<'de> IntoDeserializer<'de, DecodeError> for Kept {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;
    use std::collections::BTreeMap;
    use std::fmt::Debug;

    #[derive(Debug, PartialEq, Serialize, Deserialize, Default)]
    struct Whole {
        text: String,
        number: u16,
        #[serde(default)]
        left_out: Vec<Part>,
        maybe: Option<i64>,
        map: BTreeMap<String, bool>,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "snake_case")]
    enum Part {
        Word,
        Holds(Option<i64>),
        Pair(i8, String),
        Named { at: f64 },
        Any(Value),
    }

    /// The same comes of a text as with `serde_json`'s own reader.
    fn check<T: DeserializeOwned + PartialEq + Debug>(text: &str) {
        assert_eq!(read::<T>(text).ok(), serde_json::from_str(text).ok(), "{text}");
    }

    #[test]
    fn texts_hold_what_they_hold() {
        for text in [
            r#"{"text":"é\u0000","number":65535,"maybe":null,"map":{"a":true}}"#,
            r#"{"map":{},"number":0,"text":"","maybe":-9223372036854775808,"other":[{}]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":["word",{"holds":null},{"holds":3}]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":[{"pair":[-1,"b"]}]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":[{"named":{"at":0.5}}]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":[{"any":{"a":[1,-0.5,"b",null,true]}}]}"#,
            r#"{"number":1,"map":{}}"#,
            r#"{"text":null,"number":1,"map":{}}"#,
            r#"{"text":1,"number":1,"map":{}}"#,
            r#"{"text":"","number":65536,"map":{}}"#,
            r#"{"text":"","number":-1,"map":{}}"#,
            r#"{"text":"","number":1.0,"map":{}}"#,
            r#"{"text":"","number":"1","map":{}}"#,
            r#"{"text":"","number":1,"map":[]}"#,
            r#"{"text":"","number":1,"map":{"a":1}}"#,
            r#"{"text":"","number":1,"map":{},"maybe":"x"}"#,
            r#"{"text":"","number":1,"map":{},"left_out":{}}"#,
            r#"{"text":"","number":1,"map":{},"left_out":["other"]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":[{"word":1}]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":["pair"]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":[{"pair":[1]}]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":[{"named":{}}]}"#,
            r#"{"text":"","number":1,"map":{},"left_out":[{}]}"#,
            "null",
            "1",
            "[]",
            "{",
            "",
        ] {
            check::<Whole>(text);
            check::<Option<Whole>>(text);
            check::<Value>(text);
        }
        assert_eq!(word("word"), Some(Part::Word));
        assert_eq!(word::<Part>("other"), None);
    }

    #[test]
    fn values_are_as_they_are_written() {
        let (name, list, none) = ("n".to_owned(), vec![1, 2], None::<u8>);
        let written = json!({"a": null, "b": {"c": [name, null, [], {}], "d": name.len() + 1},
            "e": list, "f": -1, "g": 0.5, "h": true, "i": none, "j": [1, name.as_str(),],});
        let same = serde_json::json!({"a": null, "b": {"c": [name, null, [], {}],
            "d": name.len() + 1}, "e": list, "f": -1, "g": 0.5, "h": true, "i": none,
            "j": [1, name.as_str(),],});
        assert_eq!(written, same);
        assert_eq!((json!(null), json!("x"), json!(list)), (Value::Null, "x".into(), list.into()));
    }

    #[test]
    fn what_is_null_is_left_out() {
        let all = json!({"a": null, "b": 0, "c": "", "d": {"e": null}});
        assert_eq!(without_nulls(all), json!({"b": 0, "c": "", "d": {"e": null}}));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            text: String,
            number: u16,
            maybe: Option<i64>,
            map: BTreeMap<String, bool>,
        ) {
            let whole = Whole { text, number, left_out: vec![Part::Holds(maybe)], maybe, map };
            let written = serde_json::to_string(&whole).expect("a text");
            prop_assert_eq!(read::<Whole>(&written), Ok(whole));
        }
    }
}
