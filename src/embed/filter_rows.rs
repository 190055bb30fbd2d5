//! A filter as rows of path, comparison and value, so that nobody has to write JSON. A filter that
//! has another shape stands in the form as the JSON that it is.

use maud::{Markup, html};
use serde_json::{Map, Value, json};

use crate::embed::text::Texts;
use crate::http::form::Form;

/// Rows of the form.
pub const ROWS: usize = 4;

/// One condition as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Row {
    path: String,
    comparison: String,
    value: String,
}

/// What stands in the rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterRows {
    /// Whether one condition is enough.
    is_any: bool,
    rows: Vec<Row>,
}

impl FilterRows {
    /// The rows of a filter; `None` when it does not fit into them.
    pub fn of(filter: &str) -> Option<Self> {
        let filter: Value = serde_json::from_str(filter).ok()?;
        let one = std::slice::from_ref(&filter);
        let (is_any, conditions) = match (filter.get("and"), filter.get("or")) {
            (Some(Value::Array(all)), _) => (false, all.as_slice()),
            (_, Some(Value::Array(any))) => (true, any.as_slice()),
            _ => (false, one),
        };
        let rows: Vec<Row> = conditions.iter().map(row_of).collect::<Option<_>>()?;
        (rows.len() <= ROWS).then_some(Self { is_any, rows })
    }

    /// The rows as they were sent; those that are empty are left out.
    pub fn sent(form: &Form) -> Self {
        let row = |index: usize| Row {
            path: form.get(&format!("filter_path_{index}")).trim().to_owned(),
            comparison: form.get(&format!("filter_is_{index}")).to_owned(),
            value: form.get(&format!("filter_value_{index}")).trim().to_owned(),
        };
        let rows = (0..ROWS).map(row);
        let rows = rows.filter(|row| !row.path.is_empty() || !row.value.is_empty());
        Self { is_any: form.get("filter_join") == "or", rows: rows.collect() }
    }

    /// Whether no condition stands in them.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The filter that they say; the empty text when they are empty.
    pub fn to_filter(&self) -> String {
        let conditions: Vec<Value> = self.rows.iter().map(condition).collect();
        match conditions.as_slice() {
            [] => String::new(),
            [one] => one.to_string(),
            _ if self.is_any => json!({"or": conditions}).to_string(),
            _ => json!({"and": conditions}).to_string(),
        }
    }

    /// The fields.
    pub fn render(&self, t: &Texts, paths: &[String]) -> Markup {
        let empty = Row::default();
        html! {
            p.hint { (t.filter.hint) }
            label { (t.filter.join)
                select.menu name="filter_join" {
                    @for (value, label) in t.filter.joins {
                        option value=(value) selected[(value == "or") == self.is_any] { (label) }
                    }
                } }
            @for index in 0..ROWS {
                @let row = self.rows.get(index).unwrap_or(&empty);
                div.condition role="group" aria-label=((t.filter.condition)(index + 1)) {
                    input name=(format!("filter_path_{index}")) value=(row.path)
                        aria-label=(t.filter.path) placeholder=(t.filter.path_example)
                        list="filter-paths" autocomplete="off" spellcheck="false";
                    select.menu name=(format!("filter_is_{index}"))
                        aria-label=(t.filter.comparison) {
                        @for (value, label) in t.filter.comparisons {
                            option value=(value) selected[value == row.comparison] { (label) }
                        }
                    }
                    input name=(format!("filter_value_{index}")) value=(row.value)
                        aria-label=(t.filter.value) placeholder=(t.filter.value) autocomplete="off"
                        spellcheck="false";
                }
            }
            datalist id="filter-paths" { @for path in paths { option value=(path); } }
            p.hint { (t.filter.value_hint) }
        }
    }
}

fn condition(row: &Row) -> Value {
    let mut condition = Map::new();
    condition.insert("path".to_owned(), json!(row.path));
    let (operator, value) = match row.comparison.as_str() {
        "exists" => ("exists", json!(true)),
        "absent" => ("exists", json!(false)),
        "in" => ("in", row.value.split(',').map(|one| scalar(one.trim())).collect()),
        "starts_with" => ("starts_with", json!(unquoted(&row.value))),
        word => (word, scalar(&row.value)),
    };
    condition.insert(operator.to_owned(), value);
    Value::Object(condition)
}

/// A value as it was typed: a number, `true`, `false` or `null` is read as such, all else is text.
pub fn scalar(typed: &str) -> Value {
    match serde_json::from_str(typed) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null | Value::String(_))) => value,
        _ => json!(typed),
    }
}

/// The text between quotes, or the text.
fn unquoted(typed: &str) -> String {
    serde_json::from_str(typed).unwrap_or_else(|_| typed.to_owned())
}

/// A value as it is typed: a text that would be read as something else stands between quotes.
pub fn typed(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if scalar(text) == *value && *text == *text.trim() => {
            Some(text.clone()).filter(|text| !text.is_empty() || value == "")
        }
        Value::String(_) | Value::Number(_) | Value::Bool(_) | Value::Null => {
            Some(value.to_string())
        }
        _ => None,
    }
}

fn row_of(condition: &Value) -> Option<Row> {
    let entries = condition.as_object()?;
    let path = entries.get("path")?.as_str()?.to_owned();
    let mut operators = entries.iter().filter(|(key, _)| *key != "path");
    let ((operator, value), None) = (operators.next()?, operators.next()) else { return None };
    let (comparison, value) = match (operator.as_str(), value) {
        ("exists", Value::Bool(true)) => ("exists", String::new()),
        ("exists", _) => ("absent", String::new()),
        ("in", Value::Array(values)) => {
            let all: Vec<String> = values.iter().map(typed).collect::<Option<_>>()?;
            if all.iter().any(|one| one.contains(',')) {
                return None;
            }
            ("in", all.join(", "))
        }
        (word, value) => (word, typed(value)?),
    };
    Some(Row { path, comparison: comparison.to_owned(), value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::routing::filter::Filter;

    #[test]
    fn a_filter_of_conditions_is_the_same_after_the_form() {
        for filter in [
            r#"{"path":"order.total","gt":100}"#,
            r#"{"path":"a","eq":"7"}"#,
            r#"{"path":"a","eq":""}"#,
            r#"{"path":"a","eq":" x "}"#,
            r#"{"path":"a","ne":null}"#,
            r#"{"path":"a","exists":false}"#,
            r#"{"path":"a","starts_with":"ord_"}"#,
            r#"{"path":"a","starts_with":"12"}"#,
            r#"{"and":[{"path":"a","in":["x",7,true]},{"path":"b","lt":1.5}]}"#,
            r#"{"or":[{"path":"a","exists":true},{"path":"b","eq":"\"q\""}]}"#,
        ] {
            let parsed = Filter::parse(filter).expect("a filter").to_json();
            let rows = FilterRows::of(filter).unwrap_or_else(|| panic!("{filter}"));
            let again = Filter::parse(&rows.to_filter()).expect("a filter").to_json();
            assert_eq!(again, parsed, "{filter}");
        }
    }

    #[test]
    fn what_has_another_shape_stays_json() {
        for filter in [
            r#"{"not":{"path":"a","eq":1}}"#,
            r#"{"path":"a","gt":1,"lt":9}"#,
            r#"{"and":[{"or":[{"path":"a","eq":1}]}]}"#,
            r#"{"path":"a","in":["x,y"]}"#,
            r#"{"and":[{"path":"a","eq":1},{"path":"a","eq":1},{"path":"a","eq":1},
                {"path":"a","eq":1},{"path":"a","eq":1}]}"#,
            "no JSON",
        ] {
            assert_eq!(FilterRows::of(filter), None, "{filter}");
        }
    }

    #[test]
    fn rows_are_read_as_they_were_typed() {
        let form = Form::from([
            ("filter_join", "or"),
            ("filter_path_0", "total "),
            ("filter_is_0", "gt"),
            ("filter_value_0", " 100"),
            ("filter_path_2", "name"),
            ("filter_is_2", "in"),
            ("filter_value_2", "a, \"7\", 8"),
        ]);
        let rows = FilterRows::sent(&form);
        let expected = r#"{"or":[{"gt":100,"path":"total"},{"in":["a","7",8],"path":"name"}]}"#;
        assert_eq!(rows.to_filter(), expected);
        assert!(FilterRows::sent(&Form::from([("filter_is_0", "eq")])).is_empty());
    }
}
